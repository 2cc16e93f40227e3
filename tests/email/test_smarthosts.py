"""Several smarthosts, the connections they grant, TLS, and lanes kept for urgent mail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from ipaddress import ip_network
from pathlib import Path

import pytest
import structlog

from engine.email.answers import ServerUnavailableError
from engine.email.mail_object import MailObject
from engine.email.smarthost import Safety, Smarthost, advice
from engine.email.transport import SmtpPool
from tests.email.faulty_server import Fault, FaultyServer, Step, faulty_server
from tests.tls import certificate

MAIL = MailObject("a@example.com", "b@example.com", b"Subject: x\r\n\r\nx\r\n")


class Clock:
    """A monotonic clock that stands still until it is told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def send(pool: SmtpPool, *, urgent: bool = False) -> str:
    """One message through the pool."""
    async with pool.connection(urgent=urgent) as connection:
        return await connection.send(MAIL)


@pytest.fixture
async def servers() -> AsyncIterator[tuple[FaultyServer, FaultyServer]]:
    """Two servers."""
    async with AsyncExitStack() as stack:
        yield (
            await stack.enter_async_context(faulty_server()),
            await stack.enter_async_context(faulty_server()),
        )


def pool_at(*servers: FaultyServer, clock: Clock, size: int = 4, timeout: float = 1.0) -> SmtpPool:
    """A pool to `servers`, in this order."""
    return SmtpPool([Smarthost.from_url(one.url, timeout) for one in servers], size, clock)


@pytest.mark.parametrize(
    ("step", "fault"),
    [
        (Step.GREETING, "554 5.3.2 no"),
        (Step.GREETING, Fault.SILENCE),
        (Step.EHLO, Fault.DROP),
        (Step.MAIL, "530 5.7.0 who are you"),
        (Step.MAIL, "452 4.3.1 full"),
        (Step.MAIL, Fault.SILENCE),
    ],
)
async def test_mail_goes_to_the_next_and_comes_back(
    servers: tuple[FaultyServer, FaultyServer], step: Step, fault: Fault | str
) -> None:
    """A server that takes no mail is passed over by the very message that found out; it is tried
    again in the background, and has the mail again once it is well."""
    first, second = servers
    clock = Clock()
    pool = pool_at(*servers, clock=clock)
    first.faults[step] = fault
    for _ in range(3):
        assert await send(pool) == "250"
    assert (len(first.taken), len(second.taken)) == (0, 3)
    down, up = pool.status()
    assert down.seconds_down is not None
    assert down.reason
    assert up.seconds_down is None
    assert pool.seconds_down() == 0
    first.faults.clear()
    clock.now += 3600
    while not first.taken:
        assert await send(pool) == "250"
        await asyncio.sleep(0)
    taken = len(second.taken)
    assert await send(pool) == "250"
    assert len(second.taken) == taken
    assert [status.seconds_down for status in pool.status()] == [None, None]
    await pool.close()


async def test_a_connection_that_waited_proves_nothing(
    servers: tuple[FaultyServer, FaultyServer],
) -> None:
    """One that was opened ahead and not used for a minute may be closed by a server that is well:
    a new one is asked before the server is passed over."""
    first, _ = servers
    clock = Clock()
    pool = pool_at(first, clock=clock)
    (station,) = pool.smarthosts.stations
    change = asyncio.create_task(pool.smarthosts.change())
    await asyncio.sleep(0)
    assert station.open_one()
    await change
    clock.now += 60
    first.faults[Step.MAIL] = "421 4.4.2 idle too long"
    with pytest.raises(ServerUnavailableError, match="mail_from_421"):
        await send(pool)
    assert len(first.connections) == 2
    await pool.close()


