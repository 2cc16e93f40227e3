"""The email channel: render, hand over, and report, message by message, on several connections."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.clock import Clock
from engine.communications.catalogue import Channel, Secret, Urgency
from engine.communications.claims import Claimed, Lease
from engine.communications.doorbell import Doorbell
from engine.communications.outcomes import Outcome, Outcomes, Owed, Recorded
from engine.communications.ports import EmailAddress, Recipients, Unreachable
from engine.communications.rendering import Renderer
from engine.communications.retries import Backoff
from engine.communications.states import Event
from engine.database import driver_connection
from engine.email.addressing import Addressing
from engine.email.answers import (
    HandOffUnknownError,
    MessageDeferredError,
    MessageRefusedError,
    NotBegunError,
    ServerUnavailableError,
)
from engine.email.dkim import DkimSigner
from engine.email.extras import NOTHING, EmailExtras, Extras
from engine.email.message import Envelope, MessageError, build_message
from engine.email.transport import Connection, MailObject, SmtpPool
from engine.errors import ConnectError
from engine.security.sealing import SecretBox

log: Final = structlog.get_logger()

_STILL_OWED: Final = """
SELECT true FROM delivery WHERE id = $1 AND lease_token = $2 AND state = 'sending'
"""
_RETRY_RECORDING_AFTER: Final = (0.1, 0.5, 2.0, 4.0, *(8.0,) * 15)
"""For two minutes: as long as a database is restarted, or its disk given room."""
_RECORD_EVERY: Final = 50
"""Outcomes recorded at a time: so many messages at most are sent again after a `kill -9`."""


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """Delivers claimed emails over the pool's connections."""

    engine: AsyncEngine
    outcomes: Outcomes
    doorbell: Doorbell
    recipients: Recipients
    renderer: Renderer
    box: SecretBox
    pool: SmtpPool
    addressing: Addressing
    backoff: Backoff
    attempts_most: int
    sender: str
    clock: Clock
    signer: DkimSigner | None = None
    extras: Extras | None = None

    async def deliver(self, claimed: Sequence[Claimed], lease: Lease) -> None:
        """Send `claimed` while `lease` holds; what is not begun in time is left under it."""
        async with self.engine.connect() as connection:
            addresses = await self.recipients.email(connection, {item.reader for item in claimed})
            extras = await self.extras.of(connection, claimed) if self.extras else {}
        recorder = _Recorder(self, lease, {item.delivery_id: item for item in claimed})
        waiting = deque(
            _Waiting(item, addresses[item.reader], extras.get(item.delivery_id, NOTHING))
            for item in sorted(claimed, key=lambda item: not _is_urgent(item))
        )
        lanes = min(self.pool.size, len(claimed))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(lanes):
                    group.create_task(self._lane(waiting, lease, recorder))
        finally:
            await asyncio.shield(recorder.drain())

    async def _lane(self, waiting: "deque[_Waiting]", lease: Lease, recorder: "_Recorder") -> None:
        while waiting and lease.holds():
            # A connection is asked for anew for every message: a PIN waits for one, not for all.
            urgent = _is_urgent(waiting[0].item)
            async with self.pool.connection(urgent=urgent) as connection:
                if not (waiting and lease.holds()):
                    return
                if urgent and not _is_urgent(waiting[0].item):
                    # Another lane has sent it: bulk does not use what is kept for urgent mail.
                    continue
                mail = waiting.popleft()
                try:
                    outcome = await self._attempt(connection, mail, lease)
                except NotBegunError:
                    continue
                except asyncio.CancelledError:
                    recorder.waiting.append(self._again(mail.item, Event.UNKNOWN, "stopped"))
                    raise
            await recorder.add(outcome)

    async def _attempt(self, connection: Connection, mail: "_Waiting", lease: Lease) -> Outcome:
        item, address = mail.item, mail.address
        if isinstance(address, Unreachable):
            return Outcome(item.delivery_id, Event.REFUSED, address.reason)
        try:
            message = self._message(item, address, mail.extras)
        except MessageError:
            return Outcome(item.delivery_id, Event.REFUSED, "unmailable_address")
        except ConnectError as error:
            # A faulty template, or a key that is gone: it waits until a person has mended it.
            log.exception("email_not_built", delivery=item.delivery_id)
            return self._not_its_fault(item, type(error).__name__, self.backoff.most)
        outcome = await self._hand_over(connection, item, address, message, lease)
        # Whatever is on file by then, a bounce tells against the address that was written to.
        return replace(outcome, contact_point=address.contact_point)

    async def _hand_over(
        self,
        connection: Connection,
        item: Claimed,
        address: EmailAddress,
        message: bytes,
        lease: Lease,
    ) -> Outcome:
        async def may_begin() -> bool:
            return lease.holds() and await self._still_owed(item, lease)

        mail = MailObject(
            sender=self.addressing.return_path(item.delivery_id),
            recipient=address.address,
            message=message,
            envelope_id=self.addressing.envelope_id(item.delivery_id),
        )
        try:
            code = await connection.send(mail, may_begin=may_begin, within=lease.seconds_left())
        except MessageRefusedError as error:
            dead = error.reply.says_address_is_dead
            return Outcome(item.delivery_id, Event.REFUSED, str(error), dead=dead)
        except MessageDeferredError as error:
            return self._again(item, Event.DEFERRED, str(error))
        except ServerUnavailableError as error:
            return self._not_its_fault(item, str(error), self.pool.seconds_down())
        except HandOffUnknownError as error:
            return self._again(item, Event.UNKNOWN, str(error))
        return Outcome(item.delivery_id, Event.ACCEPTED, code)

    async def _still_owed(self, item: Claimed, lease: Lease) -> bool:
        """Whether a secret is still the reader's newest: a void PIN is not sent."""
        if item.secret is None:
            return True
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            return bool(await driver.fetchval(_STILL_OWED, item.delivery_id, lease.token))

    def _again(self, item: Claimed, event: Event, reason: str) -> Outcome:
        """Another attempt later, unless this message has had all that it may have."""
        if item.attempt >= self.attempts_most:
            return Outcome(item.delivery_id, Event.EXHAUSTED, reason)
        return Outcome(item.delivery_id, event, reason, self.backoff.delay(item.attempt))

    def _not_its_fault(self, item: Claimed, reason: str, seconds_down: float) -> Outcome:
        """Another attempt later that is held against no message: a pause is not a failure."""
        delay = self.backoff.delay_while_down(seconds_down)
        return Outcome(item.delivery_id, Event.DEFERRED, reason, delay, counted=False)

    def _message(self, item: Claimed, address: EmailAddress, extras: EmailExtras) -> bytes:
        secret = None
        if item.secret is not None:
            pin = self.box.open(item.secret, str(item.delivery_id))
            until = self.outcomes.secrets.works_until(Channel.EMAIL, self.clock())
            secret = Secret(pin, until)
        words = self.renderer.email(
            item.notice, item.language, item.facts, secret, extras.unsubscribe
        )
        now = self.clock()
        message = build_message(
            words,
            Envelope(
                sender=self.sender,
                recipient=address.address,
                message_id=self.addressing.message_id(item.delivery_id),
                date=now,
                extras=extras,
            ),
        )
        return message if self.signer is None else self.signer.sign(message, now)


