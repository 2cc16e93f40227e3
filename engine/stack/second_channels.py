"""What a run shows of failover: whose first channel failed, and how the next one did."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.database import driver_connection
from engine.stack.tally import Row

_MOVED: Final = """
SELECT notice, first.reason AS cause, first.channel AS first, next.channel AS second,
       count(*) AS number,
       count(*) FILTER (WHERE EXISTS (
           SELECT FROM communication_event WHERE communication_id = communication.id
           AND communication_event.step = first.step AND event = 'promise_missed'
       )) AS missed,
       count(*) FILTER (WHERE communication.state = 'met') AS met,
       count(*) FILTER (
           WHERE communication.state = 'met'
             AND (met_at AT TIME ZONE 'America/Los_Angeles')::date <= communication.due_by
       ) AS in_time,
       count(*) FILTER (WHERE communication.state = 'held') AS held,
       min(communication.due_by) AS first_due, max(communication.due_by) AS last_due
FROM communication
JOIN delivery AS first ON first.communication_id = communication.id
     AND first.step = communication.step - 1 AND first.state IN ('failed', 'returned')
JOIN delivery AS next ON next.communication_id = communication.id
     AND next.step = communication.step AND next.meets_obligation
GROUP BY 1, 2, 3, 4 ORDER BY 1, 3, 4, 2
"""


@dataclass(frozen=True, slots=True)
class Moved:
    """Obligations of one notice that went from one channel to another, for one cause. Those `met`
    were met on the second channel; `in_time` of them by the day that channel had promised."""

    notice: str
    cause: str
    first: str
    second: str
    number: int
    missed: int
    met: int
    in_time: int
    held: int
    due: str


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a bar: what it stands for, how many, and its width in per cent of the bar."""

    name: str
    number: int
    percent: float


@dataclass(frozen=True, slots=True)
class Bar:
    """What became of the promises of one notice on one channel."""

    notice: str
    channel: str
    number: int
    shares: tuple[Share, ...]


async def moved(engine: AsyncEngine) -> list[Moved]:
    """Every move, by notice, channels and cause."""
    async with engine.connect() as connection:
        driver = await driver_connection(connection)
        return [_moved(row) for row in await driver.fetch(_MOVED)]


def bars(rows: Iterable[Row]) -> list[Bar]:
    """Promise and performance: both languages of each notice and channel together."""
    together: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        together.setdefault((row.notice, row.channel), []).append(row)
    return [_bar(notice, channel, group) for (notice, channel), group in together.items()]


def _moved(row: Any) -> Moved:
    first, last = row["first_due"], row["last_due"]
    return Moved(
        notice=row["notice"],
        cause=row["cause"] or "",
        first=row["first"],
        second=row["second"],
        number=row["number"],
        missed=row["missed"],
        met=row["met"],
        in_time=row["in_time"],
        held=row["held"],
        due=str(first) if first == last else f"{first} … {last}",
    )


def _bar(notice: str, channel: str, rows: Sequence[Row]) -> Bar:
    number = sum(row.deliveries for row in rows)
    met, in_time = sum(row.met for row in rows), sum(row.in_time for row in rows)
    parts = {
        "in time": in_time,
        "late": met - in_time,
        "next channel": sum(row.failed for row in rows),
        "held": sum(row.held for row in rows),
        "superseded": sum(row.cancelled for row in rows),
    }
    shares = [Share(name, count, 100 * count / number) for name, count in parts.items() if count]
    return Bar(notice, channel, number, tuple(shares))