async def test_a_server_that_stays_down_is_asked_less_and_less(
    servers: tuple[FaultyServer, FaultyServer],
) -> None:
    """The wait grows; until it is over, a message finds out at once that nobody takes it."""
    first, _ = servers
    first.faults[Step.GREETING] = "554 5.3.2 no"
    clock = Clock()
    pool = pool_at(first, clock=clock)
    waits = []
    for _ in range(8):
        with pytest.raises(ServerUnavailableError, match=r"greeting_554 5\.3\.2"):
            await send(pool)
        asked = len(first.connections)
        with pytest.raises(ServerUnavailableError, match=r"greeting_554 5\.3\.2"):
            await send(pool)
        assert len(first.connections) == asked
        begun = clock.now
        clock.now = pool.smarthosts.stations[0].health.again_at
        waits.append(clock.now - begun)
    assert waits[-1] > 10 * waits[0]
    assert max(waits) <= 30
    assert pool.seconds_down() == clock.now - 1000
    await pool.close()


async def test_the_connections_that_are_granted_are_used(
    servers: tuple[FaultyServer, FaultyServer],
) -> None:
    """A server that grants two connections is not down: what would be the third waits for one of
    the two, and no message is put off."""
    first, _ = servers
    first.most_connections = 2
    clock = Clock()
    pool = pool_at(first, clock=clock, timeout=5)
    assert await asyncio.gather(*(send(pool) for _ in range(20))) == ["250"] * 20
    (status,) = pool.status()
    assert (status.granted, status.seconds_down) == (2, None)
    assert first.open == 2
    first.most_connections = 4
    clock.now += 3600
    async with AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(pool.connection(urgent=True))
        assert first.open == 4
    await pool.close()


async def test_what_one_server_does_not_grant_the_next_one_takes(
    servers: tuple[FaultyServer, FaultyServer],
) -> None:
    """Lanes beyond what the first server grants go to the second."""
    first, second = servers
    first.most_connections = 1
    pool = pool_at(*servers, clock=Clock(), timeout=5)
    async with AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(pool.connection(urgent=True))
        assert (first.open, second.open) == (1, 3)
    await pool.close()


async def test_a_server_that_is_slow_to_greet_keeps_nobody(
    servers: tuple[FaultyServer, FaultyServer],
) -> None:
    """While the first server does not finish its greeting, the second takes the mail."""
    first, second = servers
    first.faults[Step.GREETING] = Fault.TRICKLE
    pool = pool_at(*servers, clock=Clock(), timeout=60)
    assert await asyncio.gather(*(send(pool) for _ in range(5))) == ["250"] * 5
    assert len(second.taken) == 5
    assert len(first.connections) == 1
    await pool.close()


async def test_bulk_never_has_the_last_lane(servers: tuple[FaultyServer, FaultyServer]) -> None:
    """With every bulk lane held up by a server that does not answer, urgent mail goes at once."""
    first, _ = servers
    first.faults_for["slow@example.com"] = {Step.RCPT: Fault.SILENCE}
    pool = pool_at(first, clock=Clock(), timeout=60)
    slow = MailObject("a@example.com", "slow@example.com", b"x\r\n")

    async def bulk() -> None:
        async with pool.connection() as connection:
            await connection.send(slow)

    running = [asyncio.create_task(bulk()) for _ in range(10)]
    while sum(command.startswith("RCPT") for command in first.commands) < 3:
        await first.waiting.wait()
        await asyncio.sleep(0)
    assert await send(pool, urgent=True) == "250"
    assert sum(command.startswith("RCPT") for command in first.commands) == 4
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert await send(pool) == "250"
    await pool.close()


async def test_on_a_single_lane_urgent_mail_goes_first(
    servers: tuple[FaultyServer, FaultyServer],
) -> None:
    """Where one connection is all there is, bulk may use it, and urgent mail is next."""
    pool = pool_at(servers[0], clock=Clock(), size=1, timeout=5)
    order: list[str] = []

    async def one(name: str, *, urgent: bool) -> None:
        async with pool.connection(urgent=urgent):
            order.append(name)

    async with pool.connection():
        waiting = [asyncio.create_task(one(f"bulk {n}", urgent=False)) for n in range(3)]
        gone = asyncio.create_task(one("gone", urgent=True))
        waiting.append(asyncio.create_task(one("urgent", urgent=True)))
        await asyncio.sleep(0)
        gone.cancel()
    await asyncio.gather(*waiting)
    assert order == ["urgent", "bulk 0", "bulk 1", "bulk 2"]
    await pool.close()


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
async def test_mail_and_password_travel_under_tls(tmp_path: Path, implicit: bool) -> None:
    """A server with the right certificate is signed in to, and takes the message, under TLS."""
    context, authority = certificate(tmp_path, "127.0.0.1")
    async with faulty_server(context, implicit=implicit) as server:
        server.credentials = (b"relay", b"p@ss")
        scheme = "smtps" if implicit else "smtp+starttls"
        url = server.url.replace("smtp://", f"{scheme}://relay:p%40ss@")
        pool = SmtpPool([Smarthost.from_url(url, 5, ca_file=authority)], 1)
        assert await send(pool) == "250"
        (connection,) = server.connections
        assert connection.transport is not None
        assert connection.transport.get_extra_info("cipher")
        await pool.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "127.0.0.2"])
