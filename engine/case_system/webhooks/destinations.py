"""Where webhooks may go: https to public addresses, and nowhere into our own network.

Whoever may add a webhook could otherwise have us post to a service that trusts its neighbours, or
to the metadata service of a cloud (OWASP, Server-Side Request Forgery Prevention). What a name
resolves to is judged each time, and that very address is connected to: a name that changes its mind
between the look and the connection (DNS rebinding) gains nothing.
"""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, Protocol
from urllib.parse import SplitResult, urlsplit

from engine.errors import InputError

URL_MOST: Final = 1_000
_AT_HOME: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# RFC 6052, 2.1: an IPv4 address behind a translator.
_NAT64: Final = ip_network("64:ff9b::/96")
_LOOKED_UP_AT_ONCE: Final = 32

Address = IPv4Address | IPv6Address


class AddressRefusedError(InputError):
    """The host is, or resolves to, an address that nothing is posted to."""


class Resolver(Protocol):
    """Finds the addresses of a host."""

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """In the order of preference. Raises OSError where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class SystemResolver:
    """The machine's own. It has threads of its own: a name server that is silent keeps nobody
    waiting who looks for a smarthost."""

    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_LOOKED_UP_AT_ONCE, "webhook-names")
    )

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """As getaddrinfo has them."""

        def look_up() -> list[str]:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            return list(dict.fromkeys(str(address[0]) for *_, address in found))

        return await asyncio.get_running_loop().run_in_executor(self.threads, look_up)

    def close(self) -> None:
        """Let go of the threads; what is being looked up is not waited for."""
        self.threads.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Rules:
    """`loopback` is whether a machine that is tried out may post to itself, without TLS too;
    `networks` are private ones that are allowed."""

    loopback: bool
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def parts(self, url: str) -> SplitResult:
        """A URL that may be posted to, as far as it says; raises InputError, and shows none."""
        if not url.isascii() or not url.isprintable() or " " in url or len(url) > URL_MOST:
            raise InputError(f"must be a URL of up to {URL_MOST} characters of ASCII")
        try:
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname
        except ValueError:
            raise InputError("is not a URL") from None
        at_home = self.loopback and parts.scheme == "http" and host in _AT_HOME
        if not host or port == 0 or not (parts.scheme == "https" or at_home):
            raise InputError("must begin with https:// and a host")
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise InputError("must hold no user, password or fragment: what is posted is signed")
        try:
            written = ip_address(host)
        except ValueError:
            return parts
        self.require(str(written))
        return parts

    def require(self, address: str) -> None:
        """Raise AddressRefusedError unless it may be posted to."""
        if not self._allowed(ip_address(address)):
            raise AddressRefusedError("its address is not a public one, and not allowed")

    def _allowed(self, address: Address) -> bool:
        inner = _inner(address)
        if any(each in network for network in self.networks for each in (address, inner)):
            return True
        if inner.is_loopback:
            return self.loopback
        return inner.is_global and not (inner.is_multicast or _is_6to4(inner))


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _is_6to4(address: Address) -> bool:
    return isinstance(address, IPv6Address) and address.sixtofour is not None