def _is_urgent(item: Claimed) -> bool:
    return item.urgency == Urgency.URGENT


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A claimed delivery with what was read for it."""

    item: Claimed
    address: EmailAddress | Unreachable
    extras: EmailExtras


@dataclass(slots=True)
class _Recorder:
    """Gathers outcomes and records them some at a time."""

    channel: EmailChannel
    lease: Lease
    items: dict[int, Claimed]
    waiting: list[Outcome] = field(default_factory=list)
    under_way: set[asyncio.Task[None]] = field(default_factory=set)

    async def add(self, outcome: Outcome) -> None:
        self.waiting.append(outcome)
        if len(self.waiting) >= _RECORD_EVERY:
            await asyncio.shield(self._start())

    async def drain(self) -> None:
        """Record what is left, and wait for what was begun before a cancellation."""
        if self.waiting:
            self._start()
        await asyncio.gather(*self.under_way)

    def _start(self) -> asyncio.Task[None]:
        taken, self.waiting = self.waiting, []
        task = asyncio.create_task(self._record(taken))
        self.under_way.add(task)
        return task

    async def _record(self, taken: Sequence[Outcome]) -> None:
        recorded = await self._recorded(taken)
        again = [
            Owed(outcome.delivery_id, self._urgency(outcome), outcome.delay)
            for outcome in taken
            if outcome.delay > timedelta()
        ]
        await self.channel.doorbell.ring([*recorded.owed, *again])
        for outcome in taken:
            log.info(
                "email_attempted",
                delivery=outcome.delivery_id,
                communication=self.items[outcome.delivery_id].communication_id,
                outcome=outcome.event.value,
                reason=outcome.reason,
            )

    async def _recorded(self, taken: Sequence[Outcome]) -> Recorded:
        """Record, and try again when the database stumbles: these messages have been sent."""
        for wait in _RETRY_RECORDING_AFTER:
            try:
                return await self._record_once(taken)
            except Exception:
                # Whatever it was, these messages have been sent: not to say so sends them again.
                log.exception("outcomes_not_recorded", outcomes=len(taken), retry_in=wait)
                await asyncio.sleep(wait)
        return await self._record_once(taken)

    async def _record_once(self, taken: Sequence[Outcome]) -> Recorded:
        async with self.channel.engine.begin() as connection:
            return await self.channel.outcomes.record(connection, taken, self.lease.token)

    def _urgency(self, outcome: Outcome) -> str:
        return self.items[outcome.delivery_id].urgency
