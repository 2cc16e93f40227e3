"""A real SMTP server for tests: it keeps what it takes, and fails on command."""

import asyncio
import email
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import Message

from aiosmtpd.smtp import SMTP, Envelope, Session

Script = Callable[[str, Envelope], str | None]
"""Asked at RCPT and DATA with the verb and the envelope: a reply of its own, or None for 250."""


@dataclass
class SmtpServer:
    """Messages taken so far, and the script that may refuse the next.

    It has no slots: aiosmtpd reads every attribute, and Python 3.11.2 cannot read one of them.
    """

    url: str = ""
    taken: list[tuple[str, str, Message]] = field(default_factory=list)
    script: Script = lambda _verb, _envelope: None
    refuse_sender: str | None = None
    drop_after_data: bool = False
    pause_after: int | None = None
    paused: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    connections: list[SMTP] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle_MAIL(  # noqa: N802  aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Answer MAIL FROM."""
        if self.refuse_sender:
            return self.refuse_sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Answer RCPT TO by the script."""
        envelope.rcpt_tos.append(address)
        answer = self.script("RCPT", envelope)
        if answer:
            envelope.rcpt_tos.pop()
        return answer or "250 OK"

    async def handle_DATA(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Answer the end of DATA by the script; keep what is taken."""
        if self.pause_after is not None and len(self.taken) >= self.pause_after:
            self.paused.set()
            await self.go_on.wait()
        answer = self.script("DATA", envelope)
        if answer:
            return answer
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append(
            (envelope.mail_from or "", envelope.rcpt_tos[0], email.message_from_bytes(content))
        )
        async with self.changed:
            self.changed.notify_all()
        if self.drop_after_data:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK"

    @property
    def sessions(self) -> int:
        """Connections made so far."""
        return len(self.connections)

    def drop_idle(self) -> None:
        """Close every connection, as a server does that has waited long enough."""
        for protocol in self.connections:
            if isinstance(protocol.transport, asyncio.Transport):
                protocol.transport.abort()

    async def wait_for(self, number: int, seconds: float = 60) -> None:
        """Return when so many messages have been taken; TimeoutError if they never are."""
        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(lambda: len(self.taken) >= number)

    @property
    def message_ids(self) -> list[str]:
        """The Message-ID of each message taken, in order."""
        return [message["Message-ID"] for _, _, message in self.taken]


@asynccontextmanager
async def smtp_server() -> AsyncIterator[SmtpServer]:
    """Serve on a free loopback port until the end of the context."""
    handler = SmtpServer()

    def protocol() -> SMTP:
        opened = SMTP(handler, hostname="mx.example", loop=asyncio.get_running_loop())
        handler.connections.append(opened)
        return opened

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    handler.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield handler
    finally:
        server.close()
