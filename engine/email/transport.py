"""Handing messages to an SMTP server over kept connections, and what its answers mean."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTP

from engine.errors import ConnectError


class MessageDeferredError(ConnectError):
    """The server will not take this message now (4xx): it is tried again later."""


class MessageRefusedError(ConnectError):
    """The server will never take this message (5xx): the next channel takes over."""


class ServerUnavailableError(ConnectError):
    """There is no server to talk to: nothing is held against the message."""


class NotBegunError(ConnectError):
    """The right to send was lost before DATA: whoever has it now sends, or nobody does."""


class HandOffUnknownError(ConnectError):
    """The connection was lost after DATA began: the server may have taken the message."""


async def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Smarthost:
    """Where mail is handed over: `smtp://`, `smtps://` or `smtp+starttls://user:pass@host:port`."""

    host: str
    port: int
    implicit_tls: bool
    starttls: bool
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 30.0

    @classmethod
    def from_url(cls, url: str, timeout: float) -> Self:
        """Read a URL whose scheme the settings have checked already."""
        parts = urlsplit(url)
        implicit = parts.scheme == "smtps"
        return cls(
            host=parts.hostname or "localhost",
            port=parts.port or (465 if implicit else 25),
            implicit_tls=implicit,
            starttls=parts.scheme == "smtp+starttls",
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            timeout=timeout,
        )

    async def connect(self) -> SMTP:
        """A greeted connection; raises ServerUnavailableError."""
        client = SMTP(
            hostname=self.host,
            port=self.port,
            use_tls=self.implicit_tls,
            start_tls=self.starttls,
            username=self.username,
            password=self.password,
            timeout=self.timeout,
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError, ssl.SSLError) as error:
            client.close()
            raise ServerUnavailableError(type(error).__name__) from None
        return client


@dataclass(slots=True)
class SmtpPool:
    """At most `size` connections, kept between messages; each carries one message at a time."""

    smarthost: Smarthost
    size: int
    down_since: float | None = None
    _idle: list[SMTP] = field(default_factory=list)
    _slots: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._slots = asyncio.Semaphore(self.size)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Connection"]:
        """A connection of one's own, to be given back in order."""
        async with self._slots:
            connection = Connection(self)
            try:
                yield connection
            finally:
                connection.give_back()

    def failed(self) -> None:
        """The server was not there, or did not want to hear of any message."""
        self.down_since = self.down_since or time.monotonic()

    def seconds_down(self) -> float:
        """For how long the server has taken no message, as far as this process knows."""
        return 0.0 if self.down_since is None else time.monotonic() - self.down_since

    def idle(self) -> SMTP | None:
        """A kept connection, if there is one; the server may have closed it meanwhile."""
        return self._idle.pop() if self._idle else None

    def keep(self, client: SMTP) -> None:
        """Take back a connection that is between messages."""
        self._idle.append(client)

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        while self._idle:
            client = self._idle.pop()
            try:
                await client.quit()
            except (aiosmtplib.SMTPException, OSError):
                client.close()


@dataclass(slots=True)
class Connection:
    """One lane of the pool: a connection that is opened anew when the server drops it."""

    pool: SmtpPool
    _client: SMTP | None = None

    async def send(
        self,
        sender: str,
        recipient: str,
        message: bytes,
        *,
        may_begin: Callable[[], Awaitable[bool]] = _always,
        within: float | None = None,
    ) -> str:
        """Hand one message over; the answer is the server's reply code of acceptance.

        `may_begin` is asked last of all before DATA. DATA that takes longer than `within` seconds
        is an unknown hand-off. Raises one of the errors of this module. An idle connection that
        the server has meanwhile closed is replaced once, before anything was said of this message.
        """
        try:
            await self._envelope_on_live(sender, recipient)
            if not await may_begin():
                await self._reset(250)
                raise NotBegunError("not begun")
            code = await self._data(message, within)
        except asyncio.CancelledError:
            # Between a command and its answer nothing more can be said on this connection.
            self._drop()
            raise
        except ServerUnavailableError:
            self.pool.failed()
            raise
        self.pool.down_since = None
        return code

    async def _envelope_on_live(self, sender: str, recipient: str) -> None:
        if self._client is None:
            self._client = self.pool.idle() or await self.pool.smarthost.connect()
        try:
            await self._envelope(sender, recipient)
        except aiosmtplib.SMTPServerDisconnected:
            self._drop()
            self._client = await self.pool.smarthost.connect()
            try:
                await self._envelope(sender, recipient)
            except aiosmtplib.SMTPServerDisconnected:
                self._drop()
                raise ServerUnavailableError("disconnected") from None

    async def _envelope(self, sender: str, recipient: str) -> None:
        client = self._connected()
        # At MAIL FROM nothing was said of the reader yet: it is us whom the server does not want.
        await self._say(
            client.mail(sender), lambda code: ServerUnavailableError(f"mail_from_{code}")
        )
        await self._say(client.rcpt(recipient), _answered)

    async def _say(
        self, command: Coroutine[Any, Any, object], refused: Callable[[int], ConnectError]
    ) -> None:
        """Wait for the answer to `command`; `refused` says what its refusal means."""
        try:
            await command
        except aiosmtplib.SMTPServerDisconnected:
            raise
        except aiosmtplib.SMTPResponseException as error:
            await self._reset(error.code)
            raise refused(error.code) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            self._drop()
            raise ServerUnavailableError(type(error).__name__) from None

    def _connected(self) -> SMTP:
        if self._client is None:
            raise ServerUnavailableError("disconnected")
        return self._client

    async def _data(self, message: bytes, within: float | None) -> str:
        try:
            async with asyncio.timeout(within):
                code, _ = await self._connected().data(message)
        except aiosmtplib.SMTPResponseException as error:
            await self._reset(error.code)
            raise _answered(error.code) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            self._drop()
            raise HandOffUnknownError(type(error).__name__) from None
        return str(code)

    async def _reset(self, code: int) -> None:
        # RFC 5321, 3.8: after 421 the server closes the channel, and may do so before we speak.
        if self._client is None or code == 421:
            self._drop()
            return
        try:
            await self._client.rset()
        except (aiosmtplib.SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def give_back(self) -> None:
        """Return the connection to the pool, if there is one left."""
        if self._client is not None:
            self.pool.keep(self._client)
            self._client = None


def _answered(code: int) -> ConnectError:
    """What a reply code means for the message (RFC 5321, 4.2.1)."""
    if code == 421:
        return ServerUnavailableError("421")
    if 500 <= code < 600:
        return MessageRefusedError(str(code))
    return MessageDeferredError(str(code))
