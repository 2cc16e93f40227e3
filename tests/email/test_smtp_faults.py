"""Every step of handing a message over, failing in every way: what it means, what follows."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from engine.email.answers import (
    HandOffUnknownError,
    MessageDeferredError,
    MessageRefusedError,
    ServerUnavailableError,
)
from engine.email.mail_object import MailObject
from engine.email.smarthost import Smarthost
from engine.email.transport import SmtpPool
from engine.errors import ConnectError
from tests.email.faulty_server import Fault, FaultyServer, Step, faulty_server
from tests.email.stack import Stack

MAIL = MailObject("a@example.com", "b@example.com", b"Subject: x\r\n\r\n.x\r\n", "1.tag")

_LOST = (Fault.DROP, Fault.SILENCE, Fault.TRICKLE, Fault.GARBAGE, Fault.OVERLONG)
_LATER = ("451 4.3.0 not now", "452-4.3.1 full\r\n452 4.3.1 and more", "450 no status")
_NEVER = ("550 5.1.1 unknown", "554-5.7.1 spam\r\n554 5.7.1 and more", "550 no status")
_GOING = ("421 4.3.2 closing",)


def cases() -> list[tuple[Step, Fault | str, type[ConnectError], bool]]:
    """Step, fault, what it means, and whether commands are sent in groups."""
    ours = [
        (step, fault, ServerUnavailableError)
        for step in (Step.GREETING, Step.EHLO, Step.MAIL)
        for fault in (*_LOST, *_LATER, *_NEVER, *_GOING, "650 what")
    ]
    readers: list[tuple[Step, Fault | str, type[ConnectError]]] = []
    for step in (Step.RCPT, Step.DATA, Step.CONTENT):
        lost = HandOffUnknownError if step is Step.CONTENT else MessageDeferredError
        readers += [(step, fault, lost) for fault in (*_LOST, "199 what", "650 what")]
        readers += [(step, fault, MessageDeferredError) for fault in _LATER]
        readers += [(step, fault, MessageRefusedError) for fault in _NEVER]
        readers += [(step, fault, ServerUnavailableError) for fault in _GOING]
    readers += [
        (Step.RCPT, "354 what", MessageDeferredError),
        (Step.DATA, "250 what", MessageDeferredError),
        (Step.DATA, "503 5.5.1 out of step", MessageDeferredError),
        (Step.RCPT, "503 5.5.1 out of step", MessageDeferredError),
        (Step.CONTENT, "354 what", HandOffUnknownError),
        (Step.CONTENT, "250-never ending", HandOffUnknownError),
    ]
    told = [*ours, *readers]
    in_groups = [case for case in told if case[0] not in {Step.GREETING, Step.EHLO}]
    return [*((*case, False) for case in told), *((*case, True) for case in in_groups)]


@pytest.fixture
async def server() -> AsyncIterator[FaultyServer]:
    """A server that fails on command."""
    async with faulty_server() as serving:
        yield serving


class Clock:
    """A monotonic clock that stands still until it is told."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def send(pool: SmtpPool, mail: MailObject = MAIL) -> str:
    """One message through the pool, in a group of commands where the server offers that."""
    async with pool.connection() as connection:
        if not connection.pipelines:
            return await connection.send(mail)
        stack = Stack([mail])
        await connection.carry(stack)
    if not stack.answers:
        return await send(pool, mail)
    ((_, answer),) = stack.answers
    if isinstance(answer, ConnectError):
        raise answer
    return answer


@pytest.mark.parametrize("kept", [False, True], ids=["new", "kept"])
@pytest.mark.parametrize(
    ("step", "fault", "meaning", "pipelining"),
    cases(),
    ids=lambda value: getattr(value, "name", getattr(value, "__name__", str(value)[:12])),
)
async def test_whatever_fails_is_told_rightly_and_the_next_message_goes(
    *,
    server: FaultyServer,
    step: Step,
    fault: Fault | str,
    meaning: type[ConnectError],
    kept: bool,
    pipelining: bool,
) -> None:
    """The error says whose fault it was; what was not taken is never called taken; and once the
    server is well the next message goes through."""
    clock = Clock()
    server.pipelining = pipelining
    # A silent server is waited for in full, so not for long; no other answer is hurried.
    silent = fault in {Fault.SILENCE, Fault.TRICKLE, "250-never ending"}
    pool = SmtpPool([Smarthost.from_url(server.url, 0.7 if silent else 10)], 2, clock)
    before = 0
    if kept:
        assert await send(pool) == "250"
        before = 1
        if step in {Step.GREETING, Step.EHLO}:
            server.drop()
    server.faults[step] = fault
    with pytest.raises(meaning) as raised:
        await send(pool)
    assert type(raised.value) is meaning
    known_taken = before + (1 if step is Step.CONTENT else 0)
    assert len(server.taken) == known_taken
    server.faults.clear()
    clock.now += 3600
    assert await send(pool) == "250"
    assert len(server.taken) == known_taken + 1
    assert server.taken[-1][1] == MAIL.message
    assert pool.seconds_down() == 0
    await pool.close()


