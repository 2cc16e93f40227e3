"""What comes back by email: taken in by a real server or from a Maildir, traced, recorded once."""

import asyncio
import smtplib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

from engine.bootstrap import Application
from engine.email.incoming.maildir import read_maildir
from engine.email.incoming.receiver import MOST_BYTES, serve_returns
from engine.errors import InputError
from engine.stack.bouncing import Fate, report_of
from tests import people
from tests.communications.test_outbox import payment
from tests.database_rows import execute, fetch, states

COMPLAINTS = "complaints@bounces.connect.example"


@dataclass(frozen=True)
class Door:
    """A receiver that is serving, and how it is spoken to."""

    port: int
    client_type: type[smtplib.SMTP]

    def client(self) -> smtplib.SMTP:
        """A client that is connected and has said hello."""
        client = self.client_type("127.0.0.1", self.port)
        client.ehlo_or_helo_if_needed()
        return client


@pytest.fixture(params=[smtplib.SMTP, smtplib.LMTP], ids=["smtp", "lmtp"])
async def door(application: Application, request: pytest.FixtureRequest) -> AsyncIterator[Door]:
    """A receiver on a free port of the loopback."""
    serving = await serve_returns(
        application.returns,
        COMPLAINTS,
        host="127.0.0.1",
        port=0,
        lmtp=request.param is smtplib.LMTP,
    )
    yield Door(serving.port, request.param)
    await serving.stop()


@pytest.fixture
async def delivery(application: Application) -> int:
    """An email that was sent."""
    (person,) = await people.add(application.engine, people.Person())
    async with application.outbox.transaction() as transaction:
        await transaction.record(payment(person))
    (id_,) = [item.delivery_id for item in transaction.owed]
    await application.dispatcher.deliver([id_])
    return id_


def report(application: Application, delivery: int, fate: Fate = Fate.GONE) -> bytes:
    """A mail server's report about a delivery."""
    path = application.returns.addressing.return_path(delivery)
    return report_of(b"Subject: x\r\n\r\n", path, "ines@example.com", fate)


async def hand_over(door: Door, recipient: str, message: bytes) -> None:
    """Hand `message` over as a mail server does: SMTPRecipientsRefused, SMTPDataError."""

    def send() -> None:
        with door.client() as client:
            client.sendmail("", [recipient], message)

    await asyncio.to_thread(send)


def complaint(message_id: str, kind: str = "abuse") -> bytes:
    """A feedback loop's report (RFC 5965) about a message."""
    text = (
        "From: feedback@mail.example\r\nTo: complaints@bounces.connect.example\r\n"
        "Message-ID: <fbl.1@mail.example>\r\nSubject: complaint\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="x"\r\n\r\n'
        "--x\r\nContent-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n"
        "--x\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nUser-Agent: example/1.0\r\nVersion: 1\r\n\r\n"
        f"--x\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {message_id}\r\n"
        "Subject: x\r\n\r\nbody\r\n--x--\r\n"
    )
    return text.encode()


async def test_a_bounce_that_comes_in_sends_the_letter(
    application: Application, door: Door, delivery: int
) -> None:
    """What a mail server hands over at our return path is committed before it is answered 250."""
    path = application.returns.addressing.return_path(delivery)
    await hand_over(door, path, report(application, delivery))
    assert (await states(application))[:2] == ["failed", "owed"]


async def test_upper_case_is_the_same_address(
    application: Application, door: Door, delivery: int
) -> None:
    """A server on the way may have changed the case of the return path."""
    path = application.returns.addressing.return_path(delivery).upper()
    await hand_over(door, path, report(application, delivery))
    assert (await states(application))[0] == "failed"


@pytest.mark.parametrize(
    "recipient", ["bounce+1.aaaaaaaaaaaaaaaa@{}", "postmaster@{}", "x@y.example"]
)
async def test_a_forged_return_path_is_refused_at_the_door(
    application: Application, door: Door, delivery: int, recipient: str
) -> None:
    """Nobody without the key turns anyone's mail to paper: the address does not exist."""
    forged = recipient.format(application.settings.return_path_domain)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        await hand_over(door, forged, report(application, delivery))
    assert refused.value.recipients[forged][0] == 550
    assert await states(application) == ["sent"]


