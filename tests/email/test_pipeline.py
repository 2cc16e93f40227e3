"""Messages in groups of commands: each answer is for its own message, whatever breaks off where."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.email.answers import (
    HandOffUnknownError,
    MessageDeferredError,
    MessageRefusedError,
    Reply,
    ServerUnavailableError,
)
from engine.email.mail_object import MailObject
from engine.email.replies import GarbageError, Replies
from engine.email.smarthost import Smarthost
from engine.email.transport import SmtpPool
from engine.errors import ConnectError
from tests.email.faulty_server import Fault, FaultyServer, Step, faulty_server
from tests.email.stack import Stack


@pytest.fixture
async def server() -> AsyncIterator[FaultyServer]:
    """A server that takes commands in groups, and fails on command."""
    async with faulty_server() as serving:
        serving.pipelining = True
        yield serving


def mails(number: int) -> list[MailObject]:
    """So many messages, the content of each naming its reader."""
    return [
        MailObject(f"b{n}@example.com", f"r{n}@example.com", f"X: {n}\r\n\r\n.{n}\r\n".encode())
        for n in range(number)
    ]


async def carry(pool: SmtpPool, stack: Stack) -> None:
    """Until nothing waits, over connection after connection."""
    while stack.waiting and stack.lease_holds:
        async with pool.connection() as connection:
            if connection.pipelines:
                await connection.carry(stack)
            else:
                mail = stack.waiting.popleft()
                with pytest.raises(ServerUnavailableError) as unavailable:
                    await connection.send(mail)
                stack.answered(mail, unavailable.value)


def by_reader(stack: Stack) -> dict[str, str]:
    """Reader → the reply code, or the kind of error."""
    return {
        mail.recipient: answer if isinstance(answer, str) else type(answer).__name__
        for mail, answer in stack.answers
    }


async def test_each_third_reader_is_refused_and_no_other(server: FaultyServer) -> None:
    """Over two connections at once: who is refused is told so, the others have their own words."""
    sent = mails(30)
    refused = {mail.recipient for mail in sent[::3]}
    server.faults_for = {reader: {Step.RCPT: "550 5.1.1 unknown"} for reader in refused}
    pool = SmtpPool([Smarthost.from_url(server.url, 10)], 2)
    stack = Stack(sent)
    await asyncio.gather(carry(pool, stack), carry(pool, stack))
    answers = by_reader(stack)
    assert len(stack.answers) == len(answers) == 30
    assert {reader for reader, word in answers.items() if word == "MessageRefusedError"} == refused
    assert {word for reader, word in answers.items() if reader not in refused} == {"250"}
    assert dict(server.taken) == {
        mail.recipient: mail.message for mail in sent if mail.recipient not in refused
    }
    assert len(server.taken) == 20
    assert len(server.connections) <= 2
    await pool.close()


@pytest.mark.parametrize("fault", [Fault.DROP, "421 4.3.2 closing", Fault.GARBAGE, "451 4.3.0 no"])
@pytest.mark.parametrize("step", [Step.RCPT, Step.DATA, Step.CONTENT, Step.MAIL])
async def test_a_connection_lost_anywhere_loses_one_message_at_most(
    server: FaultyServer, step: Step, fault: Fault | str
) -> None:
    """The message at which it broke off is told rightly; those before and after it are taken once,
    over a new connection where need be."""
    sent = mails(7)
    server.faults_for["r3@example.com"] = {step: fault}
    # MAIL is said before the reader is known: the server fails at the fourth.
    fails_at_mail = step is Step.MAIL
    if fails_at_mail:
        server.fail_at_mail = {4: fault}
    pool = SmtpPool([Smarthost.from_url(server.url, 10)], 1)
    stack = Stack(sent)
    await carry(pool, stack)
    answers = by_reader(stack)
    assert len(stack.answers) == len(answers) == 7
    word = answers.pop("r3@example.com")
    assert set(answers.values()) == {"250"}
    lost = HandOffUnknownError if step is Step.CONTENT else MessageDeferredError
    meanings: dict[Fault | str, type[ConnectError]] = {
        Fault.DROP: lost,
        Fault.GARBAGE: lost,
        "421 4.3.2 closing": ServerUnavailableError,
        "451 4.3.0 no": MessageDeferredError,
    }
    assert word == ("250" if fails_at_mail else meanings[fault].__name__)
    # What broke off after the content was read was taken, though nobody could know.
    taken = [recipient for recipient, _ in server.taken]
    expected = 7 if fails_at_mail or step is Step.CONTENT else 6
    assert len(taken) == len(set(taken)) == expected
    await pool.close()


async def test_slow_answers_belong_to_their_messages(server: FaultyServer) -> None:
    """Answers that come byte by byte are each read whole, and in order."""
    server.slow = True
    server.faults_for["r2@example.com"] = {Step.CONTENT: "554-5.7.1 no\r\n554 5.7.1 never"}
    pool = SmtpPool([Smarthost.from_url(server.url, 20)], 1)
    stack = Stack(mails(5))
    await carry(pool, stack)
    assert [by_reader(stack)[f"r{n}@example.com"] for n in range(5)] == [
        *("250", "250", "MessageRefusedError", "250", "250")
    ]
    assert len(server.connections) == 1
    await pool.close()


async def test_content_is_handed_over_only_while_the_lease_holds(server: FaultyServer) -> None:
    """The lease is asked again at the 354: what it no longer covers goes back, and the server,
    hung up on before the last dot, has nothing."""
    pool = SmtpPool([Smarthost.from_url(server.url, 10)], 1)
    stack = Stack(mails(3))
    asked = iter([True, False])
    stack.may_begin = lambda: next(asked)  # type: ignore[method-assign]
    async with pool.connection() as connection:
        await connection.carry(stack)
    assert by_reader(stack) == {"r0@example.com": "250"}
    assert [mail.recipient for mail in stack.waiting] == ["r1@example.com", "r2@example.com"]
    assert [recipient for recipient, _ in server.taken] == ["r0@example.com"]
    await pool.close()


async def test_an_answer_beyond_the_lease_is_unknown(server: FaultyServer) -> None:
    """Content whose answer does not come while the lease lasts may have been taken."""
    server.faults_for["r1@example.com"] = {Step.CONTENT: Fault.SILENCE}
    pool = SmtpPool([Smarthost.from_url(server.url, 60)], 1)
    stack = Stack(mails(2))
    stack.patience = 0.3
    await carry(pool, stack)
    (_, first), (_, second) = stack.answers
    assert first == "250"
    assert isinstance(second, HandOffUnknownError)
    assert str(second) == "timeout"
    await pool.close()


async def test_a_stopped_worker_knows_what_it_may_have_sent(server: FaultyServer) -> None:
    """Of a run that is cancelled, the message whose content was out is unknown, the rest unsent."""
    server.faults_for["r1@example.com"] = {Step.CONTENT: Fault.SILENCE}
    pool = SmtpPool([Smarthost.from_url(server.url, 60)], 1)
    stack = Stack(mails(5))
    run = asyncio.create_task(carry(pool, stack))
    await server.waiting.wait()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    assert by_reader(stack) == {"r0@example.com": "250", "r1@example.com": "HandOffUnknownError"}
    assert [mail.recipient for mail in stack.waiting] == [f"r{n}@example.com" for n in (2, 3, 4)]
    await pool.close()


async def test_a_stopped_worker_hears_what_became_of_the_last(server: FaultyServer) -> None:
    """What is out when a run is cancelled has its answer recorded; nothing more is begun."""
    pool = SmtpPool([Smarthost.from_url(server.url, 60)], 1)
    stack = Stack(mails(5))
    began = asyncio.Event()
    asked = iter([True, True, False, False])

    def may_begin() -> bool:
        began.set()
        return next(asked)

    stack.may_begin = may_begin  # type: ignore[method-assign]
    run = asyncio.create_task(carry(pool, stack))
    await began.wait()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    told = by_reader(stack)
    assert set(told.values()) == {"250"}
    assert [recipient for recipient, _ in server.taken] == list(told)
    assert len(told) + len(stack.waiting) == 5
    await pool.close()


async def test_a_fault_of_ours_is_raised_and_loses_nothing(server: FaultyServer) -> None:
    """Where the next message cannot be had, whoever asked for it hears why."""
    pool = SmtpPool([Smarthost.from_url(server.url, 10)], 1)
    stack = Stack(mails(4))
    ours = stack.next

    def faulty() -> MailObject | None:
        if len(stack.waiting) == 1:
            raise LookupError("ours")
        return ours()

    stack.next = faulty  # type: ignore[method-assign]
    async with pool.connection() as connection:
        with pytest.raises(LookupError, match="ours"):
            await connection.carry(stack)
    told = {mail.recipient for mail, _ in stack.answers}
    assert told | {mail.recipient for mail in stack.waiting} == {
        f"r{n}@example.com" for n in range(4)
    }
    await pool.close()


async def test_a_host_may_be_spared_groups(server: FaultyServer) -> None:
    """SMTP_ONE_BY_ONE names servers that offer more than they can do."""
    host = server.url.removeprefix("smtp://")
    for spared in (host, "127.0.0.1"):
        pool = SmtpPool([Smarthost.from_url(server.url, 10, one_by_one=[spared])], 1)
        async with pool.connection() as connection:
            assert not connection.pipelines
        await pool.close()


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[str]:
    """A server that says what `talk` says; its URL."""
    served = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"smtp://127.0.0.1:{served.sockets[0].getsockname()[1]}"
    finally:
        served.close()


async def test_a_354_after_a_refusal_gets_a_lone_dot() -> None:
    """RFC 2920, 3.1: a server may ask for content though it took no recipient. It gets none, and
    the next message is its own."""
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx.example\r\n")
        in_content = False
        while line := await reader.readline():
            heard.append(line)
            if in_content:
                in_content = line != b".\r\n"
                answer = b"" if in_content else b"250 done\r\n"
            elif line.startswith(b"EHLO"):
                answer = b"250-mx.example\r\n250 PIPELINING\r\n"
            elif line.startswith(b"RCPT TO:<r0@"):
                answer = b"550 5.1.1 unknown\r\n"
            elif line == b"DATA\r\n":
                in_content = True
                answer = b"354 go ahead\r\n"
            else:
                answer = b"250 fine\r\n"
            writer.write(answer)
        writer.close()

    async with serving(talk) as url:
        pool = SmtpPool([Smarthost.from_url(url, 10)], 1)
        stack = Stack(mails(2))
        await carry(pool, stack)
        (_, refused), (_, taken) = stack.answers
        await pool.close()
    assert isinstance(refused, MessageRefusedError)
    assert taken == "250"
    first = heard.index(b"DATA\r\n")
    assert heard[first + 1] == b".\r\n"
    assert b"X: 0\r\n" not in heard
    assert b"..1\r\n" in heard


_line = st.tuples(st.integers(200, 599), st.text("abc .-", max_size=9))


@given(st.lists(_line, min_size=1, max_size=6), st.data())
def test_answers_are_read_however_they_are_cut(
    lines: list[tuple[int, str]], data: st.DataObject
) -> None:
    """The pieces in which bytes arrive change nothing."""
    said = "".join(f"{code}-first\r\n{code} {words}\r\n" for code, words in lines).encode()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(said)), max_size=8)))
    replies = Replies()
    found = [
        reply
        for start, end in zip([0, *cuts], [*cuts, len(said)], strict=True)
        for reply in replies.read(said[start:end])
    ]
    assert found == [Reply.read(code, f"first\n{words.strip()}") for code, words in lines]
    assert replies.is_between


@pytest.mark.parametrize(
    "said",
    [
        b"what?\r\n",
        b"25\r\n",
        b"199 x\r\n",
        b"\r\n",
        b"250 " + b"x" * 9000,
        b"250-abcdef\r\n" * 9999,
    ],
)
def test_what_is_no_answer_is_not_listened_to(said: bytes) -> None:
    """Nor what never ends."""
    with pytest.raises(GarbageError):
        list(Replies().read(said))
