"""The email channel: build, hand over, and report, on several connections at a time."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.communications.catalogue import Urgency
from engine.communications.claims import Claimed, Lease
from engine.communications.doorbell import Doorbell
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.ports import EmailAddress, Recipients, Unreachable
from engine.communications.retries import Backoff
from engine.communications.states import Event
from engine.database import driver_connection
from engine.email.answers import (
    HandOffUnknownError,
    MessageDeferredError,
    MessageRefusedError,
    NotBegunError,
    ServerUnavailableError,
)
from engine.email.building import Builder
from engine.email.extras import NOTHING, EmailExtras, Extras
from engine.email.mail_object import MailObject
from engine.email.message import MessageError
from engine.email.recorder import Recorder
from engine.email.transport import Connection, SmtpPool
from engine.errors import ConnectError

log: Final = structlog.get_logger()

_STILL_OWED: Final = """
SELECT true FROM delivery WHERE id = $1 AND lease_token = $2 AND state = 'sending'
"""


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """Delivers claimed emails over the pool's connections."""

    engine: AsyncEngine
    outcomes: Outcomes
    doorbell: Doorbell
    recipients: Recipients
    builder: Builder
    pool: SmtpPool
    backoff: Backoff
    attempts_most: int
    extras: Extras | None = None

    async def deliver(self, claimed: Sequence[Claimed], lease: Lease) -> None:
        """Send `claimed` while `lease` holds; what is not begun in time is left under it."""
        async with self.engine.connect() as connection:
            readers = {item.delivery_id: item.reader for item in claimed}
            addresses = await self.recipients.email(connection, set(readers.values()))
            extras = await self.extras.of(connection, claimed) if self.extras else {}
        items = {item.delivery_id: item for item in claimed}
        recorder = Recorder(self.engine, self.outcomes, self.doorbell, lease, items)
        waiting = deque(
            _Waiting(
                item,
                addresses[readers[item.delivery_id]],
                extras.get(item.delivery_id, NOTHING),
            )
            for item in sorted(claimed, key=lambda item: not _is_urgent(item))
        )
        sending = _Sending(self, lease, recorder, waiting)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.pool.size, len(claimed))):
                    group.create_task(sending.lane())
        finally:
            await asyncio.shield(recorder.drain())

    def built(self, mail: "_Waiting", *, takes_8bit: bool) -> MailObject | Outcome:
        """The message of `mail`, or what became of it where there can be none."""
        item, address = mail.item, mail.address
        if isinstance(address, Unreachable):
            return Outcome(item.delivery_id, Event.REFUSED, address.reason)
        try:
            return self.builder.build(item, address, mail.extras, takes_8bit=takes_8bit)
        except MessageError:
            return Outcome(item.delivery_id, Event.REFUSED, "unmailable_address")
        except ConnectError as error:
            # A faulty template, or a key that is gone: it waits until a person has mended it.
            log.exception("email_not_built", delivery=item.delivery_id)
            return self._not_its_fault(item, type(error).__name__, self.backoff.most)

    async def still_owed(self, item: Claimed, lease: Lease) -> bool:
        """Whether a secret is still the reader's newest: a void PIN is not sent."""
        if item.secret is None:
            return True
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            return bool(await driver.fetchval(_STILL_OWED, item.delivery_id, lease.token))

    def outcome(self, mail: "_Waiting", answer: str | ConnectError) -> Outcome:
        """What the server's `answer`, a code of acceptance or an error, means for `mail`."""
        item = mail.item
        # Whatever is on file by then, a bounce tells against the address that was written to.
        at = mail.address.contact_point if isinstance(mail.address, EmailAddress) else None
        if isinstance(answer, str):
            return Outcome(item.delivery_id, Event.ACCEPTED, answer, contact_point=at)
        return replace(self._failed(item, answer), contact_point=at)

    def _failed(self, item: Claimed, error: ConnectError) -> Outcome:
        match error:
            case MessageRefusedError(reply=reply):
                dead = reply.says_address_is_dead
                return Outcome(item.delivery_id, Event.REFUSED, str(error), dead=dead)
            case MessageDeferredError():
                return self.again(item, Event.DEFERRED, str(error))
            case ServerUnavailableError():
                return self._not_its_fault(item, str(error), self.pool.seconds_down())
            case HandOffUnknownError():
                return self.again(item, Event.UNKNOWN, str(error))
        raise error

    def again(self, item: Claimed, event: Event, reason: str) -> Outcome:
        """Another attempt later, unless this message has had all that it may have."""
        if item.attempt >= self.attempts_most:
            return Outcome(item.delivery_id, Event.EXHAUSTED, reason)
        return Outcome(item.delivery_id, event, reason, self.backoff.delay(item.attempt))

    def _not_its_fault(self, item: Claimed, reason: str, seconds_down: float) -> Outcome:
        """Another attempt later that is held against no message: a pause is not a failure."""
        delay = self.backoff.delay_while_down(seconds_down)
        return Outcome(item.delivery_id, Event.DEFERRED, reason, delay, counted=False)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A claimed delivery with what was read for it."""

    item: Claimed
    address: EmailAddress | Unreachable
    extras: EmailExtras

    @property
    def goes_alone(self) -> bool:
        """Whether it is handed over by itself: it is urgent, or the database is asked at the last
        moment whether its secret is still good."""
        return _is_urgent(self.item) or self.item.secret is not None


@dataclass(frozen=True, slots=True)
class _Sending:
    """The messages of one lease, and the lanes on which they leave."""

    channel: EmailChannel
    lease: Lease
    recorder: Recorder
    waiting: deque[_Waiting]

    async def lane(self) -> None:
        """Hand over what waits, over one connection after the other."""
        while self.waiting and self.lease.holds():
            # A connection is asked for anew again and again: a PIN waits for one, not for all.
            urgent = _is_urgent(self.waiting[0].item)
            async with self.channel.pool.connection(urgent=urgent) as connection:
                if not (self.waiting and self.lease.holds()):
                    return
                if urgent and not _is_urgent(self.waiting[0].item):
                    # Another lane has sent it: bulk does not use what is kept for urgent mail.
                    continue
                if connection.pipelines and not self.waiting[0].goes_alone:
                    await connection.carry(_Stream(self, takes_8bit=connection.takes_8bit))
                else:
                    await self._one(connection, self.waiting.popleft())

    async def _one(self, connection: Connection, mail: _Waiting) -> None:
        try:
            outcome = await self._attempt(connection, mail)
        except NotBegunError:
            return
        except asyncio.CancelledError:
            self.recorder.note(self.channel.again(mail.item, Event.UNKNOWN, "stopped"))
            raise
        if recording := self.recorder.note(outcome):
            await asyncio.shield(recording)

    async def _attempt(self, connection: Connection, mail: _Waiting) -> Outcome:
        built = self.channel.built(mail, takes_8bit=connection.takes_8bit)
        if isinstance(built, Outcome):
            return built

        async def may_begin() -> bool:
            return self.lease.holds() and await self.channel.still_owed(mail.item, self.lease)

        try:
            within = self.lease.seconds_left()
            code = await connection.send(built, may_begin=may_begin, within=within)
        except NotBegunError:
            raise
        except ConnectError as error:
            return self.channel.outcome(mail, error)
        return self.channel.outcome(mail, code)


@dataclass(slots=True)
class _Stream:
    """What one pipeline carries of a lease's messages."""

    sending: _Sending
    takes_8bit: bool
    under_way: dict[MailObject, _Waiting] = field(default_factory=dict)

    def next(self) -> MailObject | None:
        """The next that can be built; none while urgent mail waits for a lane."""
        waiting, channel = self.sending.waiting, self.sending.channel
        while waiting and self.may_begin() and not channel.pool.urgent_waits:
            if waiting[0].goes_alone:
                return None
            mail = waiting.popleft()
            built = channel.built(mail, takes_8bit=self.takes_8bit)
            if isinstance(built, MailObject):
                self.under_way[built] = mail
                return built
            self.sending.recorder.note(built)
        return None

    def may_begin(self) -> bool:
        """Whether the lease still holds."""
        return self.sending.lease.holds()

    def seconds_left(self) -> float:
        """For how long it does."""
        return self.sending.lease.seconds_left()

    def answered(self, mail: MailObject, answer: str | ConnectError) -> None:
        """Note what became of `mail`."""
        outcome = self.sending.channel.outcome(self.under_way.pop(mail), answer)
        self.sending.recorder.note(outcome)

    def returned(self, mail: MailObject) -> None:
        """`mail` is the next again."""
        self.sending.waiting.appendleft(self.under_way.pop(mail))


def _is_urgent(item: Claimed) -> bool:
    return item.urgency == Urgency.URGENT
