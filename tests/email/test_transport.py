"""The SMTP transport: kept connections, and what each way of failing means."""

import pytest
from aiosmtpd.smtp import Envelope

from engine.email.answers import (
    HandOffUnknownError,
    MessageDeferredError,
    MessageRefusedError,
    ServerUnavailableError,
)
from engine.email.mail_object import MailObject
from engine.email.smarthost import Safety, Smarthost
from engine.email.transport import SmtpPool
from tests.smtp_server import SmtpServer

MAIL = MailObject("a@example.com", "b@example.com", b"Subject: x\r\n\r\nx\r\n", "1.tag")


def pool_at(url: str, size: int = 1) -> SmtpPool:
    """A pool to the server at `url`."""
    return SmtpPool([Smarthost.from_url(url, timeout=5)], size)


async def send(pool: SmtpPool) -> str:
    """One message through the pool."""
    async with pool.connection() as connection:
        return await connection.send(MAIL)


async def test_a_connection_is_kept_between_messages(smtp: SmtpServer) -> None:
    """Ten messages, one after the other, use one connection."""
    pool = pool_at(smtp.url)
    for _ in range(10):
        assert await send(pool) == "250"
    await pool.close()
    assert len(smtp.taken) == 10
    assert smtp.sessions == 1


async def test_a_connection_the_server_dropped_is_replaced(smtp: SmtpServer) -> None:
    """An idle connection that was closed meanwhile costs nothing: the message is sent anew."""
    pool = pool_at(smtp.url)
    await send(pool)
    smtp.drop_idle()
    assert await send(pool) == "250"
    await pool.close()
    assert smtp.sessions == 2


async def test_many_dropped_connections_are_nobody_s_fault(smtp: SmtpServer) -> None:
    """Every idle connection closed: the next message opens a new one, and is not put off."""
    pool = pool_at(smtp.url, size=2)
    async with pool.connection(urgent=True) as one, pool.connection(urgent=True) as two:
        for connection in (one, two):
            await connection.send(MAIL)
    smtp.drop_idle()
    assert await send(pool) == "250"
    await pool.close()


async def test_a_refused_sender_is_not_the_reader_s_fault(smtp: SmtpServer) -> None:
    """A 5xx to MAIL FROM is about us: no message is refused for it, and no letter is sent."""
    smtp.refuse_sender = "530 5.7.0 authentication required"
    with pytest.raises(ServerUnavailableError, match="mail_from_530"):
        await send(pool_at(smtp.url))


@pytest.mark.parametrize(
    ("verb", "reply", "error"),
    [
        ("RCPT", "550 5.1.1 unknown", MessageRefusedError),
        ("RCPT", "450 4.2.1 busy", MessageDeferredError),
        ("RCPT", "421 4.3.2 closing", ServerUnavailableError),
        ("DATA", "554 5.7.1 spam", MessageRefusedError),
        ("DATA", "452 4.3.1 full", MessageDeferredError),
        ("DATA", "421 4.3.2 closing", ServerUnavailableError),
    ],
)
async def test_a_reply_means_what_its_first_digit_says(
    smtp: SmtpServer, verb: str, reply: str, error: type[Exception]
) -> None:
    """4xx: later. 5xx: never. 421: the server is going, whatever the message (RFC 5321, 3.8).
    The next message goes through, on the same connection or another."""

    def script(asked: str, _envelope: Envelope) -> str | None:
        return reply if asked == verb else None

    smtp.script = script
    pool = pool_at(smtp.url)
    with pytest.raises(error) as caught:
        await send(pool)
    assert str(caught.value) == reply[:9]
    smtp.script = lambda _verb, _envelope: None
    assert await send(pool) == "250"
    await pool.close()


async def test_lost_after_data_is_unknown(smtp: SmtpServer) -> None:
    """The server took the message and the answer was lost: neither sent nor unsent."""
    smtp.drop_after_data = True
    with pytest.raises(HandOffUnknownError):
        await send(pool_at(smtp.url))
    assert len(smtp.taken) == 1


async def test_no_server_is_nobody_s_fault() -> None:
    """A refused connection is the server's, not the message's."""
    with pytest.raises(ServerUnavailableError):
        await send(pool_at("smtp://127.0.0.1:9"))


def test_a_url_says_how_to_connect() -> None:
    """Scheme, port and credentials; the password is shown by no repr."""
    starttls = Smarthost.from_url("smtp+starttls://u%40x:p%3A@relay.example:587", 5)
    assert (starttls.host, starttls.port, starttls.safety) == ("relay.example", 587, "starttls")
    assert (starttls.username, starttls.password) == ("u@x", "p:")
    assert "p:" not in repr(starttls)
    assert Smarthost.from_url("smtps://relay.example", 5).port == 465
    assert Smarthost.from_url("smtp://relay.example", 5).port == 25


@pytest.mark.parametrize(
    ("url", "safety"),
    [
        ("smtp://relay.example", Safety.STARTTLS),
        ("smtp://10.1.2.3", Safety.STARTTLS),
        ("smtp://localhost.relay.example", Safety.STARTTLS),
        ("smtp://127.0.0.1:25", Safety.LOOPBACK),
        ("smtp://[::1]:25", Safety.LOOPBACK),
        ("smtp://localhost", Safety.LOOPBACK),
        ("smtp+starttls://127.0.0.1", Safety.STARTTLS),
        ("smtps://127.0.0.1", Safety.IMPLICIT_TLS),
        ("smtp+plain://10.1.2.3", Safety.PLAIN),
        ("smtp+plain://127.0.0.1", Safety.LOOPBACK),
    ],
)
def test_mail_leaves_this_machine_under_tls(url: str, safety: Safety) -> None:
    """Anything but the loopback is spoken to under TLS, unless the URL says plainly that not."""
    assert Smarthost.from_url(url, 5).safety is safety
