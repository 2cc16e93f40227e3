"""1: workers that die, and workers that are told to stop."""

import asyncio
import signal
from typing import Final

from chaos.scenario import Scenario
from chaos.world import World

KILLS: Final = 50
STOPS: Final = 20
_BETWEEN_SECONDS: Final = (0.1, 1.5)


async def _signals(world: World, signum: signal.Signals, times: int, what: str) -> None:
    """Signal a worker that runs, at a random moment, so many times."""
    for _ in range(times):
        await asyncio.sleep(world.random.uniform(*_BETWEEN_SECONDS))
        await world.until(lambda: any(map(world.alive, world.workers)))
        running = [worker for worker in world.workers if world.alive(worker)]
        if not world.left:
            world.notes.append(f"nothing was left to do before the last {what}")
            return
        async with world.broken(what):
            world.send(world.random.choice(running), signum)


async def kill(world: World) -> None:
    """`kill -9`, at random moments."""
    await world.until_taken(0.02)
    await _signals(world, signal.SIGKILL, KILLS, "kill -9")


async def stop(world: World) -> None:
    """SIGTERM, at random moments."""
    await world.until_taken(0.02)
    await _signals(world, signal.SIGTERM, STOPS, "SIGTERM")


SCENARIOS: Final = (
    Scenario(
        "kill-9", 1, f"kill -9 of a worker at a random moment, {KILLS} times", kill, pace=0.15
    ),
    Scenario("sigterm", 1, f"SIGTERM of a worker, {STOPS} times", stop, pace=0.05),
)
