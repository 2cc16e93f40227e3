"""Soft bounces of one address, and when there have been too many."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.communications.states import Event
from engine.database import driver_connection

SOFT_EVENTS: Final = frozenset({Event.BOUNCED_SOFT, Event.GIVEN_UP, Event.REFUSED, Event.EXHAUSTED})
"""What tells against an address that may yet live, where a message was sent there."""

_STRIKES: Final = """
SELECT count(*) FROM delivery_event JOIN delivery ON delivery.id = delivery_id
WHERE sent_to = $1 AND changed AND event = ANY($2::text[])
      AND at > clock_timestamp() - $3::interval
"""


@dataclass(frozen=True, slots=True)
class SoftBounces:
    """How many within which time suppress an address, and how long to wait before what bounced is
    sent again: `again`, and twice as long each time."""

    most: int = 3
    within: timedelta = timedelta(days=7)
    again: timedelta = timedelta(hours=4)

    def wait(self, strikes: int) -> timedelta:
        """How long after strike number `strikes`, counted from 1."""
        return self.again * float(2 ** (min(strikes, 10) - 1))


async def strikes_against(
    connection: AsyncConnection, contact_point: int, within: timedelta
) -> int:
    """How many soft bounces there were of this address of late."""
    driver = await driver_connection(connection)
    strikes: int = await driver.fetchval(
        _STRIKES, contact_point, [event.value for event in SOFT_EVENTS], within
    )
    return strikes
