"""Message after message over one connection, commands in groups (RFC 2920).

While the server thinks about one message's content it has the commands of the next, so that a
message costs one exchange where it takes four by turns. Each answer belongs to the oldest command
that has none: what is awaited stands in a queue, and no answer is known by its words.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Final, Protocol, cast

from engine.email.answers import HandOffUnknownError, Reply
from engine.email.mail_object import MailObject
from engine.email.replies import GarbageError, Replies
from engine.email.smarthosts import Session
from engine.errors import ConnectError

_RCPT_TAKEN: Final = (250, 251)
_GO_AHEAD: Final = 354
_LAST_ANSWER_SECONDS: Final = 1.0
"""What a stopping worker gives a server to say whether it has taken the last message."""


class Feed(Protocol):
    """Where a pipeline's messages come from, and where it says what became of them.

    Its methods are called from the event loop's callbacks: they do not wait.
    """

    def next(self) -> MailObject | None:
        """The next message, or None where there is none that may be sent now."""
        ...

    def may_begin(self) -> bool:
        """Whether content may still be handed over: asked last of all, at the server's 354."""
        ...

    def seconds_left(self) -> float:
        """How long the answer to content may take before the hand-off counts as unknown."""
        ...

    def answered(self, mail: MailObject, answer: str | ConnectError) -> None:
        """`mail` was taken, under this reply code, or this became of it."""
        ...

    def returned(self, mail: MailObject) -> None:
        """Nothing that counts was said of `mail`: it is next again, over whichever connection."""
        ...


class _Awaited(Enum):
    """What the next answer answers."""

    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"
    LONE_DOT = "lone_dot"
    RSET = "rset"
    NOTHING = "nothing"


_GROUP: Final = (_Awaited.MAIL, _Awaited.RCPT, _Awaited.DATA)


