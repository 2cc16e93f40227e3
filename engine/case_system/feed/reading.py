"""Reading the feed from a place on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.database import driver_connection
from engine.errors import ConnectError

MOST: Final = 1_000
"""Events of one page, at the most."""

_HEAD: Final = "SELECT position, removed_to FROM feed_head"
_PAGE: Final = """
SELECT position, feed_event.communication_id, feed_event.notice, communication_state,
       coalesce(delivery_event.event, communication_event.event) AS event,
       coalesce(delivery_event.at, communication_event.at) AS at,
       coalesce(delivery.step, communication_event.step) AS step,
       delivery.id AS delivery_id, channel, delivery_event.state AS delivery_state
FROM feed_event
     LEFT JOIN delivery_event ON delivery_event.id = delivery_event_id
     LEFT JOIN delivery ON delivery.id = delivery_id
     LEFT JOIN communication_event ON communication_event.id = communication_event_id
WHERE position > $1 AND position <= $2
      AND ($3::text[] IS NULL OR feed_event.notice = ANY($3::text[]))
      AND ($4::bigint IS NULL OR feed_event.communication_id = $4)
      AND num_nonnulls(delivery_event.id, communication_event.id) = 1
ORDER BY position LIMIT $5
"""


class PlaceRemovedError(ConnectError):
    """Events after this place were removed since: the feed is kept for so long, and no longer."""


class PlaceUnknownError(ConnectError):
    """The feed has not come to this place yet: it is another database's."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event at its place: numbers, states and words of ours, nothing about a person.

    `communication_state` is how the communication stood when the event was numbered; the fields of
    the delivery are None where it is told of the communication.
    """

    position: int
    communication_id: int
    notice: str
    communication_state: str
    event: str
    at: datetime
    step: int
    delivery_id: int | None
    channel: str | None
    delivery_state: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Events in their order. Whoever reads on from `position` misses none and gets none twice;
    `more` says that there are some already."""

    events: tuple[Event, ...]
    position: int
    more: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of which notices, of which communication; of all where nothing is said."""

    notices: Sequence[str] | None = None
    communication_id: int | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """Reads what was numbered."""

    engine: AsyncEngine

    async def end(self) -> int:
        """The last place that was given out; 0 where none was."""
        async with self.engine.connect() as connection:
            position, _ = await _head(await driver_connection(connection))
        return position

    async def page(
        self, after: int | None, most: int, wanted: Wanted = Wanted(), to: int | None = None
    ) -> Page:
        """Up to `most` events after a place, or from the oldest that is kept; none after `to`.

        Raises PlaceRemovedError and PlaceUnknownError.
        """
        async with self.engine.connect() as connection:
            # One snapshot of all: nothing is removed between looking and reading.
            await connection.execution_options(isolation_level="REPEATABLE READ")
            driver = await driver_connection(connection)
            head, removed_to = await _head(driver)
            after = removed_to if after is None else after
            if after < removed_to:
                raise PlaceRemovedError("events after this cursor are no longer kept")
            if after > head:
                raise PlaceUnknownError("the feed has not come to this cursor")
            last = head if to is None else min(to, head)
            asked = None if wanted.notices is None else list(wanted.notices)
            rows = await driver.fetch(_PAGE, after, last, asked, wanted.communication_id, most)
        events = tuple(Event(**dict(row)) for row in rows)
        # What was passed over is not looked through again.
        full = len(events) == most
        return Page(
            events, events[-1].position if full else last, full and events[-1].position < last
        )


async def _head(driver: Any) -> tuple[int, int]:
    row = await driver.fetchrow(_HEAD)
    return (0, 0) if row is None else (row["position"], row["removed_to"])
