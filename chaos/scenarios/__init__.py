"""All scenarios, in the order of the clauses that they prove."""

from typing import Final

from chaos.scenario import Scenario
from chaos.scenarios import (
    clocks,
    poison,
    postgres,
    redis,
    restored,
    smtp,
    vendor,
    versions,
    workers,
)

ALL: Final[tuple[Scenario, ...]] = (
    *workers.SCENARIOS,
    *redis.SCENARIOS,
    *postgres.SCENARIOS,
    *smtp.SCENARIOS,
    *clocks.SCENARIOS,
    *vendor.SCENARIOS,
    *poison.SCENARIOS,
    *versions.SCENARIOS,
    *restored.SCENARIOS,
)