class Pipeline(asyncio.Protocol):
    """Takes over a session's transport for as long as `feed` has messages, and gives it back."""

    def __init__(self, session: Session, feed: Feed) -> None:
        self.is_intact = True
        """Whether the connection is between messages, and can carry more."""
        self._session = session
        self._feed = feed
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._is_over = False
        """Whether every message was answered or returned."""
        self._is_stopping = False
        self._replies = Replies()
        self._awaited: deque[_Awaited] = deque()
        self._out: list[bytes] = []
        self._handed: MailObject | None = None
        """Its content is out."""
        self._announced: MailObject | None = None
        """Its MAIL, RCPT and DATA are out."""
        self._ready: MailObject | None = None
        """It is built, and nothing was said of it yet."""
        self._refused: Reply | None = None
        """Why the recipient of the announced message will not have it."""
        self._patience = session.station.smarthost.timeout
        self._deadline = self._loop.time() + self._patience
        self._watch: asyncio.TimerHandle | None = None
        self._fault: Exception | None = None
        self._hears = {
            _Awaited.MAIL: self._hear_mail,
            _Awaited.RCPT: self._hear_rcpt,
            _Awaited.DATA: self._hear_data,
            _Awaited.CONTENT: self._hear_content,
            _Awaited.LONE_DOT: self._hear_lone_dot,
            _Awaited.RSET: self._hear_rset,
            _Awaited.NOTHING: self._hear_what_nobody_asked,
        }

    async def run(self) -> None:
        """Carry messages until there are none, or the connection is lost."""
        client = self._session.client
        transport, protocol = client.transport, client.protocol
        if transport is None or protocol is None:
            self.is_intact = False
            return
        self._transport = cast(asyncio.Transport, transport)
        transport.set_protocol(self)
        try:
            self._guarded(self._begin)
            self._look()
            await self._ended.wait()
        except asyncio.CancelledError:
            await self._stop()
            raise
        finally:
            if self._watch is not None:
                self._watch.cancel()
            transport.set_protocol(protocol)
        if self._fault is not None:
            raise self._fault

    async def _stop(self) -> None:
        """Begin nothing more, and wait a moment for the answer to what has been handed over."""
        self._is_stopping = True
        try:
            if self._handed is not None:
                async with asyncio.timeout(_LAST_ANSWER_SECONDS):
                    await self._ended.wait()
        except TimeoutError:
            pass
        finally:
            self._lose("stopped")

    # What asyncio calls.

    def data_received(self, data: bytes) -> None:
        """Hear every answer that is complete, then send what came of them in one piece."""
        self._guarded(lambda: self._hear(data))

    def eof_received(self) -> None:
        """The server will say no more."""
        self._guarded(lambda: self._lose("disconnected"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was awaited will not come; aiosmtplib's protocol is told as well."""
        self._guarded(lambda: self._lose("disconnected"))
        if (protocol := self._session.client.protocol) is not None:
            protocol.connection_lost(exc)

    def _guarded(self, act: Callable[[], None]) -> None:
        """A fault of ours must not end in the event loop's log, with messages in the balance."""
        if self._is_over:
            return
        try:
            act()
        except Exception as error:  # noqa: BLE001  it is raised where run() is awaited
            self._fault = error
            self._lose("fault")

    # Saying.

    def _begin(self) -> None:
        self._ready = self._feed.next()
        self._announce()
        self._flush()

    def _announce(self) -> None:
        """Say the commands of the next message, if there is one; the connection is done if not."""
        mail, self._ready = self._ready, None
        self._announced = mail
        if mail is None:
            if not self._awaited:
                self._finish()
            return
        self._refused = None
        self._out.append(self._group(mail))
        self._awaited.extend(_GROUP)

    def _group(self, mail: MailObject) -> bytes:
        offers = self._session.client.supports_extension
        sender = " ".join((f"MAIL FROM:<{mail.sender}>", *mail.mail_options(offers)))
        recipient = " ".join((f"RCPT TO:<{mail.recipient}>", *mail.rcpt_options(offers)))
        return f"{sender}\r\n{recipient}\r\nDATA\r\n".encode("ascii")

    def _flush(self) -> None:
        """Send what has been said, and build the next message while the server reads it."""
        if self._out:
            self._transport.write(b"".join(self._out))
            self._out.clear()
        stopping = self._is_over or self._is_stopping
        if self._announced is not None and self._ready is None and not stopping:
            self._ready = self._feed.next()

    # Hearing.

    def _hear(self, data: bytes) -> None:
        try:
            for reply in self._replies.read(data):
                self._await_for(self._patience)
                awaited = self._awaited.popleft() if self._awaited else _Awaited.NOTHING
                self._hears[awaited](reply)
                if self._is_over:
                    return
        except GarbageError:
            self._lose("garbage")
        else:
            self._flush()

    def _hear_mail(self, reply: Reply) -> None:
        """What is wrong with MAIL is wrong with us: nothing was said of the reader yet."""
        if reply.code != 250:
            self._shunned(f"mail_from_{reply}")

    def _hear_rcpt(self, reply: Reply) -> None:
        if reply.code in _RCPT_TAKEN:
            return
        self._refused = reply
        if reply.closes:
            self._settle_refusal(reply)

    def _hear_data(self, reply: Reply) -> None:
        if reply.code != _GO_AHEAD:
            self._settle_refusal(self._refused or reply)
            if not self._is_over:
                self._out.append(b"RSET\r\n")
                self._awaited.append(_Awaited.RSET)
                self._announce()
        elif self._refused is not None:
            # RFC 2920, 3.1: a server may take DATA though it took no recipient.
            self._settle_refusal(self._refused)
            if not self._is_over:
                self._out.append(b".\r\n")
                self._awaited.append(_Awaited.LONE_DOT)
                self._announce()
        elif self._feed.may_begin():
            self._hand_over()
        else:
            # There is no way back from a 354 but to hang up (RFC 5321, 4.1.1.4).
            self._lose("not_begun")

    def _hand_over(self) -> None:
        mail, self._announced = self._announced, None
        assert mail is not None  # noqa: S101  its DATA has just been answered
        self._handed = mail
        self._out += mail.content
        self._awaited.append(_Awaited.CONTENT)
        self._await_for(min(self._patience, self._feed.seconds_left()))
        self._announce()

    def _hear_content(self, reply: Reply) -> None:
        mail, self._handed = self._handed, None
        assert mail is not None  # noqa: S101  its content has just been answered
        if reply.code < 300:
            self._session.station.health.well()
            self._session.fresh = False
            self._feed.answered(mail, str(reply.code))
        elif reply.code < 400:
            self._handed = mail
            self._lose("garbage")
            return
        else:
            error, goes_on = self._session.refused(reply)
            self._feed.answered(mail, error)
            if not goes_on:
                self._end()
                return
        if self._is_stopping:
            self._end()
        self._go_on()

    def _hear_lone_dot(self, reply: Reply) -> None:
        """Whatever it says, nobody was written to."""
        if reply.closes or 300 <= reply.code < 400:
            self._lose("garbage")
        self._go_on()

    def _hear_rset(self, reply: Reply) -> None:
        if reply.code != 250:
            self._end()
        self._go_on()

    def _hear_what_nobody_asked(self, _reply: Reply) -> None:
        """It would be taken for the answer to the next command."""
        self._lose("garbage")

    def _go_on(self) -> None:
        """Between two answers: a message may have become ready when none was before."""
        if self._announced is None and not self._is_over:
            self._ready = self._ready or self._feed.next()
            self._announce()

    def _settle_refusal(self, reply: Reply) -> None:
        """The announced message is refused by `reply`."""
        mail, self._announced = self._announced, None
        assert mail is not None  # noqa: S101  its commands are being answered
        error, goes_on = self._session.refused(reply)
        self._feed.answered(mail, error)
        self._session.fresh = False
        if not goes_on:
            self._end()

    # Ending.

    def _shunned(self, why: str) -> None:
        """The server will hear of no message of ours on this connection. A kept one has its own
        limits of time and number: a new one is asked first."""
        if self._session.fresh:
            self._session.station.failed(why)
        self._end()

    def _lose(self, word: str) -> None:
        """The connection is of no more use: say of every message how far it had come."""
        if self._is_over:
            return
        station, announced = self._session.station, self._announced
        if self._handed is not None:
            mail, self._handed = self._handed, None
            if word != "stopped":
                station.lost(word)
            self._feed.answered(mail, HandOffUnknownError(word))
        elif announced is not None and word not in {"stopped", "not_begun", "fault"}:
            self._lose_announced(announced, word)
        self._end()

    def _lose_announced(self, mail: MailObject, word: str) -> None:
        first = self._awaited[0] if self._awaited else _Awaited.DATA
        if first is _Awaited.RCPT or (first is _Awaited.DATA and self._refused is None):
            # MAIL was answered just now: the server is there, and it is at this reader that it
            # fell silent.
            self._announced = None
            self._feed.answered(mail, self._session.lost(f"{first.value}_{word}"))
        elif first is _Awaited.DATA and self._refused is not None:
            self._announced = None
            self._feed.answered(mail, self._session.refused(self._refused)[0])
        else:
            self._session.station.let_go_of_idle()
            if self._session.fresh:
                self._session.station.failed(word)

    def _end(self) -> None:
        """Hang up; what was not handed over goes back to the feed, in its order."""
        self.is_intact = False
        for mail in (self._ready, self._announced):
            if mail is not None:
                self._feed.returned(mail)
        self._ready = self._announced = None
        self._awaited.clear()
        self._out.clear()
        self._transport.abort()
        self._finish()

    def _finish(self) -> None:
        if self.is_intact and not self._replies.is_between:
            self._end()
            return
        self._is_over = True
        self._ended.set()

    # Patience.

    def _await_for(self, seconds: float) -> None:
        """Every answer as a whole has so long from the one before it."""
        self._deadline = self._loop.time() + seconds
        if self._watch is not None and self._deadline < self._watch.when():
            self._watch.cancel()
            self._look()

    def _look(self) -> None:
        """Give up at the deadline; it is moved with every answer, and looked at when it was."""
        if self._deadline <= self._loop.time():
            self._guarded(lambda: self._lose("timeout"))
        if not self._is_over:
            self._watch = self._loop.call_at(self._deadline, self._look)
