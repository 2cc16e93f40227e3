"""Through a real Postfix: what it delivers, and what its own bounce tells us."""

import email.message
import email.policy
from datetime import UTC, datetime
from email.parser import BytesParser
from urllib.parse import urlsplit

import pytest

from engine.email.addressing import Addressing
from engine.email.mail_object import MailObject
from engine.email.smarthost import Smarthost
from engine.email.transport import SmtpPool
from engine.recovery.smtp_logs import SmtpLogs
from tests.postfix_server import postfix_server
from tests.smtp_server import SmtpServer

ADDRESSING = Addressing(b"a key", "bounces.connect.example")
MESSAGE = (
    b"From: no-reply@connect.example\r\nTo: somebody@mail.example\r\nSubject: x\r\n\r\n"
    b".words that no bounce repeats\r\n"
)


def mail(delivery: int, recipient: str) -> MailObject:
    """A message of one delivery."""
    return MailObject(
        sender=ADDRESSING.return_path(delivery),
        recipient=recipient,
        message=MESSAGE,
        envelope_id=ADDRESSING.envelope_id(delivery),
    )


def fields(report: email.message.Message) -> dict[str, str]:
    """The fields of a delivery report, of the message and of its recipient (RFC 3464, 2.1)."""
    (status,) = [
        part for part in report.walk() if part.get_content_type() == "message/delivery-status"
    ]
    return {
        name.lower(): value
        for block in status.get_payload()
        if isinstance(block, email.message.Message)
        for name, value in block.items()
    }


@pytest.mark.needs("postfix")
async def test_a_bounce_of_postfix_names_its_delivery(smtp: SmtpServer) -> None:
    """Handed over with DSN: a reader has the message as it was, and of one whom nobody knows a
    report comes back to our return path, with our ENVID and the address as we wrote it. Its log
    tells `connect recover` the same."""
    port = urlsplit(smtp.url).port
    assert port
    async with postfix_server(port) as postfix:
        pool = SmtpPool([Smarthost.from_url(postfix.url, 20)], 1)
        async with pool.connection() as connection:
            assert await connection.send(mail(41, "reader@mail.example")) == "250"
            assert await connection.send(mail(42, "nobody+x=y@mail.example")) == "250"
        await pool.close()
        await smtp.wait_for(1)
        (delivered,) = await postfix.wait_for("reader")
        logs = SmtpLogs(ADDRESSING, datetime.now(UTC))
        logs.read((postfix.folder / "log").read_text().splitlines())
    assert b"\n.words that no bounce repeats\n" in delivered

    ((sender, recipient, report),) = smtp.taken
    assert sender in {"", "<>"}
    assert ADDRESSING.delivery_of_return_path(recipient) == 42
    said = fields(report)
    assert ADDRESSING.delivery_of_envelope_id(said["original-envelope-id"]) == 42
    assert said["original-recipient"].replace(" ", "") == "rfc822;nobody+x=y@mail.example"
    assert said["action"] == "failed"
    assert said["status"] == "5.1.1"
    # RET=HDRS: what a bounce repeats is read by others on its way.
    assert b"no bounce repeats" not in report.as_bytes()
    assert BytesParser(policy=email.policy.default).parsebytes(report.as_bytes())["Subject"]

    assert {key: (sent.returned, sent.dead) for key, sent in logs.sent.items()} == {
        41: (None, False),
        42: ("5.1.1", True),
    }
    assert all(sent.at is not None for sent in logs.sent.values())
