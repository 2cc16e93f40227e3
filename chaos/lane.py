"""One lane of the suite: a process that runs scenario after scenario on a ground of its own."""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from types import FrameType
from typing import Final, NoReturn

import structlog
from rich.progress import Progress

from chaos.ground import Ground
from chaos.running import run
from chaos.scenario import Scenario
from chaos.scenarios import ALL
from chaos.showing import Told, cut_short, told_of_one
from chaos.together import together
from chaos.work import participants_for
from engine.logs import configure_logs, log_file
from engine.settings import load_settings

log: Final = structlog.get_logger()

_SAY_EVERY_SECONDS: Final = 0.5
_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Asked:
    """What all lanes are asked for."""

    folder: Path
    communications: int
    seed: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a lane is: in what scenario, at what step of it, and at how many of how many."""

    name: str
    step: str = ""
    done: float = 0
    of: float | None = None


def every() -> Mapping[str, Scenario]:
    """All scenarios by name, the one that joins them last."""
    joined = together(ALL)
    return {one.name: one for one in (*ALL, joined)}


def leave_when_told() -> None:
    """Stop what was started, and go; a second signal does not leave half of it running."""
    for signum in _ENDINGS:
        signal.signal(signum, _leave)


def _leave(signum: int, _frame: FrameType | None) -> NoReturn:
    for one in _ENDINGS:
        signal.signal(one, signal.SIG_IGN)
    raise SystemExit(128 + signum)


def work(number: int, asked: Asked, ask: Connection) -> None:
    """Open a ground, and run what is asked for by name until None is; say how far that is, and what
    came of it."""
    leave_when_told()
    folder = asked.folder / f"lane-{number}"
    folder.mkdir(parents=True, exist_ok=True)
    configure_logs(log_file(folder, "chaos"))
    ground = _ready(folder, asked, ask)
    try:
        scenarios = every()
        ask.send(None)
        # Whoever asks may have gone already.
        with suppress(EOFError, BrokenPipeError):
            while name := ask.recv():
                ask.send(_came_of(ground, scenarios[name], asked, ask))
    finally:
        ground.close()


def _ready(folder: Path, asked: Asked, ask: Connection) -> Ground:
    """A ground with the sample in it."""
    ask.send(Standing("making ready"))
    ground = Ground.open(folder.resolve())
    try:
        settings = load_settings(
            data_dir=folder,
            database_url=ground.migrate(participants_for(asked.communications), asked.seed),
            redis_url=ground.redis.url,
            smtp_url="smtp://127.0.0.1:9",
        )
        asyncio.run(ground.fill(settings))
    except BaseException:
        ground.close()
        raise
    return ground


def _came_of(ground: Ground, scenario: Scenario, asked: Asked, ask: Connection) -> Told:
    """What came of one scenario; one that was cut short by a mistake of the suite's own stops none
    of the others."""
    try:
        return asyncio.run(_watched(ground, scenario, asked, ask))
    except Exception as error:
        if signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
            # What failed was the tidying up of somebody who was told to leave.
            raise
        log.exception("scenario_cut_short", name=scenario.name)
        return cut_short(scenario, error)


async def _watched(ground: Ground, scenario: Scenario, asked: Asked, ask: Connection) -> Told:
    bar = Progress(disable=True)
    saying = asyncio.create_task(_say(scenario.name, bar, ask))
    random = Random(f"{asked.seed} {scenario.name}")  # noqa: S311  the same seed breaks the same things
    try:
        return told_of_one(await run(ground, scenario, asked.communications, random, bar))
    finally:
        saying.cancel()


async def _say(name: str, bar: Progress, ask: Connection) -> None:
    while True:
        step = bar.tasks[-1] if bar.tasks else None
        ask.send(
            Standing(name, step.description, step.completed, step.total) if step else Standing(name)
        )
        await asyncio.sleep(_SAY_EVERY_SECONDS)
