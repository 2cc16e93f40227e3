"""Handing one message at a time to a smarthost, and what each way of failing means for it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiosmtplib
from aiosmtplib import SMTP
from aiosmtplib.response import SMTPResponse

from engine.email.answers import (
    HandOffUnknownError,
    NotBegunError,
    Reply,
    ServerUnavailableError,
)
from engine.email.lanes import Lanes
from engine.email.mail_object import MailObject
from engine.email.pipeline import Feed, Pipeline
from engine.email.smarthost import Smarthost
from engine.email.smarthosts import CrowdedError, HostStatus, Session, Smarthosts


async def _always() -> bool:
    return True


class _LostError(Exception):
    """A command had no answer, or none that can be understood; its text is a word for why."""


class SmtpPool:
    """At most `size` messages under way at a time, over connections that are kept between them."""

    def __init__(
        self,
        smarthosts: Sequence[Smarthost],
        size: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.size = size
        self.smarthosts = Smarthosts.of(smarthosts, size, monotonic)
        self._lanes = Lanes(lambda: min(self.size, self.smarthosts.most))

    @asynccontextmanager
    async def connection(self, *, urgent: bool = False) -> AsyncIterator["Connection"]:
        """A connection of one's own, to be given back in order; bulk never has them all.

        Where there is no server to talk to, it is `send` that says so.
        """
        while True:
            async with self._lanes.lane(urgent=urgent):
                connection = await self._connected()
                if connection is not None:
                    try:
                        yield connection
                    finally:
                        connection.give_back()
                    return
            await self.smarthosts.change()

    async def _connected(self) -> "Connection | None":
        """A connection, or None while every one that the smarthosts grant is in use."""
        try:
            return Connection(self.smarthosts, await self.smarthosts.take())
        except CrowdedError:
            return None
        except ServerUnavailableError as error:
            return Connection(self.smarthosts, None, str(error))

    @property
    def urgent_waits(self) -> bool:
        """Whether urgent mail waits for a lane that bulk might give way on."""
        return self._lanes.urgent_waits

    def seconds_down(self) -> float:
        """For how long no server has taken a message, as far as this process knows."""
        return self.smarthosts.seconds_down()

    def probe(self) -> None:
        """Try the smarthosts in the background of which it is not known how they stand."""
        self.smarthosts.probe()

    def status(self) -> tuple[HostStatus, ...]:
        """How each smarthost stands, in the order of SMTP_URL: for health checks and metrics."""
        return self.smarthosts.status()

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        await self.smarthosts.close()


@dataclass(slots=True)
class Connection:
    """One lane of the pool: a connection that is opened anew, elsewhere if need be, when the
    server drops it or will hear of no message."""

    smarthosts: Smarthosts
    _session: Session | None
    _why_none: str = "disconnected"

    async def send(
        self,
        mail: MailObject,
        *,
        may_begin: Callable[[], Awaitable[bool]] = _always,
        within: float | None = None,
    ) -> str:
        """Hand one message over; the answer is the server's reply code of acceptance.

        `may_begin` is asked last of all before DATA. DATA that takes longer than `within` seconds
        is an unknown hand-off. Raises one of the errors of `engine.email.answers`. A kept
        connection that the server has meanwhile closed is replaced, and one whose server takes no
        mail at all by one to the next smarthost, before anything was said of this message.
        """
        try:
            session = await self._addressed(mail)
            if not await may_begin():
                await self._reset(session)
                raise NotBegunError("not begun")
            return await self._data(session, b"".join(mail.content), within)
        except asyncio.CancelledError:
            # Between a command and its answer nothing more can be said on this connection.
            self._drop()
            raise

    async def _addressed(self, mail: MailObject) -> Session:
        """Say MAIL FROM and RCPT TO on the first connection whose server takes mail from us."""
        session = self._session
        if session is None:
            raise ServerUnavailableError(self._why_none)
        while not await self._mail(session, mail):
            session = await self._another()
        await self._rcpt(session, mail)
        return session

    async def _another(self) -> Session:
        self._session = await self.smarthosts.take()
        return self._session

    async def _mail(self, session: Session, mail: MailObject) -> bool:
        """Whether the server takes a message from us; if not, this connection is done for.

        Nothing was said of the reader yet: it is us whom the server does not want.
        """
        options = mail.mail_options(session.client.supports_extension)
        try:
            reply = await self._say(session, session.client.mail(mail.sender, options=options))
        except _LostError as lost:
            why = str(lost)
            session.station.let_go_of_idle()
        else:
            if reply.code == 250:
                return True
            why = f"mail_from_{reply}"
        self._drop()
        # A kept connection has its own limits of time and number: a new one is asked first.
        if session.fresh:
            session.station.failed(why)
        return False

    async def _rcpt(self, session: Session, mail: MailObject) -> None:
        options = mail.rcpt_options(session.client.supports_extension)
        try:
            reply = await self._say(session, session.client.rcpt(mail.recipient, options=options))
        except _LostError as lost:
            # MAIL was answered just now: the server is there, and it is at this reader that it
            # fell silent.
            self._drop()
            raise session.lost(f"rcpt_{lost}") from None
        if reply.code not in {250, 251}:
            await self._refused(session, reply)

    async def _data(self, session: Session, content: bytes, within: float | None) -> str:
        begun = False
        try:
            async with asyncio.timeout(within):
                reply = await self._say(session, session.client.execute_command(b"DATA"))
                if reply.code == 354:
                    begun = True
                    reply = await self._say(session, _content(session.client, content))
        except (_LostError, TimeoutError) as lost:
            word = str(lost) or "timeout"
            self._drop()
            if begun:
                session.station.lost(word)
                raise HandOffUnknownError(word) from None
            raise session.lost(f"data_{word}") from None
        if not (begun and reply.code < 300):
            await self._refused(session, reply)
        session.station.health.well()
        return str(reply.code)

    async def _refused(self, session: Session, reply: Reply) -> None:
        """Raise what `reply` means, on a connection that is ready for the next message."""
        error, goes_on = session.refused(reply)
        if goes_on:
            await self._reset(session)
        else:
            self._drop()
        raise error

    async def _say(self, session: Session, command: Coroutine[Any, Any, SMTPResponse]) -> Reply:
        """The answer to `command`, whatever it is; raises _LostError where there is none."""
        if session.leftover:
            command.close()
            raise _LostError("garbage")
        try:
            reply = Reply.of(await command)
        except aiosmtplib.SMTPServerDisconnected:
            raise _LostError("disconnected") from None
        except aiosmtplib.SMTPTimeoutError:
            raise _LostError("timeout") from None
        except aiosmtplib.SMTPResponseException as error:
            reply = Reply.of(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _LostError(type(error).__name__) from None
        if not reply.is_known:
            raise _LostError("garbage")
        return reply

    async def _reset(self, session: Session) -> None:
        try:
            reply = await self._say(session, session.client.rset())
        except _LostError:
            self._drop()
        else:
            if reply.code != 250:
                self._drop()

    def _drop(self) -> None:
        if self._session is not None:
            self._session.station.drop(self._session)
            self._session = None

    def give_back(self) -> None:
        """Return the connection to the pool, if there is one left."""
        if self._session is not None:
            self._session.station.give_back(self._session)
            self._session = None

    @property
    def pipelines(self) -> bool:
        """Whether it can carry many messages at the pace of the server, not of its answers."""
        return self._session is not None and self._session.pipelines

    @property
    def takes_8bit(self) -> bool:
        """Whether content beyond ASCII may be sent over it as it is."""
        return self._session is not None and self._session.takes_8bit

    async def carry(self, feed: Feed) -> None:
        """Hand over what `feed` has, until it has no more or the connection is lost."""
        assert self._session is not None  # noqa: S101  only a connection that pipelines is asked
        pipeline = Pipeline(self._session, feed)
        try:
            await pipeline.run()
        finally:
            if not pipeline.is_intact:
                self._drop()


async def _content(client: SMTP, content: bytes) -> SMTPResponse:
    """Send the content and wait for what the server says of it."""
    if client.protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    client.protocol.write(content)
    response = await client.protocol.read_response(timeout=client.timeout)
    if 300 <= response.code < 400:
        raise _LostError("garbage")
    return response