async def test_a_report_that_names_another_delivery_changes_that_of_its_own_path(
    application: Application, door: Door, delivery: int
) -> None:
    """Whoever was sent one message can report on that one alone, whatever the report claims."""
    (other,) = await people.add(
        application.engine, people.Person(external_id="0000000002", email="otra@example.com")
    )
    async with application.outbox.transaction() as transaction:
        await transaction.record(payment(other, "payment:2"))
    (victim,) = [item.delivery_id for item in transaction.owed]
    await application.dispatcher.deliver([victim])
    path = application.returns.addressing.return_path(delivery)
    claimed = report(application, victim).replace(
        b"Reporting-MTA:", b"Original-Envelope-Id: 2.aaaaaaaaaaaaaaaa\r\nReporting-MTA:"
    )
    await hand_over(door, path, claimed)
    rows = await fetch(application, "SELECT state FROM delivery WHERE id = $1", victim)
    assert rows == [{"state": "sent"}]


async def test_one_recipient_at_a_time(application: Application, door: Door) -> None:
    """The second is put off, as LMTP would want an answer for each."""

    def ask() -> tuple[int, int]:
        with door.client() as client:
            client.mail("")
            return client.rcpt(COMPLAINTS)[0], client.rcpt(COMPLAINTS)[0]

    assert await asyncio.to_thread(ask) == (250, 452)


