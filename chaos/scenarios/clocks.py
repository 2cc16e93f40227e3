"""6: a clock that is put back, the two days when all clocks are, and a worker for whom time stood
still."""

import asyncio
import signal
from datetime import UTC, datetime
from typing import Final

from chaos.clock import LACKS
from chaos.scenario import Scenario, Strike
from chaos.world import World

_PACE: Final = 0.02
_LEASE_SECONDS: Final = 10
_PAUSE_SECONDS: Final = _LEASE_SECONDS + 10
_BEFORE_SECONDS: Final = 15

# At two in the morning, Pacific time: an hour comes twice in autumn, and in spring one is missing.
_AUTUMN: Final = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
_SPRING: Final = datetime(2027, 3, 14, 10, 0, tzinfo=UTC)


async def step_back(world: World) -> None:
    """The clock of all machines is an hour behind, from one moment to the next."""
    await world.until_taken(0.3)
    async with world.broken("the clock stepped back an hour"):
        world.clock.move(-3600)


def _shortly_before(change: datetime) -> Strike:
    async def before(world: World) -> None:
        moment = change.timestamp() - _BEFORE_SECONDS
        world.clock.start_at(datetime.fromtimestamp(moment, UTC))

    return before


def _over(change: datetime) -> Strike:
    """Once the clocks have changed, Redis forgets: it is the clock's own work that goes on then."""

    async def strike(world: World) -> None:
        await world.until(lambda: world.clock() > change)
        async with world.broken("Redis flushed after the change"):
            await world.ground.flush_redis()

    return strike


async def pause(world: World) -> None:
    """A worker is stopped for longer than its lease, and goes on then; three times."""
    for share in (0.1, 0.3, 0.5):
        await world.until_taken(share)
        worker = world.random.choice(world.workers)
        async with world.broken("a worker paused past its lease"):
            world.send(worker, signal.SIGSTOP)
            await asyncio.sleep(_PAUSE_SECONDS)
            world.send(worker, signal.SIGCONT)


SCENARIOS: Final = (
    Scenario(
        "clock-back",
        6,
        "the clock steps back an hour",
        step_back,
        pace=_PACE,
        alone=True,
        moves_clock=True,
        lacks=LACKS,
    ),
    *(
        Scenario(
            f"daylight-{season}",
            6,
            f"the clocks change in {season}",
            _over(change),
            before=_shortly_before(change),
            pace=0.05,
            alone=True,
            moves_clock=True,
            lacks=LACKS,
        )
        for season, change in (("autumn", _AUTUMN), ("spring", _SPRING))
    ),
    Scenario(
        "worker-paused",
        6,
        "a worker is paused past its lease, and goes on, three times",
        pause,
        environment={"CHUNK": "50", "LEASE_SECONDS": str(_LEASE_SECONDS)},
        pace=_PACE,
    ),
)
