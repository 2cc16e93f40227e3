"""What became of the print batches of a run at the vendor: figures for a page, read from the
database."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, get_args

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.alarms.book import StandingAlarm
from engine.alarms.kinds import Finder
from engine.bootstrap import Application
from engine.communications.held import Held
from engine.database import driver_connection
from engine.mail.overview import Detail
from engine.mail.vendor.answers import Status

_PROGRESS: Final = """
SELECT count(*) AS pieces,
       count(*) FILTER (
           WHERE print_piece.status IN ('mailed', 'returned', 'rejected', 'cancelled')
       ) AS ended,
       (SELECT count(*) FROM print_batch
        WHERE name IS NOT NULL AND NOT EXISTS (
            SELECT FROM print_answer WHERE batch_id = print_batch.id AND kind = 'final'
              AND content->>'destroyed_at' IS NOT NULL)) AS unfinished,
       (SELECT count(*) FROM print_answer
        WHERE kind = 'ack' AND content->>'result' = 'rejected') AS refused
FROM print_piece WHERE seq IS NOT NULL
"""
_STATUSES: Final = """
SELECT piece_event.status, count(*) AS events, count(DISTINCT piece) AS pieces
FROM piece_event JOIN print_piece ON print_piece.id = piece
WHERE batch_id = $1 GROUP BY piece_event.status
"""
_EVENTFUL: Final = """
SELECT seq FROM piece_event JOIN print_piece ON print_piece.id = piece
WHERE batch_id = $1 GROUP BY seq
ORDER BY bool_or(piece_event.status = 'spoiled') DESC, count(*) DESC, seq LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many pieces there are in closed batches, and of how many nothing more is to come;
    `unfinished` batches still have data at the vendor, `refused` ones it will not print."""

    pieces: int
    ended: int
    unfinished: int
    refused: int


@dataclass(frozen=True, slots=True)
class Told:
    """How often the vendor said one status word, and of how many pieces."""

    status: str
    events: int
    pieces: int


@dataclass(frozen=True, slots=True)
class Sample:
    """The route of one piece, stop by stop."""

    seq: int
    stops: Sequence[Any]


@dataclass(frozen=True, slots=True)
class BatchAtVendor:
    """One batch: what was sent and what came back, every word of the contract, and a sample."""

    detail: Detail
    told: tuple[Told, ...]
    sample: Sample | None


@dataclass(frozen=True, slots=True)
class HeldFor:
    """So many tasks of one desk for one reason; `due_by` is the soonest deadline of them."""

    reason: str
    channel: str
    given_to: str
    count: int
    due_by: date


@dataclass(frozen=True, slots=True)
class PrintRun:
    """All batches, what a person must look at, and what waits for a person."""

    batches: tuple[BatchAtVendor, ...]
    alarms: tuple[StandingAlarm, ...]
    held: tuple[HeldFor, ...]

    @property
    def faults(self) -> list[str]:
        """What does not add up; empty after a good run."""
        disagreements = [
            f"{batch.detail.standing.name}: {said}"
            for batch in self.batches
            if batch.detail.reconciliation is not None
            for said in batch.detail.reconciliation.disagreements
        ]
        return disagreements + [f"{alarm.kind} {alarm.subject}" for alarm in self.alarms]


async def progress(engine: AsyncEngine) -> Progress:
    """How far the vendor is."""
    async with engine.connect() as connection:
        driver = await driver_connection(connection)
        return Progress(**dict(await driver.fetchrow(_PROGRESS)))


async def print_run(application: Application, names: Sequence[str]) -> PrintRun:
    """What became of the batches of these names."""
    await application.drop_alarms.look()
    return PrintRun(
        batches=tuple([await _batch(application, name) for name in names]),
        alarms=tuple(await application.alarms.standing(Finder.PRINT_DROP)),
        held=held_by_desk(await application.held.tasks()),
    )


def held_by_desk(tasks: Sequence[Held]) -> tuple[HeldFor, ...]:
    """The tasks, counted by why they wait and whose they are, in the order of the alphabet."""
    heaps: Counter[tuple[str, str, str]] = Counter()
    due: dict[tuple[str, str, str], date] = {}
    for task in tasks:
        heap = (task.reason or "", task.channel, task.given_to or "")
        heaps[heap] += 1
        due[heap] = min(task.due_by, due.get(heap, task.due_by))
    return tuple(HeldFor(*heap, heaps[heap], due[heap]) for heap in sorted(heaps))


async def _batch(application: Application, name: str) -> BatchAtVendor:
    detail = await application.overview.batch(name)
    async with application.engine.connect() as connection:
        counts = await _counts(connection, detail.standing.id)
        driver = await driver_connection(connection)
        seq = await driver.fetchval(_EVENTFUL, detail.standing.id)
    stops = await application.overview.route(name, str(seq)) if seq is not None else ()
    return BatchAtVendor(
        detail=detail,
        told=tuple(Told(word, *counts.get(word, (0, 0))) for word in get_args(Status)),
        sample=None if seq is None else Sample(seq, stops),
    )


async def _counts(connection: AsyncConnection, batch_id: int) -> Mapping[str, tuple[int, int]]:
    driver = await driver_connection(connection)
    rows = await driver.fetch(_STATUSES, batch_id)
    return {row["status"]: (row["events"], row["pieces"]) for row in rows}
