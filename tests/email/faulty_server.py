"""A real SMTP server that fails at any step, in every way that a server can fail."""

import asyncio
import re
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Step(Enum):
    """What the server is about to answer."""

    GREETING = "the connection"
    EHLO = "EHLO"
    HELO = "HELO"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "the content"
    RSET = "RSET"


class Fault(Enum):
    """Ways to fail that are no SMTP reply; a string is a reply of the test's own."""

    DROP = "closes the connection"
    SILENCE = "says nothing"
    TRICKLE = "sends byte after byte, and never ends"
    GARBAGE = "says what is no SMTP"
    OVERLONG = "says more than fits"


@dataclass
class FaultyServer:
    """What was taken and said, and how to fail: step → fault, or by recipient at RCPT and later."""

    url: str = ""
    dsn: bool = False
    pipelining: bool = False
    most_connections: int = 1000
    credentials: tuple[bytes, bytes] | None = None
    faults: dict[Step, Fault | str] = field(default_factory=dict)
    faults_for: dict[str, dict[Step, Fault | str]] = field(default_factory=dict)
    fail_at_mail: dict[int, Fault | str] = field(default_factory=dict)
    """How to fail at the n-th MAIL, counted from 1."""
    extra: dict[Step, str] = field(default_factory=dict)
    """A second reply that nobody asked for, after the right one."""
    slow: bool = False
    """Whether every answer comes byte by byte, though whole."""
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connections: list["FaultySmtp"] = field(default_factory=list)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a client waits for an answer that does not come."""

    async def handle_DATA(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Take the message, unless the content is where it fails."""
        assert isinstance(envelope.content, bytes)
        self.taken.append((envelope.rcpt_tos[0], envelope.content))
        return "250 2.0.0 taken"

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return sum(
            isinstance(one.transport, asyncio.Transport) and not one.transport.is_closing()
            for one in self.connections
        )

    def drop(self) -> None:
        """Close every connection without a word."""
        for one in self.connections:
            if isinstance(one.transport, asyncio.Transport):
                one.transport.abort()

    def check(self, _server: Any, _session: Any, _envelope: Any, _how: str, given: Any) -> Any:
        """Whether the client may sign in."""
        assert isinstance(given, LoginPassword)
        right = (given.login, given.password) == self.credentials
        return AuthResult(success=right, handled=False)


class FaultySmtp(SMTP):
    """One client of a FaultyServer."""

    def __init__(self, owner: FaultyServer, tls: ssl.SSLContext | None) -> None:
        with warnings.catch_warnings():
            # aiosmtpd finds AUTH without STARTTLS worth a warning: here it is what is tested.
            warnings.simplefilter("ignore")
            super().__init__(
                owner,
                hostname="mx.example",
                loop=asyncio.get_running_loop(),
                tls_context=tls,
                authenticator=owner.check,
                auth_required=owner.credentials is not None,
                auth_require_tls=tls is not None,
            )
        self.owner = owner
        self.step = Step.GREETING
        self.reader = ""
        owner.connections.append(self)

    async def push(self, status: Any) -> None:
        """Answer, or fail where that is due."""
        if self.step is Step.GREETING and self.owner.open > self.owner.most_connections:
            await super().push("421 4.7.0 too many connections")
            return
        if self.step is Step.DATA and str(status).startswith("354"):
            await super().push(status)
            self.step = Step.CONTENT
            return
        if not await self._failed():
            extra = self.owner.extra.get(self.step)
            said = status.decode() if isinstance(status, bytes) else status
            await self._answer(f"{said}\r\n{extra}" if extra else said)

    async def _answer(self, status: str) -> None:
        if not self.owner.slow:
            await super().push(status)
            return
        for letter in f"{status}\r\n":
            self._writer.write(letter.encode())
            await self._writer.drain()
            await asyncio.sleep(0)

    async def _failed(self) -> bool:
        if self.envelope and self.envelope.rcpt_tos:
            # By the time that the content is answered aiosmtpd has forgotten whom it is for.
            self.reader = self.envelope.rcpt_tos[0]
        own = self.owner.faults_for.get(self.reader, {})
        fault = own.get(self.step) or self.owner.faults.get(self.step)
        if fault is None:
            return False
        await self._fail(fault)
        return True

    async def _fail(self, fault: Fault | str) -> None:
        if isinstance(fault, str):
            await super().push(fault)
        elif fault is Fault.DROP:
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.abort()
        elif fault is Fault.GARBAGE:
            await super().push(b"\x00\xffwhat?")
        elif fault is Fault.OVERLONG:
            await super().push(b"250 " + b"x" * 40_000)
        else:
            self.owner.waiting.set()
            # Whatever else the client has said meanwhile is not answered either.
            while self.transport and not self.transport.is_closing():
                if fault is Fault.TRICKLE:
                    self._writer.write(b"2")
                # The slowness is what is tested: nobody waits for this server but the client.
                await asyncio.sleep(0.01)

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        """EHLO, with DSN and PIPELINING where they are offered."""
        self.step = Step.EHLO
        if not await self._failed():
            if self.owner.dsn:
                await SMTP.push(self, "250-mx.example\r\n250-DSN")
            if self.owner.pipelining:
                await SMTP.push(self, "250-mx.example\r\n250-PIPELINING")
            await super().smtp_EHLO(hostname)

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802
        """HELO."""
        self.step = Step.HELO
        await super().smtp_HELO(hostname)

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        """MAIL FROM, whose parameters aiosmtpd would not know."""
        self.step = Step.MAIL
        self.reader = ""
        self.owner.commands.append(f"MAIL {arg}")
        said = sum(command.startswith("MAIL") for command in self.owner.commands)
        if (fault := self.owner.fail_at_mail.pop(said, None)) is not None:
            await self._fail(fault)
            return
        if not await self._failed():
            await super().smtp_MAIL(re.sub(r" (?:RET|ENVID)=\S+", "", arg))

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802
        """RCPT TO, likewise."""
        self.step = Step.RCPT
        self.owner.commands.append(f"RCPT {arg}")
        bare = re.sub(r" (?:NOTIFY|ORCPT)=\S+", "", arg)
        assert self.envelope
        self.envelope.rcpt_tos.append(bare.partition("<")[2].rstrip(">"))
        failed = await self._failed()
        self.envelope.rcpt_tos.pop()
        if not failed:
            await super().smtp_RCPT(bare)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        """DATA, and then the content."""
        self.step = Step.DATA
        if not await self._failed():
            await super().smtp_DATA(arg)

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        """RSET."""
        self.step = Step.RSET
        await super().smtp_RSET(arg)


@asynccontextmanager
async def faulty_server(
    tls: ssl.SSLContext | None = None, *, implicit: bool = False
) -> AsyncIterator[FaultyServer]:
    """Serve on a free loopback port; `tls` is offered by STARTTLS, or spoken at once."""
    owner = FaultyServer()
    server = await asyncio.get_running_loop().create_server(
        lambda: FaultySmtp(owner, None if implicit else tls),
        "127.0.0.1",
        0,
        ssl=tls if implicit else None,
    )
    owner.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield owner
    finally:
        server.close()
        owner.drop()
