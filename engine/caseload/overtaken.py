"""Notices that events have overtaken: what they say is no longer so, and they must not set out.

An appointment may be moved, by its own service or by the nightly import that tells nobody, while a
notice of it waits to be sent. So it is asked again what is true: when it changes, on every run of
the reminders, and at the moment of sending.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.caseload.reminder_choices import WANTED
from engine.clock import Clock
from engine.communications.catalogue import APPOINTMENT_CANCELLED, CATALOGUE
from engine.communications.claims import Claimed, Lease
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.ports import ChannelPort
from engine.communications.printed import LIES_IN_A_STORED_BATCH
from engine.communications.states import Event
from engine.database import driver_connection

_ABOUT: Final = "appointment:"
OVERTAKEN: Final = "overtaken"
_AT_ONCE: Final = 500
_OPTIONAL: Final = tuple(notice.key for notice in CATALOGUE.values() if notice.optional)

# An appointment without a row is as good as cancelled; nobody is told of one that is past.
_FIND: Final = f"""
SELECT delivery.id, communication_id
FROM delivery
JOIN communication ON communication.id = communication_id
JOIN participant ON participant.id = communication.participant_id
LEFT JOIN appointment
     ON appointment.id = substring(subject FROM '^appointment:([0-9]{{1,18}})$')::bigint
WHERE delivery.state IN ('owed', 'sending', 'batched', 'held')
  AND NOT (delivery.state = 'batched' AND {LIES_IN_A_STORED_BATCH})
  AND (subject LIKE '{_ABOUT}%' AND (
           CASE WHEN notice = '{APPOINTMENT_CANCELLED.key}' THEN appointment.status = 'cancelled'
           ELSE appointment.status = 'scheduled' AND appointment.starts_at > $1
                AND appointment.starts_at = (facts->>'starts_at')::timestamptz
                AND appointment.place = facts->>'place'
           END) IS NOT TRUE
       OR channel = 'email' AND notice = ANY($2::text[]) AND NOT {WANTED})
"""  # noqa: S608  joined from constants of this module
_ALL: Final = f"{_FIND} AND communication.state IN ('owed', 'held') AND subject IS NOT NULL"
_OF_ONE: Final = f"{_FIND} AND subject = $3"
_AMONG: Final = f"{_FIND} AND delivery.id = ANY($3::bigint[])"
# What was never sent was never said: when it becomes true again, it is recorded anew.
_UNSAID: Final = """
UPDATE communication SET idempotency_key = idempotency_key || ':overtaken:' || id
WHERE id = ANY($1::bigint[]) AND NOT EXISTS (
    SELECT FROM delivery WHERE communication_id = communication.id
    AND state NOT IN ('cancelled', 'failed', 'returned')
)
"""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Cancels them, where they have not left us yet."""

    outcomes: Outcomes
    clock: Clock

    async def cancel_all(self, connection: AsyncConnection) -> int:
        """Cancel whatever is overtaken; how many deliveries."""
        return len(await self._cancel(connection, _ALL))

    async def cancel_about(self, connection: AsyncConnection, appointment_id: int) -> int:
        """Cancel what an appointment's change has overtaken; how many deliveries."""
        return len(await self._cancel(connection, _OF_ONE, subject_of(appointment_id)))

    async def cancel_among(
        self, connection: AsyncConnection, deliveries: Sequence[int]
    ) -> frozenset[int]:
        """Cancel those of `deliveries` that are overtaken; which."""
        return await self._cancel(connection, _AMONG, list(deliveries))

    async def _cancel(
        self, connection: AsyncConnection, query: str, *arguments: object
    ) -> frozenset[int]:
        driver = await driver_connection(connection)
        rows = await driver.fetch(query, self.clock(), list(_OPTIONAL), *arguments)
        if not rows:
            return frozenset()
        found = sorted(row["id"] for row in rows)
        for first in range(0, len(found), _AT_ONCE):
            some = found[first : first + _AT_ONCE]
            await self.outcomes.record(
                connection, [Outcome(id_, Event.CANCELLED, OVERTAKEN) for id_ in some]
            )
        await driver.execute(_UNSAID, [row["communication_id"] for row in rows])
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class TruthfulChannel:
    """A channel that is handed only what still holds at the moment of sending."""

    channel: ChannelPort
    engine: AsyncEngine
    overtaken: Overtaken

    async def deliver(self, claimed: Sequence[Claimed], lease: Lease) -> None:
        """Cancel what was overtaken since it was recorded, and carry out the rest."""
        doubtful = [
            item.delivery_id
            for item in claimed
            if item.notice.optional or (item.subject or "").startswith(_ABOUT)
        ]
        cancelled: frozenset[int] = frozenset()
        if doubtful:
            async with self.engine.begin() as connection:
                cancelled = await self.overtaken.cancel_among(connection, doubtful)
        standing = [item for item in claimed if item.delivery_id not in cancelled]
        if standing:
            await self.channel.deliver(standing, lease)


def subject_of(appointment_id: int) -> str:
    """What a notice of an appointment names as its subject."""
    return f"{_ABOUT}{appointment_id}"
