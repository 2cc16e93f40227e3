"""1: workers that die, and workers that are told to stop."""

import asyncio
import signal
from typing import Final

from chaos.scenario import Scenario
from chaos.world import World

KILLS: Final = 50
STOPS: Final = 20
_MOST_SECONDS: Final = 0.5
_MESSAGES: Final = 30
SMALL: Final = {"CHUNK": "50", "LEASE_SECONDS": "10"}
"""So that fifty deaths do not lay hold of everything there is, and then wait for its leases."""


async def strike_workers(world: World, signum: signal.Signals, times: int) -> None:
    """Signal a worker that runs, at a random moment in the middle of the work, so many times."""
    for turn in range(times):
        wanted = world.mail.held + world.random.randint(1, _MESSAGES)
        await world.until_held(wanted)
        await asyncio.sleep(world.random.uniform(0, _MOST_SECONDS))
        if not world.left:
            world.notes.append(f"{signum.name} {turn} of {times} times: then all was done")
            return
        running = [worker for worker in world.workers if world.alive(worker)]
        async with world.broken(signum.name):
            world.send(world.random.choice(running or world.workers), signum)


async def kill(world: World) -> None:
    """`kill -9`."""
    await strike_workers(world, signal.SIGKILL, KILLS)


async def stop(world: World) -> None:
    """SIGTERM."""
    await strike_workers(world, signal.SIGTERM, STOPS)


async def kill_all(world: World) -> None:
    """Every worker at once, in the middle of what it holds."""
    await world.until_taken(0.3)
    async with world.broken("kill -9 of all"):
        for worker in world.workers:
            world.send(worker, signal.SIGKILL)


SCENARIOS: Final = (
    Scenario(
        "kill-9",
        1,
        f"kill -9 of a worker at a random moment, {KILLS} times",
        kill,
        environment=SMALL,
        pace=0.05,
    ),
    Scenario("kill-all", 1, "kill -9 of all workers at once, the settings as they come", kill_all),
    Scenario(
        "sigterm",
        1,
        f"SIGTERM of a worker at a random moment, {STOPS} times",
        stop,
        environment=SMALL,
        pace=0.05,
    ),
)
