"""5: a vendor's drop that is gone, full, slow, or answers twice; and two who close one batch."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil

from chaos.scenario import Scenario
from chaos.world import World
from engine.migrations.grants import OPERATOR
from engine.stack.vendor import vendor_root

_DEATHS: Final = 10
_FULL_SECONDS: Final = 10.0
_BLOCK: Final = 4096
_SLOW_SECONDS: Final = 15.0
_CLOSERS: Final = 2


def _begun(world: World) -> Callable[[], bool]:
    """Whether something of ours has reached the vendor."""
    drop = vendor_root(world.settings.data_dir) / "to-vendor"
    return lambda: any(drop.iterdir())


async def gone(world: World) -> None:
    """The vendor's server dies in the middle of what it is given, and again when it is back."""
    await world.until(_begun(world))
    async with world.broken("the vendor's drop gone"):
        for _ in range(_DEATHS):
            world.send(world.vendor, signal.SIGKILL)
            await asyncio.sleep(1)


async def slow(world: World) -> None:
    """The vendor's server stands still in the middle of what it is given, and goes on."""
    await world.until(_begun(world))
    async with world.broken(f"the vendor's drop still for {_SLOW_SECONDS:.0f} s"):
        world.send(world.vendor, signal.SIGSTOP)
        await asyncio.sleep(_SLOW_SECONDS)
        world.send(world.vendor, signal.SIGCONT)


async def full(world: World) -> None:
    """The vendor's server can write no file to its end: each stops at its first block."""
    assert world.vendor.popen is not None  # noqa: S101  the world has started it
    server = psutil.Process(world.vendor.popen.pid)
    before = server.rlimit(psutil.RLIMIT_FSIZE)
    server.rlimit(psutil.RLIMIT_FSIZE, (_BLOCK, before[1]))
    await world.until(_begun(world))
    async with world.broken("the vendor's drop full"):
        await asyncio.sleep(_FULL_SECONDS)
        server.rlimit(psutil.RLIMIT_FSIZE, before)


async def twice(world: World) -> None:
    """Every answer comes again, the same under the same name, as soon as it was taken in."""
    taken = world.settings.data_dir / "print" / "incoming"
    drop = vendor_root(world.settings.data_dir) / "from-vendor"
    again: set[str] = set()

    def put_back() -> bool:
        for path in sorted(taken.glob("ccss_*.pgp")):
            if path.name not in again and not (drop / path.name).exists():
                part = drop / f".{path.name}.part"
                shutil.copy(path, part)
                part.rename(drop / path.name)
                again.add(path.name)
        return any(".final." in name for name in again)

    await world.until(put_back, 240)
    world.notes.append(f"{len(again)} answer(s) came twice")


async def closers(world: World) -> None:
    """Two more processes close the same batch at the same moment."""
    closing = [await _close(world, number) for number in range(1, _CLOSERS + 1)]
    await asyncio.gather(*(process.wait() for process in closing))
    names = await world.fetch("SELECT name FROM print_batch WHERE name IS NOT NULL")
    world.notes.append(f"{_CLOSERS + 1} closed at once: {len(names)} batch(es)")


async def _close(world: World, number: int) -> asyncio.subprocess.Process:
    log = world.supervisor.logs / f"closer-{number}.log"
    with Path.open(log, "wb") as output:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "ignore", "-m", "engine.cli", "batch", "close"),
            env={**os.environ, **world.supervisor.environment, **world.as_role(OPERATOR)},
            stdout=output,
            stderr=output,
        )


SCENARIOS: Final = (
    Scenario("drop-gone", 5, "the vendor's drop gone", printing=gone),
    Scenario("drop-full", 5, "the vendor's drop full", printing=full),
    Scenario("drop-slow", 5, "the vendor's drop slow", printing=slow),
    Scenario("vendor-twice", 5, "the vendor answers twice", printing=twice),
    Scenario("two-closers", 5, "two more close the batch at once", printing=closers),
)
