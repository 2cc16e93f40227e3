"""Watches the days that obligations are due by: calls out what is at risk while there is time, and
writes down what was breached."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.alarms.book import keep
from engine.alarms.kinds import Alarm, Finder, counted
from engine.calendar.business_days import add_business_days, next_business_day
from engine.clock import Clock, pacific_date
from engine.database import driver_connection

log: Final = structlog.get_logger()

HELD_DAYS: Final = 2
"""Business days within which a person should see to what is held."""
PRINT_DAYS: Final = 3
"""Business days that are left when a letter that is not yet handed over to print is at risk."""
POST_DAYS: Final = 2
"""Likewise for one that the vendor has, and has not mailed."""
_LATE_TODAY: Final = timedelta(hours=1)
_LATE_TOMORROW: Final = timedelta(hours=4)

# Of several channels that meet an obligation together, the one that is still wanting counts.
_CARRYING: Final = """
communication JOIN delivery ON communication_id = communication.id
     AND delivery.step = communication.step AND meets_obligation
     AND delivery.state NOT IN ('sent', 'mailed', 'cancelled')
"""
_AT_RISK: Final = f"""
SELECT DISTINCT ON (communication.due_by, communication.id)
       communication.id, notice, channel, communication.step, communication.due_by, given_to,
       CASE WHEN communication.state = 'held' THEN 'held: ' || coalesce(reason, 'no channel left')
            WHEN delivery.state = 'handed_over' THEN 'not mailed yet'
            WHEN channel = 'mail' THEN 'not handed over to print yet'
            WHEN reason IS NOT NULL THEN 'not sent: ' || reason
            ELSE 'not sent yet' END AS why
FROM {_CARRYING}
WHERE communication.state IN ('owed', 'held') AND communication.due_by >= $1
      AND communication.due_by <= $4
      AND CASE
          WHEN communication.state = 'held' THEN communication.due_by <= $3
          WHEN delivery.state = 'handed_over' THEN communication.due_by <= $5
          WHEN channel = 'mail' THEN communication.due_by <= $4
          ELSE communication.due_by <= $1 AND created_at < $6
               OR communication.due_by <= $2 AND created_at < $7
          END
ORDER BY communication.due_by, communication.id
"""  # noqa: S608  joined from constants of this module
_RAISE: Final = """
INSERT INTO communication_event (communication_id, step, event, at, reason)
SELECT id, step, 'at_risk', $4, why
FROM unnest($1::bigint[], $2::int[], $3::text[]) AS raised (id, step, why)
ON CONFLICT (communication_id, step, event) DO NOTHING RETURNING id
"""
_BREACH: Final = """
INSERT INTO communication_event (communication_id, step, event, at)
SELECT id, step, 'breached', $2 FROM communication
WHERE state IN ('owed', 'held') AND due_by < $1
ON CONFLICT (communication_id, step, event) DO NOTHING RETURNING id
"""
_DUE: Final = f"""
SELECT communication.due_by, notice, channel, count(DISTINCT communication.id) AS number,
       count(DISTINCT communication.id) FILTER (WHERE communication.state = 'held') AS held
FROM {_CARRYING}
WHERE communication.state IN ('owed', 'held') AND communication.due_by = ANY($1::date[])
GROUP BY communication.due_by, notice, channel ORDER BY communication.due_by, notice, channel
"""  # noqa: S608  joined from constants of this module
_OVERDUE: Final = f"""
SELECT DISTINCT ON (communication.due_by, communication.id)
       communication.id, notice, channel, communication.step, communication.due_by, given_to,
       coalesce(reason, delivery.state) AS why
FROM {_CARRYING}
WHERE communication.state IN ('owed', 'held') AND communication.due_by < $1
ORDER BY communication.due_by, communication.id
"""  # noqa: S608  joined from constants of this module
_OVERDUE_COUNTED: Final = f"""
SELECT notice, channel, communication.due_by, count(DISTINCT communication.id)::int AS number,
       (array_agg(DISTINCT communication.id ORDER BY communication.id))[1:5] AS first
