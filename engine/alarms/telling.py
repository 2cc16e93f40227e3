"""Telling of alarms: each once to each destination, and once more when it is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.alarms.destinations import Destination, DestinationAwayError, NotTakenError
from engine.alarms.messages import Message
from engine.clock import Clock
from engine.database import advisory_lock, driver_connection

log: Final = structlog.get_logger()

LATELY: Final = timedelta(days=7)
"""What was cleared before that is not told any more."""
REFUSED_AGAIN: Final = timedelta(minutes=30)
"""How long after a refusal a message is tried again."""

# Who came to be told after an alarm was raised hears of it if it still stands, or was cleared just
# now; that it is over is said to whoever heard of it.
_OWE: Final = """
INSERT INTO alarm_message (alarm_id, destination, event, next_attempt_at)
SELECT alarm.id, destination, event, $2::timestamptz
FROM unnest($1::text[]) AS destination CROSS JOIN (VALUES ('raised'), ('cleared')) AS e (event)
CROSS JOIN alarm
WHERE (cleared_at IS NULL AND event = 'raised')
   OR (cleared_at > $2::timestamptz - interval '1 hour')
   OR (cleared_at > $3::timestamptz AND event = 'cleared'
       AND EXISTS (SELECT FROM alarm_message AS heard WHERE heard.alarm_id = alarm.id
                   AND heard.destination = destination.destination))
ORDER BY alarm.id, event DESC
ON CONFLICT (alarm_id, destination, event) DO NOTHING
"""
_UNSENT: Final = """
SELECT message.id AS number, alarm.id AS alarm_id, event AS said, kind, subject, detail, raised_at,
       CASE WHEN event = 'cleared' THEN cleared_at END AS cleared_at
FROM alarm_message AS message JOIN alarm ON alarm.id = alarm_id
WHERE destination = $1 AND sent_at IS NULL AND next_attempt_at <= $2
      AND coalesce(cleared_at > $3, true)
ORDER BY message.id LIMIT 100
"""
_SENT: Final = "UPDATE alarm_message SET sent_at = $2, attempts = attempts + 1 WHERE id = $1"
_AGAIN: Final = """
UPDATE alarm_message SET attempts = attempts + 1, next_attempt_at = $2 WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells the destinations what they have not heard yet, in order.

    A destination that is away is asked again each time, and nothing is held against it: when a
    smarthost comes back, what it kept from an operator is the first to go. Only one process tells
    at a time; one that dies between a hand-over and its record tells once more, under the same id.
    """

    engine: AsyncEngine
    destinations: Sequence[Destination]
    clock: Clock

    async def run(self) -> int:
        """Tell what is to be told; how many messages were taken."""
        if not self.destinations:
            return 0
        async with advisory_lock(self.engine, "alarms told") as alone:
            if not alone:
                return 0
            now = self.clock()
            async with self.engine.begin() as connection:
                driver = await driver_connection(connection)
                names = [destination.name for destination in self.destinations]
                await driver.execute(_OWE, names, now, now - LATELY)
            return sum([await self._tell(destination) for destination in self.destinations])

    async def _tell(self, destination: Destination) -> int:
        now = self.clock()
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            rows = await driver.fetch(_UNSENT, destination.name, now, now - LATELY)
        told = 0
        for message in (Message(**dict(row)) for row in rows):
            try:
                await destination.tell(message, now)
            except DestinationAwayError as error:
                log.warning("alarm_destination_away", told=told, why=str(error))
                break
            except NotTakenError as error:
                log.warning("alarm_not_taken", alarm=message.alarm_id, why=str(error))
                await self._write(_AGAIN, message.number, now + REFUSED_AGAIN)
            else:
                await self._write(_SENT, message.number, now)
                told += 1
        return told

    async def _write(self, statement: str, number: int, at: datetime) -> None:
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(statement, number, at)
