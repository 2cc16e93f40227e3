"""8: the version before this schema at work beside this one, on one migrated database."""

import asyncio
import io
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from chaos.scenario import Scenario
from chaos.world import World
from engine.errors import ConnectError
from engine.migrations.grants import WORKER
from engine.migrations.phases import VERSIONS, oldest_at_work
from engine.stack.supervisor import Process

_ROOT: Final = Path(__file__).parents[2]
_SLOW: Final = 1.0
_PACE: Final = 0.02
_PACKED: Final = ("engine", "jobs", "templates", "locales", "docs/print-batch-contract")


async def both(world: World) -> None:
    """Workers of both versions share the work, slow enough at first that the old ones have some of
    it; then they are stopped, in order."""
    revision = await asyncio.to_thread(_before_the_newest_migration)
    tree = world.settings.data_dir / "version-before"
    await asyncio.to_thread(_unpack, revision, tree)
    await world.until_taken(0.1)
    async with world.broken(f"the version of {revision} at work beside this one"):
        old = [_start(world, tree, number) for number in (1, 2)]
        logs = [world.supervisor.logs / f"{process.name}.log" for process in old]
        await world.until(lambda: all(map(_worked, logs)) or not world.left)
        world.mail.pace = _PACE
        await world.until_taken(0.7)
        for process in old:
            await asyncio.to_thread(_stop, world, process)
    lines = [line for log in logs for line in log.read_text().splitlines()]
    worked = sum(map(_worked, logs))
    world.notes.append(f"beside {revision}, whose workers wrote {worked} line(s) of sent email")
    if not worked:
        world.faults.append(f"the workers of {revision} did nothing: see {logs[0]}")
    failed = [line for line in lines if '"process_failed"' in line]
    if failed:
        world.faults.append(f"a worker of {revision} failed: {failed[0][:300]}")


def _before_the_newest_migration() -> str:
    """The revision at which the newest migration was not there yet, or, where that one could not
    read what this one writes, the first that could."""
    newest, oldest = max(VERSIONS.glob("[0-9]*.py")), oldest_at_work()
    if newest == oldest:
        return _added(oldest)
    return _git("rev-parse", "--short", f"{_added(newest)}~1")


def _added(migration: Path) -> str:
    """The revision that brought a migration."""
    path = str(migration.relative_to(_ROOT))
    return _git("log", "--diff-filter=A", "-1", "--format=%h", "--", path)


def _unpack(revision: str, tree: Path) -> None:
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    packed = _said_by_git("archive", revision, *_PACKED)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(tree, filter="data")


def _git(*arguments: str) -> str:
    return _said_by_git(*arguments).decode().strip()


def _said_by_git(*arguments: str) -> bytes:
    done = subprocess.run(  # noqa: S603  written out above
        ["git", *arguments],  # noqa: S607
        cwd=_ROOT,
        capture_output=True,
        check=False,
    )
    if done.returncode or not done.stdout:
        why = done.stderr.decode(errors="replace")[:300]
        raise ConnectError(f"the version before is read from git, which says: {why}")
    return done.stdout


def _worked(log: Path) -> int:
    """How many lines of a worker's log tell of email that it sent."""
    lines = log.read_text().splitlines()
    return sum('"emails_attempted"' in line or '"email_attempted"' in line for line in lines)


def _start(world: World, tree: Path, number: int) -> Process:
    """A worker of the other tree's code; ours is kept off its path."""
    return world.supervisor.start(
        f"old-worker-{number}",
        *("-m", "jobs"),
        environment={
            **world.as_role(WORKER),
            "PYTHONPATH": str(tree),
            "PYTHONSAFEPATH": "1",
        },
    )


def _stop(world: World, process: Process) -> None:
    """Stopped by its operator, and not brought back."""
    world.supervisor.processes.remove(process)
    if process.popen is not None:
        process.popen.terminate()
        process.popen.wait(timeout=20)


SCENARIOS: Final = (
    Scenario(
        "two-versions",
        8,
        "the version before the newest migration at work beside this one",
        both,
        environment={"CHUNK": "20"},
        pace=_SLOW,
        alone=True,
    ),
)
