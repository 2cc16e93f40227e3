"""The built-in mailbox: an SMTP server of the loopback that keeps each message as a file.

For development only. A message handed over again under its Message-ID stays one file, and the
repeat is written down in `repeats.jsonl`, so that a run can show which messages came twice.
"""

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from engine.stack.bouncing import Fate, Postmaster, fate_of

log: Final = structlog.get_logger()

REPEATS: Final = "repeats.jsonl"
MOST_BYTES: Final = 10 * 1024 * 1024
# A long Message-ID may be folded onto a line of its own (RFC 5322, 2.2.3).
_MESSAGE_ID: Final = re.compile(
    rb"^Message-ID:[ \t]*([^\r\n]*(?:\r\n[ \t][^\r\n]*)*)", re.IGNORECASE | re.MULTILINE
)


def message_file(message: bytes) -> str:
    """The name of the file that keeps `message`: the same whenever its Message-ID is the same.

    A message without one is known by its content.
    """
    head, _, _ = message.partition(b"\r\n\r\n")
    named = _MESSAGE_ID.search(head)
    identity = b"".join(named[1].split()) if named else b""
    return f"{hashlib.sha256(identity or message).hexdigest()[:32]}.eml"


@dataclass(frozen=True, slots=True)
class MailFolder:
    """A folder of messages, one file each; a file is whole from the moment it can be seen."""

    path: Path

    @classmethod
    def made(cls, path: Path) -> Self:
        """The folder at `path`, made when it is not there."""
        path.mkdir(parents=True, exist_ok=True)
        return cls(path)

    def keep(self, sender: str, recipients: list[str], message: bytes) -> bool:
        """Store `message` under its envelope; False when it was there already."""
        stored = _with_envelope(sender, recipients, message)
        kept = self.path / message_file(message)
        if kept.exists():
            self._note_repeat(kept, stored)
            return False
        draft = kept.with_suffix(".tmp")
        draft.write_bytes(stored)
        draft.rename(kept)
        return True

    def repeats(self) -> dict[str, int]:
        """File name → how often its message came again."""
        counted: dict[str, int] = {}
        noted = self.path / REPEATS
        for line in noted.read_text().splitlines() if noted.exists() else ():
            name = json.loads(line)["file"]
            counted[name] = counted.get(name, 0) + 1
        return counted

    def _note_repeat(self, kept: Path, stored: bytes) -> None:
        note = {"file": kept.name, "same_bytes": kept.read_bytes() == stored}
        with (self.path / REPEATS).open("a") as notes:
            notes.write(json.dumps(note) + "\n")


def _with_envelope(sender: str, recipients: list[str], message: bytes) -> bytes:
    envelope = f"X-Envelope-From: {sender}\r\nX-Envelope-To: {', '.join(recipients)}\r\n"
    return envelope.encode("utf-8", "surrogateescape") + message


@dataclass(frozen=True)
class _Reception:
    """What aiosmtpd calls when a message has come in whole.

    aiosmtpd reads every attribute of it, and in Python 3.11.2 a dataclass with slots has one that
    cannot be read.
    """

    folder: MailFolder
    postmaster: Postmaster | None

    async def handle_RCPT(  # noqa: N802  the name is aiosmtpd's
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if self.postmaster is not None and fate_of(address) is Fate.REFUSED:
            return "550 5.1.1 there is no such user here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 go on"

    async def handle_DATA(  # noqa: N802  the name is aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        if not isinstance(content, bytes):
            return "554 5.6.0 the message is not bytes"
        if self.postmaster is not None and self._bounced(self.postmaster, envelope, content):
            return "250 2.0.0 taken"
        new = self.folder.keep(envelope.mail_from or "", envelope.rcpt_tos, content)
        return "250 2.0.0 kept" if new else "250 2.0.0 kept already"

    def _bounced(self, postmaster: Postmaster, envelope: Envelope, content: bytes) -> bool:
        """Whether a report of it is on its way back, for all of its recipients."""
        fates = {address: fate_of(address) for address in envelope.rcpt_tos}
        for address, fate in fates.items():
            if fate is not Fate.KEPT:
                postmaster.return_to_sender(content, envelope.mail_from or "", address, fate)
        return Fate.KEPT not in fates.values()


class _Connection(SMTP):
    """One client; it is known to the mailbox while it is connected, so that it can be let go."""

    def __init__(self, reception: _Reception, clients: "set[_Connection]") -> None:
        # Without a hostname aiosmtpd asks the resolver for one, at every connection.
        super().__init__(
            reception,
            data_size_limit=MOST_BYTES,
            enable_SMTPUTF8=True,
            hostname="mailbox.localhost",
            ident="Customer Connect mailbox",
            loop=asyncio.get_running_loop(),
        )
        self._clients = clients

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._clients.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._clients.discard(self)
        super().connection_lost(error)

    def let_go(self) -> None:
        """Close the connection without a word; the client sees a lost server."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox that is serving."""

    folder: MailFolder
    host: str
    port: int
    _server: asyncio.Server
    _clients: set[_Connection]

    @property
    def url(self) -> str:
        """What SMTP_URL must say."""
        return f"smtp://{self.host}:{self.port}"

    async def stop(self) -> None:
        """Take no more mail, and let go of every client; what was answered 250 is on disk."""
        self._server.close()
        for client in list(self._clients):
            client.let_go()
        await self._server.wait_closed()
        log.info("mailbox_stopped")


async def serve_mailbox(
    folder: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    postmaster: Postmaster | None = None,
) -> Mailbox:
    """Serve SMTP on `host` and `port` (0 takes a free one), keeping messages in `folder`. With a
    `postmaster` some addresses do not work, and reports come back of them."""
    clients: set[_Connection] = set()
    reception = _Reception(MailFolder.made(folder), postmaster)
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(reception, clients), host, port
    )
    bound = server.sockets[0].getsockname()[1]
    log.info("mailbox_started", port=bound)
    return Mailbox(reception.folder, host, bound, server, clients)
