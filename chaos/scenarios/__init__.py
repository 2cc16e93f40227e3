"""All scenarios, in the order of the clauses that they prove."""

from typing import Final

from chaos.scenario import Scenario
from chaos.scenarios import workers

ALL: Final[tuple[Scenario, ...]] = tuple(
    sorted(workers.SCENARIOS, key=lambda one: (one.item, one.name))
)