async def test_a_certificate_that_proves_nothing_is_refused(tmp_path: Path, name: str) -> None:
    """Made out by nobody we know, or to another name: no message and no password is sent."""
    context, authority = certificate(tmp_path, name)
    known = None if name == "127.0.0.1" else authority
    async with faulty_server(context) as server:
        url = server.url.replace("smtp://", "smtp+starttls://u:p@")
        pool = SmtpPool([Smarthost.from_url(url, 5, ca_file=known)], 1)
        with structlog.testing.capture_logs() as logs, pytest.raises(ServerUnavailableError) as no:
            await send(pool)
        assert str(no.value) == "certificate"
        assert not server.commands
        (said,) = [entry for entry in logs if entry["event"] == "smarthost_down"]
        assert "SMTP_CA_FILE" in said["advice"]
        await pool.close()


async def test_without_tls_nothing_is_said(servers: tuple[FaultyServer, FaultyServer]) -> None:
    """A server that offers no STARTTLS hears of no message, and the log says what to set."""
    first, _ = servers
    url = first.url.replace("smtp://", "smtp+starttls://")
    pool = SmtpPool([Smarthost.from_url(url, 5)], 1)
    with structlog.testing.capture_logs() as logs, pytest.raises(ServerUnavailableError) as no:
        await send(pool)
    assert str(no.value) == "tls_not_offered"
    assert not first.commands
    (said,) = [entry for entry in logs if entry["event"] == "smarthost_down"]
    assert "SMTP_PLAIN_NETWORKS" in said["advice"]
    await pool.close()


async def test_a_refused_password_is_nobody_s_fault(
    servers: tuple[FaultyServer, FaultyServer],
) -> None:
    """It is said with the server's code and what to look at; neither name nor password is."""
    first, _ = servers
    first.credentials = (b"u", b"right")
    url = first.url.replace("smtp://", "smtp://u:wrong-word@")
    pool = SmtpPool([Smarthost.from_url(url, 5)], 1)
    with structlog.testing.capture_logs() as logs, pytest.raises(ServerUnavailableError) as no:
        await send(pool)
    assert str(no.value).startswith("auth_535")
    assert "wrong-word" not in repr(logs)
    assert "SMTP_URL" in str(logs)
    await pool.close()


async def test_mail_in_the_clear_stays_in_the_networks_that_are_named(
    servers: tuple[FaultyServer, FaultyServer],
) -> None:
    """Where the address that answers lies in no trusted network, nothing is said."""
    plain = Smarthost("127.0.0.1", int(servers[0].url.rpartition(":")[2]), Safety.PLAIN)
    assert await send(SmtpPool([plain], 1)) == "250"
    signing_in = Smarthost(plain.host, plain.port, Safety.PLAIN, username="u", password="p")
    with pytest.raises(ServerUnavailableError, match="auth_in_the_clear"):
        await send(SmtpPool([signing_in], 1))
    outside = Smarthost.from_url(
        "smtp+plain://192.0.2.1", 5, plain_networks=[ip_network("10.0.0.0/8")]
    )
    assert not outside._trusts("192.0.2.1")
    assert outside._trusts("10.2.3.4")
    assert outside._trusts("127.0.0.1")


def test_there_is_advice_for_what_a_person_can_mend() -> None:
    """Every word that a person can act on says how."""
    for word in ("tls_not_offered", "certificate", "untrusted_network", "auth_535 5.7.8"):
        assert advice(word)
    assert advice("timeout") is None
