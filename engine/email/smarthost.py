"""One smarthost: where it is, how a connection to it is made safe, and why it may not be used."""

import asyncio
import ssl
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Final, Self
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTP

from engine.email.answers import Reply, ServerUnavailableError

Network = IPv4Network | IPv6Network

_NO_SUCH_COMMAND: Final = (500, 502)

ADVICE: Final = {
    "tls_not_offered": "it offers no STARTTLS: name it smtps:// if its port speaks TLS at once, or "
    "smtp+plain:// if it stands in a network of your own that SMTP_PLAIN_NETWORKS names",
    "certificate": "its certificate is not valid for its name: SMTP_URL must use the name it is "
    "made out to, and SMTP_CA_FILE must name the authority if it is your own",
    "ca_file": "SMTP_CA_FILE cannot be read as certificates in PEM",
    "untrusted_network": "it is smtp+plain:// and its address is in none of SMTP_PLAIN_NETWORKS",
    "auth_not_offered": "it offers no AUTH that we know (PLAIN, LOGIN, CRAM-MD5), and SMTP_URL has "
    "a user name",
    "auth": "it refused the user name or password in SMTP_URL",
}
"""Why a server may not be used → what a person can do about it. `auth` stands before a code."""


class Safety(StrEnum):
    """How what is said to a smarthost is kept from others."""

    IMPLICIT_TLS = "implicit_tls"
    """TLS from the first byte (RFC 8314, 3.3)."""
    STARTTLS = "starttls"
    """Nothing is said of any message before STARTTLS (RFC 3207)."""
    LOOPBACK = "loopback"
    """In the clear, to this machine itself."""
    PLAIN = "plain"
    """In the clear, within networks that the settings trust."""


class ConnectionRefusedByGreetingError(ServerUnavailableError):
    """The server is there, and wants no further connection now (RFC 5321, 3.1)."""


@dataclass(frozen=True, slots=True)
class Smarthost:
    """Where mail is handed over, as one URL of SMTP_URL says it."""

    host: str
    port: int
    safety: Safety
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 30.0
    """Seconds for a connection to be made, greeted, made safe and signed in; then for each answer
    as a whole, however slowly it trickles in."""
    ca_file: Path | None = None
    plain_networks: tuple[Network, ...] = ()
    pipelining: bool = True
    """Whether commands are sent in groups where the server offers that (RFC 2920)."""

    @classmethod
    def from_url(
        cls,
        url: str,
        timeout: float,
        *,
        ca_file: Path | None = None,
        plain_networks: Sequence[Network] = (),
        one_by_one: Collection[str] = (),
    ) -> Self:
        """Read a URL whose scheme the settings have checked already.

        `smtp://` is STARTTLS but on the loopback, `smtp+starttls://` there too, `smtps://` is TLS
        from the first byte, and `smtp+plain://` is in the clear within `plain_networks`. Hosts of
        `one_by_one`, by name or by name and port, are sent a command at a time.
        """
        parts = urlsplit(url)
        host = parts.hostname or "localhost"
        safety = {
            "smtps": Safety.IMPLICIT_TLS,
            "smtp+starttls": Safety.STARTTLS,
            "smtp+plain": Safety.PLAIN,
        }.get(parts.scheme, Safety.STARTTLS)
        if is_loopback(host) and parts.scheme in {"smtp", "smtp+plain"}:
            safety = Safety.LOOPBACK
        port = parts.port or (465 if safety is Safety.IMPLICIT_TLS else 25)
        return cls(
            host=host,
            port=port,
            safety=safety,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            timeout=timeout,
            ca_file=ca_file,
            plain_networks=tuple(plain_networks),
            pipelining=not {host, f"{host}:{port}"} & set(one_by_one),
        )

    @property
    def name(self) -> str:
        """What it is called in logs and reports: its host and port, nothing secret."""
        return f"{self.host}:{self.port}"

    async def connect(self) -> SMTP:
        """A connection that is greeted, safe and signed in, within `timeout` seconds in all.

        Raises ServerUnavailableError, whose word says why and is a key of ADVICE where a person
        can help.
        """
        client = SMTP(
            hostname=self.host,
            port=self.port,
            use_tls=self.safety is Safety.IMPLICIT_TLS,
            start_tls=False,
            timeout=self.timeout,
            tls_context=await self._tls_context(),
        )
        try:
            async with asyncio.timeout(self.timeout):
                await self._greet(client)
        except ServerUnavailableError:
            client.close()
            raise
        except aiosmtplib.SMTPConnectResponseError as error:
            client.close()
            raise ConnectionRefusedByGreetingError(f"greeting_{Reply.of(error)}") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise ServerUnavailableError(_word_for(error)) from None
        except asyncio.CancelledError:
            client.close()
            raise
        return client

    async def _tls_context(self) -> ssl.SSLContext | None:
        if self.safety in {Safety.LOOPBACK, Safety.PLAIN}:
            return None
        try:
            return await asyncio.to_thread(ssl.create_default_context, cafile=self.ca_file)
        except OSError:
            raise ServerUnavailableError("ca_file") from None

    async def _greet(self, client: SMTP) -> None:
        await client.connect()
        address = client.get_transport_info("peername")[0]
        if self.safety is Safety.PLAIN and not self._trusts(address):
            raise ServerUnavailableError("untrusted_network")
        await _hello(client)
        if self.safety is Safety.STARTTLS:
            if not client.supports_extension("starttls"):
                raise ServerUnavailableError("tls_not_offered")
            await client.starttls()
            await _hello(client)
        if self.username is not None:
            await self._sign_in(client, self.username)

    def _trusts(self, address: str) -> bool:
        """Whether mail may travel in the clear to `address`."""
        peer = ip_address(address)
        return peer.is_loopback or any(peer in network for network in self.plain_networks)

    async def _sign_in(self, client: SMTP, username: str) -> None:
        if self.safety is Safety.PLAIN:
            raise ServerUnavailableError("auth_in_the_clear")
        if not client.supported_auth_methods:
            raise ServerUnavailableError("auth_not_offered")
        try:
            await client.login(username, self.password or "")
        except aiosmtplib.SMTPAuthenticationError as error:
            raise ServerUnavailableError(f"auth_{Reply.of(error)}") from None


async def _hello(client: SMTP) -> None:
    """EHLO, or HELO to a server that does not know it (RFC 5321, 3.2)."""
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError as error:
        if error.code not in _NO_SUCH_COMMAND:
            raise
        await client.helo()


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, by its literal address or the name of RFC 6761, 6.3."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def advice(reason: str) -> str | None:
    """What a person can do about a server that is unavailable for `reason`."""
    return ADVICE.get(reason) or (ADVICE["auth"] if reason.startswith("auth_5") else None)


def _word_for(error: BaseException) -> str:
    """One word for why no connection came about; what the server said is not repeated."""
    causes = [error, *([error.__cause__] if error.__cause__ else [])]
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return "certificate"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "tls"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        reply = Reply.of(error)
        return f"hello_{reply}" if reply.is_known else "garbage"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, aiosmtplib.SMTPServerDisconnected):
        return "disconnected"
    return "connect"
