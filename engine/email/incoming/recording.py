"""Bounces and complaints become outcomes: what was met is owed again, or by the next channel."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.clock import Clock, pacific_date
from engine.communications.doorbell import Doorbell
from engine.communications.locking import lock_abreast
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.owed import Owed
from engine.communications.states import Event, State
from engine.communications.strikes import SoftBounces, strikes_against
from engine.database import driver_connection
from engine.email.addressing import Addressing
from engine.email.bounces.classifying import classify
from engine.email.bounces.verdict import Kind, Verdict
from engine.email.incoming.tracing import delivery_of, message_id_of
from engine.errors import ConnectError

log: Final = structlog.get_logger()

# Locked before anything is judged: of two reports of one delivery the second sees the first.
_DELIVERY: Final = """
SELECT delivery.id, delivery.state, delivery.due_by, sent_to, urgency,
       jsonb_array_length(route) > delivery.step + 1 AS has_next
FROM delivery JOIN communication ON communication.id = communication_id
WHERE delivery.id = $1 AND channel = 'email'
"""
_REPORT: Final = """
INSERT INTO bounce_report (delivery_id, kind, status, why, digest, received_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (delivery_id, digest) DO NOTHING RETURNING id
"""


class TooEarlyError(ConnectError):
    """The report has overtaken the record of its own hand-over, which a worker is about to write:
    it is to be handed over again later."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was made of one message: what it is, whether it could be traced to a delivery of ours,
    and whether it said anything new of it."""

    verdict: Verdict
    traced: bool
    new: bool


@dataclass(frozen=True, slots=True)
class Returns:
    """Takes in what comes back. The same message again, late, or after another, changes nothing
    twice."""

    engine: AsyncEngine
    outcomes: Outcomes
    doorbell: Doorbell
    addressing: Addressing
    soft_bounces: SoftBounces
    clock: Clock

    async def take(self, message: bytes, recipients: Sequence[str] = ()) -> Taken:
        """Record what `message` says, which came in for the envelope `recipients`, if they are
        known. When this returns it is committed; whatever it raises, TooEarlyError among others,
        nothing was recorded."""
        verdict = await asyncio.to_thread(classify, message)
        delivery_id = None
        if verdict.kind is not Kind.NONE:
            delivery_id = delivery_of(self.addressing, recipients, message, verdict)
        new, owed = False, list[Owed]()
        if delivery_id is not None:
            async with self.engine.begin() as connection:
                new, owed = await self._record(connection, delivery_id, verdict, message)
        await self.doorbell.ring(owed)
        log.info(
            "email_came_back",
            kind=verdict.kind.value,
            why=verdict.why.value,
            status=verdict.status,
            delivery=delivery_id,
            new=new,
        )
        return Taken(verdict, delivery_id is not None, new)

    async def _record(
        self, connection: AsyncConnection, delivery_id: int, verdict: Verdict, message: bytes
    ) -> tuple[bool, list[Owed]]:
        driver = await driver_connection(connection)
        await lock_abreast(connection, [delivery_id])
        row = await driver.fetchrow(_DELIVERY, delivery_id)
        if row is None:
            return False, []
        if row["state"] == State.SENDING and verdict.kind is Kind.SOFT:
            raise TooEarlyError(f"delivery {delivery_id} is being sent")
        reported = await driver.fetchval(
            _REPORT,
            delivery_id,
            verdict.kind.value,
            verdict.status,
            verdict.why.value,
            _digest(message),
            self.clock(),
        )
        # A notice that it is still being tried is evidence, and no failure.
        if reported is None or verdict.delayed:
            return reported is not None, []
        outcome = await self._outcome(connection, row, verdict)
        recorded = await self.outcomes.record(connection, [outcome])
        again = [Owed(row["id"], row["urgency"], outcome.delay)] if outcome.delay else []
        return True, [*recorded.owed, *(again if recorded.moved else [])]

    async def _outcome(self, connection: AsyncConnection, row: Any, verdict: Verdict) -> Outcome:
        reason = f"{verdict.status or ''} {verdict.why.value}".strip()
        if verdict.kind is Kind.HARD:
            return Outcome(row["id"], Event.BOUNCED, reason)
        if verdict.kind is Kind.COMPLAINT:
            return Outcome(row["id"], Event.COMPLAINED, reason)
        strikes = 1
        if row["sent_to"] is not None:
            strikes += await strikes_against(connection, row["sent_to"], self.soft_bounces.within)
        wait = self.soft_bounces.wait(strikes)
        slips = row["has_next"] and pacific_date(self.clock() + wait) > row["due_by"]
        if strikes >= self.soft_bounces.most or slips:
            return Outcome(row["id"], Event.GIVEN_UP, reason)
        return Outcome(row["id"], Event.BOUNCED_SOFT, reason, wait)


def _digest(message: bytes) -> bytes:
    """The same for the same report: by its Message-ID, or by its body, as the lines on top of it
    differ from one hand-over to the next."""
    known = message_id_of(message)
    _, _, body = message.replace(b"\r\n", b"\n").partition(b"\n\n")
    return hashlib.sha256(known.encode("utf-8", "replace") if known else body).digest()
