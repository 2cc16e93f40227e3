"""The sweep: ring again for what is owed and due. It is what lets Redis forget everything."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.communications.doorbell import Doorbell
from engine.communications.outcomes import Owed
from engine.database import driver_connection

MOST_AT_ONCE = 50_000
"""One sweep rings for this many at the most, urgent and soonest due first; the next goes on."""

_DUE = """
WITH due AS (
    SELECT delivery.id, urgency
    FROM delivery JOIN communication ON communication.id = communication_id
    WHERE rung_at < clock_timestamp() - interval '55 seconds'
      AND (delivery.state = 'owed' AND next_attempt_at <= clock_timestamp()
           OR delivery.state = 'sending' AND leased_until < clock_timestamp())
    ORDER BY (urgency = 'urgent') DESC, delivery.due_by, delivery.id
    LIMIT $1
)
UPDATE delivery SET rung_at = clock_timestamp()
FROM due WHERE delivery.id = due.id
RETURNING delivery.id, due.urgency
"""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Finds deliveries whose doorbell was lost, or whose worker was, and rings for them."""

    engine: AsyncEngine
    doorbell: Doorbell

    async def run(self) -> int:
        """Ring for what is owed, due, and was not rung for within the minute; how many."""
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            rows = await driver.fetch(_DUE, MOST_AT_ONCE)
        await self.doorbell.ring(Owed(row["id"], row["urgency"]) for row in rows)
        return len(rows)
