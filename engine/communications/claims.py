"""Taking deliveries under a lease, so that of two workers with the same ids one does the work."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Self
from uuid import UUID, uuid4

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.communications.catalogue import (
    CATALOGUE,
    Channel,
    Facts,
    Notice,
)
from engine.communications.frozen_facts import FACTS
from engine.database import driver_connection, driver_for_ids
from engine.errors import ConnectError
from engine.i18n import Language
from engine.security.sealing import Sealed

log: Final = structlog.get_logger()

_FACTS = {key: TypeAdapter(notice.facts) for key, notice in CATALOGUE.items()}

_SAFETY_SECONDS = 2.0
"""What is kept back of a lease for the hand-off that begins just before it ends."""

_GOES_ON = """
NOT EXISTS (
    SELECT FROM communication AS part JOIN campaign ON campaign.id = part.campaign_id
    WHERE part.id = delivery.communication_id AND campaign.state <> 'running')
"""
_CLAIM = f"""
WITH due AS (
    SELECT id FROM delivery
    WHERE id = ANY($1::bigint[])
      AND (state = 'owed' AND next_attempt_at <= clock_timestamp()
           OR state = 'sending' AND leased_until < clock_timestamp())
      AND {_GOES_ON}
    ORDER BY id
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE delivery SET state = 'sending', lease_token = $2, attempts = attempts + 1,
           leased_until = clock_timestamp() + $3::interval
    FROM due WHERE delivery.id = due.id
    RETURNING delivery.id, communication_id, channel, attempts, secret, secret_key_id
), logged AS (
    INSERT INTO delivery_event (delivery_id, event, state, changed)
    SELECT id, 'claimed', 'sending', true FROM claimed
)
SELECT claimed.*, notice, participant_id, language, {FACTS} AS facts, requested_at,
       contact_point_id, urgency, subject
FROM claimed JOIN communication ON communication.id = claimed.communication_id
ORDER BY claimed.id
"""  # noqa: S608  joined from constants of this module
_PASSED_OVER = f"""
SELECT delivery.id, urgency FROM delivery JOIN communication ON communication.id = communication_id
WHERE delivery.id = ANY($1::bigint[]) AND delivery.state = 'owed'
      AND next_attempt_at <= clock_timestamp() AND {_GOES_ON}
"""  # noqa: S608  joined from constants of this module


UNREADABLE: Final = "unreadable"
"""Why a row is held whose notice or facts this version cannot read."""

_SET_ASIDE = f"""
WITH aside AS (
    UPDATE delivery SET state = 'held', reason = '{UNREADABLE}', lease_token = NULL,
           leased_until = NULL
    WHERE id = ANY($1::bigint[])
    RETURNING id, communication_id
), told AS (
    UPDATE communication SET state = 'held', given_to = 'operators'
    FROM aside WHERE communication.id = communication_id
)
INSERT INTO delivery_event (delivery_id, event, state, changed, reason)
SELECT id, 'held', 'held', true, '{UNREADABLE}' FROM aside
"""  # noqa: S608  joined from constants of this module


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to deliver, until a moment of this process's own monotonic clock.

    It was started before the database was asked, so it ends before the database's lease does. The
    database goes by the time of day: where that is put forward, as when a virtual machine is
    resumed, its leases end at once, and so does this one, by `ends_at` in seconds since 1970.
    """

    token: UUID
    ends: float
    ends_at: float

    @classmethod
    def lasting(cls, seconds: float) -> Self:
        """A new one, from now on."""
        return cls(uuid4(), time.monotonic() + seconds, time.time() + seconds)

    def holds(self) -> bool:
        """Whether a hand-off may still begin."""
        return self.seconds_left() > 0

    def seconds_left(self) -> float:
        """For how long a hand-off may take."""
        return min(self.ends - time.monotonic(), self.ends_at - time.time()) - _SAFETY_SECONDS


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom to reach: a participant where they are reached now, or at one contact point alone, be
    it an old one. A `secret` goes only where it may be trusted to reach them."""

    participant_id: int
    contact_point: int | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker holds, with the frozen facts of its communication."""

    delivery_id: int
    communication_id: int
    channel: Channel
    attempt: int
    notice: Notice
    participant_id: int
    language: Language
    facts: Facts
    secret: Sealed | None
    urgency: str
    contact_point: int | None = None
    subject: str | None = None
    """What it is about, where that was said: `appointment:42`."""

    @property
    def reader(self) -> Reader:
        """Whom it is for."""
        return Reader(self.participant_id, self.contact_point, self.notice.carries_secret)


def facts_from(notice: str, stored: str) -> Facts:
    """The frozen facts of a communication, as its notice types them."""
    return _FACTS[notice].validate_json(str(stored))  # what did not open says so here


def claimed_from(row: Any) -> Claimed:
    """Build a Claimed from a database row with the columns of the claim statement."""
    sealed = None
    if row["secret"] is not None:
        sealed = Sealed.from_bytes(row["secret_key_id"], row["secret"])
    return Claimed(
        delivery_id=row["id"],
        communication_id=row["communication_id"],
        channel=Channel(row["channel"]),
        attempt=row["attempts"],
        notice=CATALOGUE[row["notice"]],
        participant_id=row["participant_id"],
        language=row["language"],
        facts=facts_from(row["notice"], row["facts"]),
        secret=sealed,
        urgency=row["urgency"],
        contact_point=row["contact_point_id"],
        subject=row["subject"],
    )


async def claim(
    connection: AsyncConnection, delivery_ids: Sequence[int], seconds: float
) -> tuple[Lease, list[Claimed]]:
    """Take those of `delivery_ids` that are due and that no one else holds, for `seconds`; none of
    a campaign that is paused or cancelled.

    One whose frozen facts cannot be read is held for a person; the others are not kept from going.
    """
    lease = Lease.lasting(seconds)
    driver = await driver_for_ids(connection)
    rows = await driver.fetch(_CLAIM, list(delivery_ids), lease.token, timedelta(seconds=seconds))
    claimed, unreadable = [], []
    for row in rows:
        try:
            claimed.append(claimed_from(row))
        except (ValidationError, KeyError, ConnectError):
            # Facts of a notice that this version of the program does not know, or no longer.
            log.exception("delivery_unreadable", delivery=row["id"])
            unreadable.append(row["id"])
    if unreadable:
        await driver.execute(_SET_ASIDE, unreadable)
    return lease, claimed


async def passed_over(connection: AsyncConnection, delivery_ids: Sequence[int]) -> dict[int, str]:
    """Those of `delivery_ids` that are due and could not be claimed, as somebody had them locked
    for a moment; id → urgency."""
    driver = await driver_connection(connection)
    rows = await driver.fetch(_PASSED_OVER, list(delivery_ids))
    return {row["id"]: row["urgency"] for row in rows}
