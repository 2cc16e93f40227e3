"""The mail server of a chaos run: it counts what it took, copy by copy, and fails on command.

What it says it holds is the other side of the account: nothing here reads our database.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from engine.stack.bouncing import Fate, Postmaster, fate_of
from tests.email.faulty_server import Fault, FaultyServer, FaultySmtp, Step

GREYLISTED: Final = "451 4.7.1 greylisted: try again in a moment"


@dataclass(slots=True)
class Copy:
    """One time that a message was taken: when its DATA began, by the wall's clock and by the
    machine's own, and whether the client was told."""

    begun: float
    at: float
    told: bool = False


@dataclass
class KeepingServer(FaultyServer):
    """Serves at one port for as long as it is wanted, and may be gone in between."""

    port: int = 0
    postmaster: Postmaster | None = None
    pace: float = 0.0
    """How many seconds each message takes it."""
    cuts: bool = False
    """Whether it closes the connection while the content is on its way."""
    greylists: bool = False
    clock: Callable[[], float] = time.time
    copies: dict[str, list[Copy]] = field(default_factory=lambda: defaultdict(list))
    known: set[tuple[str, str]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    @property
    def held(self) -> int:
        """How many messages it holds, each counted once."""
        return len(self.copies)

    async def start(self) -> None:
        """Listen, at the same port as before."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: KeepingSmtp(self, None), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"smtp://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Refuse whoever calls, and let everybody go."""
        if self._server is not None:
            self._server.close()
        self.drop()

    def mend(self) -> None:
        """Be well again."""
        self.faults.clear()
        self.cuts = self.greylists = False
        self.drop()

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Take a reader, unless nobody is there, or it is the first time that anybody asks."""
        if fate_of(address) is Fate.REFUSED:
            return "550 5.1.1 there is no such user here"
        pair = (envelope.mail_from or "", address)
        if self.greylists and pair not in self.known:
            self.known.add(pair)
            return GREYLISTED
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 go on"

    async def handle_DATA(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the message, unless it is refused after its content."""
        assert isinstance(server, KeepingSmtp)  # noqa: S101  nobody else serves here
        said = self.faults.get(Step.CONTENT)
        if isinstance(said, str) and not said.startswith("2"):
            return said
        if self.pace:
            await asyncio.sleep(self.pace)
        content = envelope.content
        assert isinstance(content, bytes)  # noqa: S101  aiosmtpd was not asked to decode
        named = BytesHeaderParser().parsebytes(content)["Message-ID"]
        server.copy = Copy(begun=server.begun, at=server.begun_at)
        self.copies[str(named).strip()].append(server.copy)
        for address in envelope.rcpt_tos:
            if self.postmaster and (fate := fate_of(address)) is not Fate.KEPT:
                self.postmaster.return_to_sender(content, envelope.mail_from or "", address, fate)
        return "250 2.0.0 kept"


class KeepingSmtp(FaultySmtp):
    """One client of a KeepingServer."""

    owner: KeepingServer
    begun = begun_at = 0.0
    copy: Copy | None = None

    async def push(self, status: Any) -> None:
        """Answer, and remember what the client was told."""
        said = status.decode() if isinstance(status, bytes) else str(status)
        content = self.step is Step.CONTENT
        begins = self.step is Step.DATA and said.startswith("354")
        if begins:
            self.begun, self.begun_at = self.owner.clock(), time.monotonic()
        await super().push(status)
        if begins and self.owner.cuts and isinstance(self.transport, asyncio.Transport):
            self.transport.abort()
        elif content and self.copy is not None:
            fault = self.owner.faults.get(Step.CONTENT)
            self.copy.told = not isinstance(fault, Fault)
            self.copy = None
