"""One run: the work is owed, things break while it is done, and then every communication is
accounted for."""

import asyncio
import time
from dataclasses import dataclass
from random import Random
from typing import Final

from rich.progress import Progress

from chaos.accounting import Account, account
from chaos.ground import Ground
from chaos.pulse import Beat, Span
from chaos.scenario import Scenario
from chaos.world import WORKERS, World, open_world
from engine.errors import ConnectError
from engine.mail.batches import BatchBusyError

RECOVERY_SECONDS: Final = 60.0
"""So soon after a fault has ended the next outcome is promised."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one scenario. Seconds are by the machine's clock."""

    scenario: Scenario
    account: Account
    spans: tuple[Span, ...]
    beats: tuple[Beat, ...]
    recovery: float | None
    seconds: float
    notes: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def stands(self) -> bool:
        """Whether every promise was kept."""
        return not self.faults


async def run(
    ground: Ground, scenario: Scenario, communications: int, random: Random, bar: Progress
) -> Result:
    """Run one scenario in a world of its own."""
    began = time.monotonic()
    step = bar.add_task(f"{scenario.name}: {scenario.title}", total=None)
    async with open_world(ground, scenario, communications, random, bar) as world:
        await world.owe()
        for _ in range(WORKERS):
            await world.start_worker()
        await scenario.delivering(world)
        broken = await _finish(world, scenario)
        found = await account(world)
        special = await scenario.also(world) if scenario.also else []
        pulse = world.pulse
    bar.remove_task(step)
    said = (*world.faults, *special, *broken)
    faults = (*found.faults, *said, *_late(pulse.spans, pulse.slowest))
    return Result(
        scenario=scenario,
        account=found,
        spans=tuple(pulse.spans),
        beats=tuple(pulse.beats),
        recovery=pulse.slowest,
        seconds=time.monotonic() - began,
        notes=tuple(world.notes),
        faults=faults,
    )


async def _finish(world: World, scenario: Scenario) -> list[str]:
    """Let the work go on to its end: sent, printed, mailed; what kept it from that."""
    watch = world.watch()
    try:
        await watch.until_settled("delivering")
        world.clock.put_right()
        world.pulse.moving = ("owed", "sending", "batched", "handed_over")
        printing = asyncio.create_task(scenario.printing(world))
        await close(world)
        await watch.until_mailed()
        await printing
        # What was put into the drop since is picked up as well.
        await watch.until_mailed()
        await watch.until_settled("going on with what came back")
    except ConnectError as error:
        return [f"it did not come to its end: {error}"]
    return []


async def close(world: World) -> None:
    """Close the day's batch, however often that takes."""
    while True:
        try:
            await world.application.batches.close()
        except BatchBusyError:
            await asyncio.sleep(0.2)
        else:
            return


def _late(spans: list[Span], slowest: float | None) -> list[str]:
    if not any(span.left for span in spans) and spans:
        return ["nothing was left to do when it was mended: that proves nothing"]
    if slowest is not None and slowest > RECOVERY_SECONDS:
        return [f"recovery began after {slowest:.0f} s"]
    return []