@pytest.mark.parametrize("step", [Step.MAIL, Step.RCPT, Step.CONTENT])
async def test_an_answer_too_many_is_held_against_nobody(server: FaultyServer, step: Step) -> None:
    """A reply that nobody asked for is not taken for the answer to the next command: no reader is
    refused for it, and the connection is not used again."""
    pool = SmtpPool([Smarthost.from_url(server.url, 2)], 1)
    server.extra[step] = "550 5.1.1 nobody asked"
    if step is Step.CONTENT:
        assert await send(pool) == "250"
    else:
        with pytest.raises(MessageDeferredError, match="garbage"):
            await send(pool)
    server.extra.clear()
    assert await send(pool) == "250"
    assert len(server.connections) == 2
    await pool.close()


async def test_a_server_without_ehlo_is_greeted_by_helo(server: FaultyServer) -> None:
    """RFC 5321, 3.2: an old server knows HELO."""
    server.faults[Step.EHLO] = "502 5.5.1 not known"
    pool = SmtpPool([Smarthost.from_url(server.url, 2)], 1)
    assert await send(pool) == "250"
    await pool.close()


async def test_a_reset_that_fails_costs_the_connection_alone(server: FaultyServer) -> None:
    """A refused reader is refused; a server that cannot start over gets a new connection."""
    pool = SmtpPool([Smarthost.from_url(server.url, 5)], 1)
    server.faults = {Step.RCPT: "550 5.1.1 unknown", Step.RSET: "500 5.5.1 what"}
    with pytest.raises(MessageRefusedError) as refused:
        await send(pool)
    assert str(refused.value) == "550 5.1.1"
    server.faults.clear()
    assert await send(pool) == "250"
    assert len(server.connections) == 2
    await pool.close()


async def test_many_lost_in_a_row_are_the_servers_fault(server: FaultyServer) -> None:
    """A server that takes the envelope and never answers DATA exhausts no message: from the third
    on, it is the server that is down."""
    pool = SmtpPool([Smarthost.from_url(server.url, 0.7)], 1)
    server.faults[Step.DATA] = Fault.SILENCE
    for _ in range(2):
        with pytest.raises(MessageDeferredError):
            await send(pool)
    for _ in range(2):
        with pytest.raises(ServerUnavailableError):
            await send(pool)
    (status,) = pool.status()
    assert status.reason == "data_timeout"
    assert status.seconds_down is not None
    assert len(server.connections) == 3
    await pool.close()


async def test_one_reader_at_whom_the_server_falls_silent_delays_no_other(
    server: FaultyServer,
) -> None:
    """While one message waits for its answer, another goes on the lane beside it."""
    server.faults_for["slow@example.com"] = {Step.RCPT: Fault.TRICKLE}
    pool = SmtpPool([Smarthost.from_url(server.url, 30)], 4)
    slow = asyncio.create_task(
        send(pool, MailObject("a@example.com", "slow@example.com", MAIL.message))
    )
    await server.waiting.wait()
    for _ in range(3):
        assert await send(pool) == "250"
    assert not slow.done()
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)
    await pool.close()


async def test_a_slow_server_that_ends_in_time_is_no_fault(server: FaultyServer) -> None:
    """Answers that come byte by byte, some of many lines, are read whole."""
    server.slow = server.dsn = True
    pool = SmtpPool([Smarthost.from_url(server.url, 5)], 1)
    assert await send(pool) == "250"
    assert "ENVID=1.tag" in server.commands[0]
    await pool.close()
