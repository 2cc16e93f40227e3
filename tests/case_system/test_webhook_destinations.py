"""Where webhooks may go: nowhere into our own network, whatever a name or an address looks like."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

import pytest

from engine.case_system.webhooks.destinations import Rules, SystemResolver
from engine.case_system.webhooks.posting import Poster
from engine.errors import InputError
from tests.tls import certificate
from tests.webhook_server import listening

OUTSIDE = Rules(loopback=False)
AT_HOME = Rules(loopback=True)
WITHIN = Rules(loopback=False, networks=(ip_network("10.1.0.0/16"), ip_network("127.0.0.0/8")))
REFUSED = [
    *("127.0.0.1", "127.8.8.8", "::1", "0.0.0.1", "::", "10.0.0.5", "172.16.0.1", "192.168.1.1"),
    # A cloud's metadata, carrier-grade NAT, benchmarking, documentation, multicast, reserved.
    *("169.254.169.254", "100.64.0.1", "198.18.0.1", "192.0.2.1", "224.0.1.1", "240.0.0.1"),
    *("255.255.255.255", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1"),
    # IPv4 in IPv6: mapped, translated, 6to4, Teredo.
    *("::ffff:10.0.0.5", "::ffff:127.0.0.1", "64:ff9b::a00:5", "64:ff9b::7f00:1"),
    *("2002:a00:5::1", "2001:0:a00:5::1"),
]
WRONG = [
    *("http://hooks.example/", "ftp://hooks.example/", "https:///x", "hooks.example", "//hooks/x"),
    *("https://u:p@hooks.example/", "https://hooks.example/#x", "https://hooks.example:0/"),
    *("https://hooks.example:port/", "https://[::1", "https://hooks.example/a b", "file:///etc"),
    *("https://hooks.example/\r\nHost: x", "https://h\u043e\u043eks.example/", "https://10.0.0.5/"),
    *("https://[::ffff:10.0.0.5]/", "https://127.0.0.1/", "http://localhost/"),
    "https://a/" + "x" * 999,
]  # fmt: skip


@dataclass
class Names:
    """A name server of a test: each question gets the next answer."""

    answers: list[Sequence[str]]
    asked: list[str] = field(default_factory=list)

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(f"{host}:{port}")
        return self.answers.pop(0)


@pytest.mark.parametrize("address", REFUSED)
def test_no_address_of_a_network_that_is_not_public(address: str) -> None:
    """Private, local, shared, reserved, and each of them written as IPv6."""
    with pytest.raises(InputError, match="not a public one"):
        OUTSIDE.require(address)


def test_public_addresses_and_those_that_are_allowed() -> None:
    """A setting opens a network; the loopback is open on a machine that is tried out."""
    for address in ("8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"):
        OUTSIDE.require(address)
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1"):
        WITHIN.require(address)
    for address in ("127.0.0.1", "::1"):
        AT_HOME.require(address)
    with pytest.raises(InputError):
        WITHIN.require("10.2.0.1")
    with pytest.raises(InputError):
        AT_HOME.require("10.1.2.3")


@pytest.mark.parametrize("url", WRONG)
def test_what_is_no_https_url_is_refused(url: str) -> None:
    """A wrong one is said when it is added; it is not shown."""
    with pytest.raises(InputError) as caught:
        OUTSIDE.parts(url)
    assert url not in str(caught.value)


def test_https_urls_are_taken() -> None:
    """With a port, a path and a query; plain HTTP to this machine alone, where it is tried out."""
    for url in ("https://hooks.example/a?b=c", "https://hooks.example:8443", "https://8.8.8.8/"):
        OUTSIDE.parts(url)
    AT_HOME.parts("http://127.0.0.1:8080/hook")
    with pytest.raises(InputError):
        AT_HOME.parts("http://hooks.example/")


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["169.254.169.254"], ["8.8.8.8", "10.0.0.5"], ["::ffff:127.0.0.1"]]
)
async def test_what_a_name_resolves_to_is_judged(addresses: list[str]) -> None:
    """Nothing is posted, even where one of several addresses is refused."""
    names = Names([addresses])
    answer = await Poster(OUTSIDE, names).post("https://hooks.example/", {}, b"{}")
    assert (answer.taken, answer.said) == (False, "its address is refused")
    assert names.asked == ["hooks.example:443"]


async def test_the_address_that_was_judged_is_connected_to(tmp_path: Path) -> None:
    """A name is asked for once: what it would answer the next time is not connected to. The
    certificate is asked for the name."""
    served, ca = certificate(tmp_path, "hooks.example")
    async with listening(tls=served) as hook:
        port = hook.url.rpartition(":")[2].partition("/")[0]
        names = Names([["127.0.0.1"], ["10.9.9.9"]])
        answer = await Poster(WITHIN, names, ca).post(
            f"https://hooks.example:{port}/in?x=1", {"webhook-id": "msg_1"}, b"{}"
        )
        assert answer.taken
        assert len(names.asked) == 1
        ((headers, body),) = hook.posts
        assert headers["host"] == f"hooks.example:{port}"
        assert body == b"{}"
        wrong = await Poster(WITHIN, Names([["127.0.0.1"]]), ca).post(
            f"https://another.example:{port}/", {}, b"{}"
        )
        stranger = await Poster(WITHIN, Names([["127.0.0.1"]])).post(
            f"https://hooks.example:{port}/", {}, b"{}"
        )
        assert (wrong.said, stranger.said) == ("TLS failed", "TLS failed")
        assert len(hook.posts) == 1


async def test_an_answer_is_not_read_and_not_waited_for_without_end() -> None:
    """Of an answer of many megabytes the status counts; one that does not come is none."""
    async with listening() as hook:
        hook.answer_body = b"x" * 20_000_000
        poster = Poster(AT_HOME, SystemResolver(), within=0.2)
        hook.open.clear()
        assert (await poster.post(hook.url, {}, b"{}")).said == "no answer in time"
        hook.open.set()
        assert (await Poster(AT_HOME, SystemResolver()).post(hook.url, {}, b"{}")).taken
    nobody = await Poster(AT_HOME, SystemResolver()).post(hook.url, {}, b"{}")
    assert nobody.said == "nobody answers there"
    unknown = await Poster(OUTSIDE, SystemResolver()).post("https://hooks.invalid/", {}, b"{}")
    assert unknown.said == "its name is not found"
