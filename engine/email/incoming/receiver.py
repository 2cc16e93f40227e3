"""Where bounces come in: an SMTP or LMTP server of the loopback, or of a network behind our own
mail system."""

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from asyncpg.exceptions import PostgresError
from sqlalchemy.exc import SQLAlchemyError

from engine.email.incoming.recording import Returns, TooEarlyError

log: Final = structlog.get_logger()

MOST_BYTES: Final = 5 * 1024 * 1024
_IDLE_SECONDS: Final = 120
_IDENT: Final = "Customer Connect"


@dataclass(frozen=True)
class _Reception:
    """What aiosmtpd calls. It reads every attribute, so this has no slots (see the mailbox)."""

    returns: Returns
    complaints: str

    async def handle_RCPT(  # noqa: N802  the name is aiosmtpd's
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """One recipient at a time: of several, LMTP would have to answer for each (RFC 2033, 4.2),
        and a sender keeps the others for its next transaction (RFC 5321, 4.5.3.1.10)."""
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        ours = self.returns.addressing.delivery_of_return_path(address) is not None
        if not ours and address.lower() != self.complaints.lower():
            return "550 5.1.1 no such address here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 go on"

    async def handle_DATA(  # noqa: N802  the name is aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """A message is taken when what it says is committed, and not before."""
        content = envelope.content
        if not isinstance(content, bytes):
            return "554 5.6.0 the message is not bytes"
        try:
            await self.returns.take(content, envelope.rcpt_tos)
        except (OSError, SQLAlchemyError, PostgresError, TooEarlyError) as error:
            log.warning("return_not_recorded", cause=type(error).__name__)
            return "451 4.3.0 try again later"
        return "250 2.0.0 taken"


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver that is serving."""

    host: str
    port: int
    _server: asyncio.Server

    async def stop(self) -> None:
        """Take no more."""
        self._server.close()
        await self._server.wait_closed()
        log.info("bounce_receiver_stopped")


async def serve_returns(
    returns: Returns, complaints: str, *, host: str, port: int, lmtp: bool = False
) -> Receiver:
    """Serve on `host` and `port` (0 takes a free one) for our return paths and for the address that
    `complaints` come to; every other recipient is refused."""
    protocol = LMTP if lmtp else SMTP
    reception = _Reception(returns, complaints)

    def connection() -> SMTP:
        return protocol(
            reception,
            data_size_limit=MOST_BYTES,
            hostname=returns.addressing.return_path_domain,
            ident=_IDENT,
            timeout=_IDLE_SECONDS,
            loop=asyncio.get_running_loop(),
        )

    server = await asyncio.get_running_loop().create_server(connection, host, port)
    bound = server.sockets[0].getsockname()[1]
    log.info("bounce_receiver_started", port=bound, lmtp=lmtp)
    return Receiver(host, bound, server)
