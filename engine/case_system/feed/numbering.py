"""Numbering the feed: every event that was committed gets its place, once, and never one before a
place that was given out.

Ids are taken when a row is written, and rows are seen when their transaction commits: a reader that
remembers the last id misses what a slower transaction wrote under a lower one. So nobody reads by
id. One process at a time takes what is committed in PostgreSQL's present snapshot and was not in
the one that was numbered last, and appends it (docs/decisions/0046-the-feed-is-numbered.md).
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.clock import Clock
from engine.communications.models import LOUD
from engine.database import driver_connection

log: Final = structlog.get_logger()

_ALONE: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended('feed numbered', 0))"
# PostgreSQL's identifier of a server and what was copied from it byte by byte; a dump that is
# loaded elsewhere comes to a server that counts its transactions anew.
_HERE: Final = "SELECT system_identifier FROM pg_control_system()"
# A head of nothing: whatever was written since events know their transaction is numbered first.
_BEGIN: Final = """
INSERT INTO feed_head (position, snapshot, cluster) VALUES (0, '1:1:', $1) ON CONFLICT DO NOTHING
"""
_HEAD: Final = """
SELECT position, snapshot, cluster, delivery_events_after, communication_events_after
FROM feed_head
"""
_SINCE: Final = "(xact >= $5::bigint OR xact = ANY($6::bigint[]))"
"""Not committed in a snapshot: begun after it, or under way in it."""
# On another server: whatever is younger than the oldest that is kept, and has no place.
_UNPLACED: Final = """
(xact IS NOT NULL
 AND {table}.id > coalesce((SELECT min({table}_id) FROM feed_event),
                           (SELECT max(id) FROM {table}))
 AND NOT EXISTS (SELECT FROM feed_event WHERE {table}_id = {table}.id))
"""
# One delivery's events are written under its lock, so their ids have their order; whoever commits
# before another begins to write is in the same snapshot, or in an earlier one.
_NUMBER: Final = f"""
WITH fresh AS (
    SELECT 0 AS source, delivery_event.id, communication_id
    FROM delivery_event JOIN delivery ON delivery.id = delivery_id
    WHERE {LOUD} AND delivery_event.id > $3 AND {{deliveries}}
    UNION ALL
    SELECT 1, id, communication_id FROM communication_event WHERE id > $4 AND {{promises}}
), numbered AS (
    INSERT INTO feed_event (position, at, communication_id, notice, communication_state,
                            delivery_event_id, communication_event_id)
    SELECT $1 + row_number() OVER (ORDER BY source, fresh.id), $2, communication.id, notice, state,
           CASE source WHEN 0 THEN fresh.id END, CASE source WHEN 1 THEN fresh.id END
    FROM fresh JOIN communication ON communication.id = communication_id
    RETURNING 1
)
UPDATE feed_head SET position = $1 + (SELECT count(*) FROM numbered),
       snapshot = pg_current_snapshot()::text, numbered_at = $2
RETURNING position
"""  # noqa: S608  joined from constants of ours
_USUAL: Final = _NUMBER.format(deliveries=_SINCE, promises=_SINCE)
_ELSEWHERE: Final = _NUMBER.format(
    deliveries=_UNPLACED.format(table="delivery_event"),
    promises=_UNPLACED.format(table="communication_event"),
)
# What came along has numbers of transactions that this server has yet to give out.
_SETTLE: Final = """
UPDATE feed_head SET cluster = $1,
    delivery_events_after = coalesce((SELECT max(id) FROM delivery_event WHERE xact >= $2), 0),
    communication_events_after =
        coalesce((SELECT max(id) FROM communication_event WHERE xact >= $2), 0)
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which transactions had committed: all below `xmax` but those of `under_way`."""

    xmax: int
    under_way: tuple[int, ...]

    @classmethod
    def of(cls, written: str) -> Self:
        """What PostgreSQL writes as `xmin:xmax:xip,…`."""
        _, xmax, under_way = written.split(":")
        return cls(int(xmax), tuple(map(int, filter(None, under_way.split(",")))))


@dataclass(frozen=True, slots=True)
class Numbering:
    """Appends to the feed."""

    engine: AsyncEngine
    clock: Clock

    async def run(self) -> int:
        """Number what was committed since; how many. Nothing while another process does it."""
        async with self.engine.begin() as connection:
            # What is looked for lies beyond what statistics know: planned for any, it reads all.
            await connection.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
            driver = await driver_connection(connection)
            if not await driver.fetchval(_ALONE):
                return 0
            here = await driver.fetchval(_HERE)
            head = await driver.fetchrow(_HEAD)
            if head is None:
                await driver.execute(_BEGIN, here)
                head = await driver.fetchrow(_HEAD)
            return await self._append(driver, head, here)

    async def _append(self, driver: Any, head: Any, here: int) -> int:
        before = Snapshot.of(head["snapshot"])
        moved = head["cluster"] != here
        position: int = await driver.fetchval(
            _ELSEWHERE if moved else _USUAL,
            head["position"],
            self.clock(),
            head["delivery_events_after"],
            head["communication_events_after"],
            *(() if moved else (before.xmax, before.under_way)),
        )
        if moved:
            now = Snapshot.of(await driver.fetchval("SELECT snapshot FROM feed_head"))
            await driver.execute(_SETTLE, here, now.xmax)
            log.warning("feed_moved", numbered=position - head["position"])
        return position - int(head["position"])