FROM {_CARRYING}
WHERE communication.state IN ('owed', 'held') AND communication.due_by < $1
GROUP BY notice, channel, communication.due_by
"""  # noqa: S608  joined from constants of this module


@dataclass(frozen=True, slots=True)
class Due:
    """How many are due on one day, of one notice, on the channel that now carries them."""

    day: date
    notice: str
    channel: str
    number: int
    held: int


@dataclass(frozen=True, slots=True)
class Endangered:
    """One obligation whose promise is in danger, or broken, and why; whose task it is, if it is
    anybody's."""

    communication_id: int
    notice: str
    channel: str
    step: int
    due_by: date
    given_to: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is due today and on the next business day, what of it is at risk, and what is overdue
    and still owed."""

    today: date
    tomorrow: date
    due: tuple[Due, ...]
    at_risk: tuple[Endangered, ...]
    overdue: tuple[Endangered, ...]


@dataclass(frozen=True, slots=True)
class Called:
    """How many obligations were called out for the first time."""

    at_risk: int
    breached: int


@dataclass(frozen=True, slots=True)
class DeadlineWatch:
    """Looks, and writes down what it sees; looking again writes nothing twice."""

    engine: AsyncEngine
    clock: Clock

    async def look(self) -> Called:
        """Raise `at_risk` and `breached`, each once for each channel of an obligation; one alarm
        for each notice, channel and day of which any is in danger, or broken and still owed."""
        now = self.clock()
        async with self.engine.begin() as connection:
            endangered = await _at_risk(connection, now)
            driver = await driver_connection(connection)
            raised = await driver.fetch(
                _RAISE,
                [item.communication_id for item in endangered],
                [item.step for item in endangered],
                [item.why for item in endangered],
                now,
            )
            breached = await driver.fetch(_BREACH, pacific_date(now), now)
            overdue = await driver.fetch(_OVERDUE_COUNTED, pacific_date(now))
            await keep(connection, Finder.DEADLINES, _alarms(endangered, overdue), now)
        if raised or breached:
            log.warning("deadlines", at_risk=len(raised), breached=len(breached))
        return Called(len(raised), len(breached))

    async def outlook(self) -> Outlook:
        """How it stands now, whatever was written down before."""
        now = self.clock()
        today = pacific_date(now)
        tomorrow = next_business_day(today)
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            due = await driver.fetch(_DUE, [today, tomorrow])
            overdue = await driver.fetch(_OVERDUE, today)
            at_risk = await _at_risk(connection, now)
        return Outlook(
            today=today,
            tomorrow=tomorrow,
            due=tuple(
                Due(row["due_by"], row["notice"], row["channel"], row["number"], row["held"])
                for row in due
            ),
            at_risk=tuple(at_risk),
            overdue=tuple(map(_endangered, overdue)),
        )


async def _at_risk(connection: AsyncConnection, now: datetime) -> list[Endangered]:
    today = pacific_date(now)
    driver = await driver_connection(connection)
    rows = await driver.fetch(
        _AT_RISK,
        today,
        next_business_day(today),
        add_business_days(today, HELD_DAYS),
        add_business_days(today, PRINT_DAYS),
        add_business_days(today, POST_DAYS),
        now - _LATE_TODAY,
        now - _LATE_TOMORROW,
    )
    return [_endangered(row) for row in rows]


def _alarms(endangered: Sequence[Endangered], overdue: Sequence[Any]) -> list[Alarm]:
    """What was at risk stays so while it is owed: a broken promise is no danger that is over."""
    ids: dict[str, list[int]] = defaultdict(list)
    for item in endangered:
        ids[_subject(item.notice, item.channel, item.due_by)].append(item.communication_id)
    found = [
        Alarm("at_risk", subject, counted("communications", len(those), those[:5]))
        for subject, those in ids.items()
    ]
    for row in overdue:
        subject = _subject(row["notice"], row["channel"], row["due_by"])
        detail = counted("communications", row["number"], row["first"])
        found += [Alarm("at_risk", subject, detail), Alarm("breached", subject, detail)]
    return found


def _subject(notice: str, channel: str, due_by: date) -> str:
    return f"{notice} by {channel}, due {due_by}"


def _endangered(row: Any) -> Endangered:
    return Endangered(
        communication_id=row["id"],
        notice=row["notice"],
        channel=row["channel"],
        step=row["step"],
        due_by=row["due_by"],
        given_to=row["given_to"],
        why=row["why"],
    )
