"""The network a request comes from, as far as limits are counted."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

UNKNOWN: Final = "unknown"
"""All whose address cannot be told (a socket of the machine itself) share one limit."""


def client_network(host: str | None) -> str:
    """One IPv4 address, or the /64 an IPv6 subscriber is given: any address in it is theirs.

    An IPv4 address written as IPv6 (RFC 4291, 2.5.5.2) counts as the IPv4 address it is.
    """
    try:
        address = ip_address((host or "").partition("%")[0])
    except ValueError:
        return UNKNOWN
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(ip_network((address, 64), strict=False))
        address = address.ipv4_mapped
    return str(address)
