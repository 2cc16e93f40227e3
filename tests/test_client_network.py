"""Whom a limit counts."""

import pytest

from engine.client_network import UNKNOWN, client_network


@pytest.mark.parametrize(
    ("host", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, UNKNOWN),
        ("", UNKNOWN),
        ("testclient", UNKNOWN),
    ],
)
def test_network_is_what_a_subscriber_is_given(host: str | None, network: str) -> None:
    """One IPv4 address, one IPv6 /64: changing addresses inside it wins nothing."""
    assert client_network(host) == network
