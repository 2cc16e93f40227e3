"""The book of alarms: the one place where they are raised and cleared."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.alarms.kinds import KINDS, Alarm, Finder, found_by
from engine.database import driver_connection

log: Final = structlog.get_logger()

# Two who look at the same time raise nothing twice, and neither clears what the other raised.
_ALONE: Final = "SELECT pg_advisory_xact_lock(hashtextextended('alarms', 0))"
_STANDING: Final = """
SELECT id, kind, subject, detail, raised_at FROM alarm
WHERE cleared_at IS NULL AND kind = ANY($1::text[]) ORDER BY raised_at, id
"""
_ALL: Final = """
SELECT id, kind, subject, detail, raised_at FROM alarm
WHERE cleared_at IS NULL ORDER BY raised_at, id
"""
_RAISE: Final = """
INSERT INTO alarm (kind, subject, detail, raised_at)
SELECT kind, subject, detail, $4
FROM unnest($1::text[], $2::text[], $3::text[]) AS raised (kind, subject, detail)
"""
_SAY: Final = """
UPDATE alarm SET detail = said.detail
FROM unnest($1::bigint[], $2::text[]) AS said (id, detail) WHERE alarm.id = said.id
"""
_CLEAR: Final = "UPDATE alarm SET cleared_at = $2 WHERE id = ANY($1::bigint[])"


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """An alarm that stands, and since when."""

    id: int
    kind: str
    subject: str
    detail: str
    raised_at: datetime


async def keep(
    connection: AsyncConnection,
    finder: Finder,
    found: Sequence[Alarm],
    now: datetime,
    undecided: Collection[str] = (),
) -> None:
    """Raise what `finder` found and did not stand, and clear what stood and was not found.

    Of the subjects that are `undecided` nothing is cleared: nobody knows better. What is new is
    logged as an error, once.
    """
    driver = await driver_connection(connection)
    await driver.execute(_ALONE)
    rows = await driver.fetch(_STANDING, found_by(finder))
    standing = {(row["kind"], row["subject"]): row for row in rows}
    now_found = {(alarm.kind, alarm.subject): alarm for alarm in found}
    await _raise(driver, [now_found[key] for key in now_found if key not in standing], now)
    said = [
        (standing[key]["id"], alarm.detail)
        for key, alarm in now_found.items()
        if key in standing and standing[key]["detail"] != alarm.detail
    ]
    await driver.execute(_SAY, [id_ for id_, _ in said], [detail for _, detail in said])
    over = [
        row
        for key, row in standing.items()
        if key not in now_found and row["subject"] not in undecided
    ]
    await driver.execute(_CLEAR, [row["id"] for row in over], now)
    for row in over:
        log.info("alarm_cleared", alarm=row["id"], kind=row["kind"])


async def _raise(driver: Any, new: Sequence[Alarm], now: datetime) -> None:
    await driver.execute(
        _RAISE,
        [alarm.kind for alarm in new],
        [alarm.subject for alarm in new],
        [alarm.detail for alarm in new],
        now,
    )
    for alarm in new:
        # A vendor's own words may name a person: `connect alarms` has them, no log does.
        ours = {} if KINDS[alarm.kind].quotes else {"subject": alarm.subject, "why": alarm.detail}
        log.error("alarm_raised", kind=alarm.kind, **ours)


@dataclass(frozen=True, slots=True)
class AlarmBook:
    """Reads what stands."""

    engine: AsyncEngine

    async def standing(self, finder: Finder | None = None) -> list[StandingAlarm]:
        """The alarms that stand, of one finder or of all, by when they were raised."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            if finder is None:
                rows = await driver.fetch(_ALL)
            else:
                rows = await driver.fetch(_STANDING, found_by(finder))
        return [StandingAlarm(**dict(row)) for row in rows]
