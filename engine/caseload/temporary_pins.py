"""Temporary PINs: issued sealed for one delivery, alive from its arrival, void when replaced."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.calendar.business_days import next_business_day
from engine.clock import PACIFIC, Clock, pacific_date
from engine.communications.catalogue import Channel
from engine.database import driver_connection
from engine.security.pins import PinHasher, generate_pin
from engine.security.sealing import Sealed, SecretBox

MAIL_LIFETIME = timedelta(days=21)
"""A PIN that travels by post must still work when the letter is opened."""

_CARRYING = """
SELECT delivery_id FROM pin_credential
WHERE participant_id = $1 AND kind = 'temporary' AND used_at IS NULL AND voided_at IS NULL
      AND delivery_id IS NOT NULL AND id IS DISTINCT FROM $2
"""
_VOID = """
UPDATE pin_credential SET voided_at = $2
WHERE delivery_id = ANY($1::bigint[]) AND used_at IS NULL AND voided_at IS NULL
"""
# What was sent again has more than one: the last is the one that counts.
_MOOT = """
SELECT delivery_id FROM (
    SELECT DISTINCT ON (delivery_id) delivery_id, used_at, voided_at FROM pin_credential
    WHERE delivery_id = ANY($1::bigint[]) ORDER BY delivery_id, id DESC
) AS last WHERE used_at IS NOT NULL OR voided_at IS NOT NULL
"""
_VOID_OLDER = """
UPDATE pin_credential SET voided_at = $2
WHERE participant_id = $1 AND kind = 'temporary' AND used_at IS NULL AND voided_at IS NULL
"""
_ISSUE = """
INSERT INTO pin_credential (participant_id, kind, hash, delivery_id, issued_at)
VALUES ($1, 'temporary', $2, $3, $4)
"""
_ARRIVED = """
UPDATE pin_credential SET expires_at = $2
WHERE delivery_id = ANY($1::bigint[]) AND expires_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class TemporaryPins:
    """Issues them. What stays of a PIN is its hash; what travels is sealed to its delivery."""

    hasher: PinHasher
    box: SecretBox
    clock: Clock
    digits: int

    async def issue(
        self, connection: AsyncConnection, participant_id: int, delivery_id: int
    ) -> Sealed:
        """A new PIN for `delivery_id`, sealed; the participant's older unused one is void."""
        pin = generate_pin(self.digits)
        hashed = await asyncio.to_thread(self.hasher.hash, pin)
        driver = await driver_connection(connection)
        await driver.execute(_VOID_OLDER, participant_id, self.clock())
        await driver.execute(_ISSUE, participant_id, hashed, delivery_id, self.clock())
        return self.box.seal(pin, str(delivery_id))

    async def carrying(
        self, connection: AsyncConnection, participant_id: int, besides: int | None = None
    ) -> list[int]:
        """The deliveries that carry, or carried, a temporary PIN that would still work, other than
        that of the credential `besides`."""
        driver = await driver_connection(connection)
        rows = await driver.fetch(_CARRYING, participant_id, besides)
        return [row["delivery_id"] for row in rows]

    async def moot(
        self, connection: AsyncConnection, delivery_ids: Sequence[int]
    ) -> frozenset[int]:
        """Those of the deliveries whose PIN was used, or replaced by a newer one."""
        driver = await driver_connection(connection)
        rows = await driver.fetch(_MOOT, list(delivery_ids))
        return frozenset(row["delivery_id"] for row in rows)

    async def void(self, connection: AsyncConnection, delivery_ids: Sequence[int]) -> None:
        """The PINs of these deliveries stop working."""
        driver = await driver_connection(connection)
        await driver.execute(_VOID, list(delivery_ids), self.clock())

    def works_until(self, channel: Channel, sent_at: datetime) -> date:
        """The last day on which a PIN works that is sent on `channel` at `sent_at`."""
        return last_day(channel, sent_at)

    async def ended(self, connection: AsyncConnection, delivery_ids: Sequence[int]) -> None:
        """These deliveries will not arrive; a PIN that may have leaked on the way is void."""
        await self.void(connection, delivery_ids)

    async def delivered(
        self,
        connection: AsyncConnection,
        channel: Channel,
        delivery_ids: Sequence[int],
        at: datetime,
    ) -> None:
        """Their lives begin: to the end of the next business day by email, 21 days by mail."""
        driver = await driver_connection(connection)
        await driver.execute(_ARRIVED, list(delivery_ids), expiry(channel, at))


def last_day(channel: Channel, delivered_at: datetime) -> date:
    """The Pacific day at whose end a temporary PIN that arrived at `delivered_at` stops working."""
    day = pacific_date(delivered_at)
    return next_business_day(day) if channel is Channel.EMAIL else day + MAIL_LIFETIME


def expiry(channel: Channel, delivered_at: datetime) -> datetime:
    """The moment it stops working: what the message says, and not a minute less."""
    following = last_day(channel, delivered_at) + timedelta(days=1)
    return datetime.combine(following, time(), tzinfo=PACIFIC)