async def test_a_report_is_taken_only_when_it_is_committed(
    application: Application,
    door: Door,
    delivery: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the database away the sender is asked to come again, and then it counts."""
    path = application.returns.addressing.return_path(delivery)
    message = report(application, delivery)

    async def away(*_: object, **__: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(type(application.outcomes), "record", away)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            await hand_over(door, path, message)
    assert refused.value.smtp_code == 451
    assert await states(application) == ["sent"]
    await hand_over(door, path, message)
    assert (await states(application))[0] == "failed"


async def test_a_complaint_is_traced_by_the_message_it_returns(
    application: Application, door: Door, delivery: int
) -> None:
    """A feedback loop knows no return path: the Message-ID that it returns carries our tag."""
    message_id = application.returns.addressing.message_id(delivery)
    await hand_over(door, COMPLAINTS, complaint(message_id))
    rows = await fetch(application, "SELECT cause FROM contact_suppression")
    assert rows == [{"cause": "complaint"}]
    assert (await states(application))[0] == "sent"


@pytest.mark.parametrize(
    "message_id", ["<1.aaaaaaaaaaaaaaaa@bounces.connect.example>", "<x@y.example>", "nonsense"]
)
async def test_a_forged_complaint_changes_nothing(
    application: Application, door: Door, delivery: int, message_id: str
) -> None:
    """It is taken, as it may be of a message that is no longer known, and says nothing."""
    await hand_over(door, COMPLAINTS, complaint(message_id))
    assert await fetch(application, "SELECT id FROM contact_suppression") == []


def out_of_office(path: str) -> bytes:
    """An answer of a machine that is no bounce (RFC 3834)."""
    message = EmailMessage()
    message["From"] = "ines@example.com"
    message["To"] = path
    message["Subject"] = "Respuesta automática: fuera de la oficina"
    message["Auto-Submitted"] = "auto-replied"
    message.set_content("Estoy fuera de la oficina hasta el lunes.")
    return message.as_bytes()


async def test_an_auto_reply_is_no_bounce(
    application: Application, door: Door, delivery: int
) -> None:
    """Out of office is not out of reach."""
    path = application.returns.addressing.return_path(delivery)
    await hand_over(door, path, out_of_office(path))
    assert await states(application) == ["sent"]
    assert await fetch(application, "SELECT id FROM bounce_report") == []


async def test_a_delay_is_evidence_and_no_failure(application: Application, delivery: int) -> None:
    """A notice that a server still tries is kept, and changes nothing."""
    path = application.returns.addressing.return_path(delivery)
    delayed = report(application, delivery, Fate.FULL).replace(
        b"Action: failed", b"Action: delayed"
    )
    taken = await application.returns.take(delayed, [path])
    assert taken.new
    assert await states(application) == ["sent"]
    rows = await fetch(application, "SELECT kind, why FROM bounce_report")
    assert rows == [{"kind": "soft", "why": "delayed"}]


async def test_a_report_before_the_outcome_counts(application: Application, delivery: int) -> None:
    """The bounce of a hand-off of which we never heard the end stops the next attempt."""
    await execute(application, "UPDATE delivery SET state = 'owed', final_at = NULL")
    path = application.returns.addressing.return_path(delivery)
    await application.returns.take(report(application, delivery), [path])
    assert (await states(application))[:2] == ["failed", "owed"]


async def test_a_report_that_overtakes_the_record_of_its_hand_over_comes_again(
    application: Application, door: Door, delivery: int, tmp_path: Path
) -> None:
    """A soft bounce may come in before the worker has written down the 250: it is asked to come
    again, over SMTP and in a Maildir, and is not lost."""
    path = application.returns.addressing.return_path(delivery)
    early = report(application, delivery, Fate.FULL)
    folder = maildir(tmp_path / "returns", b"Delivered-To: " + path.encode() + b"\r\n" + early)
    await execute(application, "UPDATE delivery SET state = 'sending', final_at = NULL")
    with pytest.raises(smtplib.SMTPDataError) as refused:
        await hand_over(door, path, early)
    assert refused.value.smtp_code == 451
    assert (await read_maildir(application.returns, folder)).messages == 0
    assert await fetch(application, "SELECT id FROM bounce_report") == []
    await execute(application, "UPDATE delivery SET state = 'sent', final_at = now()")
    assert (await read_maildir(application.returns, folder)).new == 1
    rows = await fetch(application, "SELECT event, changed FROM delivery_event ORDER BY id DESC")
    assert rows[0]["changed"]


def maildir(folder: Path, *messages: bytes) -> Path:
    """A Maildir with new messages."""
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True)
    for number, message in enumerate(messages):
        (folder / "new" / f"{number}.host").write_bytes(message)
    return folder


async def test_a_maildir_is_read_once(
    application: Application, delivery: int, tmp_path: Path
) -> None:
    """Without an envelope the headers that the mail system added say whose it is; what was read
    moves to cur/, and a message that is there twice changes nothing twice."""
    path = application.returns.addressing.return_path(delivery)
    bounce = b"Delivered-To: " + path.encode() + b"\r\n" + report(application, delivery)
    folder = maildir(tmp_path / "returns", bounce, bounce, out_of_office(path), b"\xff\x00 no mail")
    read = await read_maildir(application.returns, folder)
    assert (read.messages, read.new, read.no_bounce, read.untraced) == (4, 1, 2, 0)
    assert list((folder / "new").iterdir()) == []
    assert len(list((folder / "cur").iterdir())) == 4
    assert (await states(application))[:2] == ["failed", "owed"]
    assert (await read_maildir(application.returns, folder)).messages == 0


async def test_a_maildir_keeps_what_could_not_be_recorded(
    application: Application, delivery: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the database is away the message stays in new/, for the next run."""
    path = application.returns.addressing.return_path(delivery)
    bounce = b"Delivered-To: " + path.encode() + b"\r\n" + report(application, delivery)
    folder = maildir(tmp_path / "returns", bounce)

    async def away(*_: object, **__: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(type(application.outcomes), "record", away)
        with pytest.raises(ConnectionError):
            await read_maildir(application.returns, folder)
    assert len(list((folder / "new").iterdir())) == 1
    assert (await read_maildir(application.returns, folder)).new == 1


async def test_what_is_no_maildir_is_named(application: Application, tmp_path: Path) -> None:
    """A folder without new/ and cur/ is refused by its name."""
    with pytest.raises(InputError, match="is no Maildir"):
        await read_maildir(application.returns, tmp_path)


async def test_nothing_of_a_report_is_logged_but_codes(
    application: Application, delivery: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the address nor a word of the report reaches the log."""
    path = application.returns.addressing.return_path(delivery)
    await application.returns.take(report(application, delivery), [path])
    logged = capsys.readouterr().out
    assert "email_came_back" in logged
    assert "ines" not in logged
    assert "User unknown" not in logged


async def test_a_report_that_is_too_large_is_refused_at_the_door(door: Door, delivery: int) -> None:
    """By the size that its sender says, before any of it is read."""

    def offer() -> tuple[str, tuple[int, bytes]]:
        with door.client() as client:
            most = client.esmtp_features["size"]
            return most, client.mail("mailer@relay.example", [f"SIZE={MOST_BYTES + 1}"])

    most, answer = await asyncio.to_thread(offer)
    assert int(most) == MOST_BYTES
    assert answer == (552, b"Error: message size exceeds fixed maximum message size")
