"""The sweep: ring again for what is owed and due. It is what lets Redis forget everything."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.communications.catalogue import Urgency
from engine.communications.doorbell import QUEUES, Doorbell
from engine.communications.owed import Owed
from engine.database import driver_connection

MOST_AT_ONCE: Final = 50_000
"""One sweep rings for this many of a queue at the most; the next goes on."""

BULK_JOBS: Final = 200
"""No more bulk jobs than this wait at a time by a sweep's doing, however much is owed."""

LOW: Final = 50
"""With no more bulk jobs than this, whoever works through them rings for the next."""

SILENCE: Final = timedelta(seconds=40)
"""What was not rung for within so long is rung for again. With a sweep every quarter of a minute,
and a lease that ends as soon, what a dead worker or a lost doorbell leaves is begun within one."""

# What was rung for least lately comes first: its job, if there was one, is furthest from waiting.
# Whatever is locked is being worked on at this moment, and is not waited for: a sweep locks many,
# in another order than those who record outcomes. While a campaign is sent, nearly all that is
# unfinished was rung for lately: what was not is found first, and only that is looked into.
_DUE: Final = """
WITH silent AS MATERIALIZED (
    SELECT id, communication_id, rung_at, due_by FROM delivery
    WHERE final_at IS NULL AND rung_at < clock_timestamp() - $3::interval
      AND (state = 'owed' AND next_attempt_at <= clock_timestamp()
           OR state = 'sending' AND leased_until < clock_timestamp())
), due AS (
    SELECT delivery.id
    FROM silent JOIN delivery ON delivery.id = silent.id AND delivery.rung_at = silent.rung_at
    JOIN communication ON communication.id = silent.communication_id
    LEFT JOIN campaign ON campaign.id = campaign_id
    WHERE urgency = $1 AND (campaign_id IS NULL OR campaign.state = 'running')
    ORDER BY silent.rung_at, silent.due_by, silent.id LIMIT $2
    FOR UPDATE OF delivery SKIP LOCKED
)
UPDATE delivery SET rung_at = clock_timestamp()
FROM due WHERE delivery.id = due.id
RETURNING delivery.id
"""


# Rung for in what is now the future: the clock of the database was put back since. What was due by
# the old time is due by the new; a second makes up for rows of one moment that were written apart.
_PUT_BACK: Final = """
WITH ahead AS (
    SELECT id FROM delivery
    WHERE final_at IS NULL AND state IN ('owed', 'sending')
          AND rung_at > now() + interval '5 seconds'
    FOR UPDATE SKIP LOCKED
)
UPDATE delivery SET
    next_attempt_at = next_attempt_at - (rung_at - now()) - interval '1 second',
    leased_until = leased_until - (rung_at - now()),
    rung_at = now() - $1::interval
FROM ahead WHERE delivery.id = ahead.id
"""


@dataclass(slots=True)
class Sweep:
    """Finds deliveries whose doorbell was lost, or whose worker was, and rings for them."""

    engine: AsyncEngine
    doorbell: Doorbell
    _dry_until: float = 0.0
    """By the monotonic clock: a refill found no more, and until then there will hardly be any."""

    async def run(self) -> int:
        """Ring for what is owed, due, and was not rung for lately; how many. Of a campaign that is
        paused or cancelled nothing is, and bulk only as its queue has room."""
        await self._put_back()
        room = max(0, BULK_JOBS - await self._bulk_jobs()) * self.doorbell.chunk
        return await self._ring(Urgency.URGENT, MOST_AT_ONCE) + await self._ring(Urgency.BULK, room)

    async def refill(self) -> int:
        """Ring for more bulk work where little of it waits: a campaign rings for its first alone,
        and workers are not to stand still until the next sweep. What was rung for lately is left
        to its job. Where there is no more, the next sweeps are left to find what comes due."""
        if time.monotonic() < self._dry_until:
            return 0
        waiting = await self._bulk_jobs()
        room = (BULK_JOBS - waiting if waiting <= LOW else 0) * self.doorbell.chunk
        rung = await self._ring(Urgency.BULK, room)
        if rung < room:
            self._dry_until = time.monotonic() + SILENCE.total_seconds()
        return rung

    async def _put_back(self) -> None:
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_PUT_BACK, SILENCE)

    async def _ring(self, urgency: Urgency, most: int) -> int:
        if not most:
            return 0
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            rows = await driver.fetch(_DUE, urgency.value, most, SILENCE)
        await self.doorbell.ring(Owed(row["id"], urgency.value) for row in rows)
        return len(rows)

    async def _bulk_jobs(self) -> int:
        """How many could begin now; those that wait for a retry are not counted."""
        try:
            return int(await self.doorbell.redis.zcount(QUEUES["bulk"], 0, time.time() * 1000))
        except (RedisError, OSError):
            return 0
