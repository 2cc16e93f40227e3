"""All scenarios, in the order of the clauses that they prove."""

from typing import Final

from chaos.scenario import Scenario
from chaos.scenarios import postgres, redis, workers

ALL: Final[tuple[Scenario, ...]] = (
    *workers.SCENARIOS,
    *redis.SCENARIOS,
    *postgres.SCENARIOS,
)
