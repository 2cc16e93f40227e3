"""9: a database restored from a backup, under workers that nobody has stopped."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.engine import make_url

from chaos.accounting import KNOWN
from chaos.running import close
from chaos.scenario import Scenario
from chaos.world import World
from engine.database import libpq_url
from engine.errors import ConnectError
from engine.stack.embedded import postgres_program

_SLOW_SECONDS: Final = 2.0
_STANDS_STILL_SECONDS: Final = 1.0
_HELD: Final = "SELECT id FROM delivery WHERE state = 'sending'"
_UNDER_WATCH_SECONDS: Final = 12.0
"""For so long the workers have the restored database before anybody recovers it."""


async def restore(world: World) -> None:
    """Backed up in the middle of the work, a batch handed over, the database lost and restored;
    then `connect recover`, from the mail server's log, the rosters and the vendor's files."""
    await world.until_taken(0.1)
    backup = world.settings.data_dir / "last-night.dump"
    await _program("pg_dump", "--format=custom", "--file", str(backup), _url(world))
    await world.until_taken(0.4)
    # A batch takes its time: not all of the mail may be gone before it is handed over.
    usual, world.mail.pace = world.mail.pace, _SLOW_SECONDS
    await close(world)
    await _exchange(world)
    world.mail.pace = usual
    await world.until_taken(0.5)
    async with world.broken("restored from a backup, recovered"):
        # They stand still for the moment itself, so that nobody claims between a look and the loss.
        _tell_workers(world, signal.SIGSTOP)
        await asyncio.sleep(_STANDS_STILL_SECONDS)
        held = {row["id"] for row in await world.fetch(_HELD)}
        world.lost_events += await world.fetch(KNOWN)
        await world.ground.recreate(_name(world))
        await _program("pg_restore", "--dbname", _url(world), str(backup))
        before = _copies(world)
        _tell_workers(world, signal.SIGCONT)
        await asyncio.sleep(_UNDER_WATCH_SECONDS)
        # What a worker held by a lease of the database that was lost, it may hand over to its end.
        sent = [key for key in (_copies(world) - before).elements() if key not in held]
        if sent:
            world.faults.append(
                f"sent from a restored database before it was recovered: {len(sent)}"
            )
        world.notes += await _recover(world)


def _tell_workers(world: World, what: signal.Signals) -> None:
    for worker in world.workers:
        world.send(worker, what)


def _copies(world: World) -> Counter[int | None]:
    """How many copies the mail server has of each delivery's email."""
    named = world.application.returns.addressing.delivery_of_message_id
    return Counter({named(name): len(copies) for name, copies in world.mail.copies.items()})


async def _exchange(world: World) -> None:
    """The vendor takes the batch in and answers; it may not come to the end of it."""
    for _ in range(20):
        await world.application.handover.run()
        await world.application.pickup.run()
        await asyncio.sleep(0.2)


async def _recover(world: World) -> list[str]:
    """`connect recover`, as an operator would call it; what it printed."""
    log = world.settings.data_dir / "mail-server.jsonl"
    with log.open("w", encoding="utf-8") as lines:
        for name, copies in world.mail.copies.items():
            at = datetime.fromtimestamp(copies[-1].begun, UTC).isoformat()
            lines.write(json.dumps({"message_id": name, "at": at}) + "\n")
    bounces = world.supervisor.logs / "bounces.log"
    logs = [f"--smtp-log={path}" for path in (log, bounces) if path.stat().st_size]
    done = await asyncio.to_thread(
        _run,
        *(sys.executable, "-W", "ignore", "-m", "engine.cli", "recover", *logs),
        *("--by=chaos", "--why=a disk was lost"),
        environment=world.supervisor.environment,
    )
    if done.returncode:
        raise ConnectError(f"connect recover: {done.stderr[-2000:]}{done.stdout[-2000:]}")
    return [line for line in done.stdout.splitlines() if line.strip() and " 0  " not in line]


async def _program(name: str, *arguments: str) -> None:
    """A program of PostgreSQL's, as it came with the server."""
    done = await asyncio.to_thread(_run, str(postgres_program(name)), *arguments)
    if done.returncode:
        raise ConnectError(f"{name}: {done.stderr[-2000:]}")


def _run(
    *command: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  our own command, and PostgreSQL's
        command,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def _url(world: World) -> str:
    assert world.settings.database_url is not None  # noqa: S101  every world has one
    return libpq_url(world.settings.database_url.get_secret_value())


def _name(world: World) -> str:
    return str(make_url(_url(world)).database)


SCENARIOS: Final = (
    Scenario(
        "restored",
        9,
        "restored from a backup under running workers, and recovered",
        restore,
        pace=0.02,
        alone=True,
    ),
)
