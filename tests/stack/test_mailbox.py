"""The built-in mailbox keeps what it answers 250 for, once for each Message-ID."""

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import aiosmtplib
import pytest

from engine.stack.mailbox import MOST_BYTES, Mailbox, message_file, serve_mailbox


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[Mailbox]:
    """A mailbox on a free port."""
    serving = await serve_mailbox(tmp_path / "mailbox")
    yield serving
    await serving.stop()


def letter(identity: str = "<1.abc@bounces.example>", text: str = "Hola, Inés\n") -> EmailMessage:
    """A message in Spanish."""
    message = EmailMessage()
    message["Message-ID"] = identity
    message["From"] = "no-reply@connect.example"
    message["To"] = "ines@example.com"
    message["Subject"] = "Su PIN temporal está aquí"
    message.set_content(text)
    return message


async def send(mailbox: Mailbox, message: EmailMessage, sender: str = "bounce+1@b.example") -> str:
    """Hand a message over; the server's answer."""
    _, answer = await aiosmtplib.send(
        message, sender=sender, hostname=mailbox.host, port=mailbox.port, start_tls=False
    )
    return answer


def kept(mailbox: Mailbox) -> list[Path]:
    """The messages on disk."""
    return sorted(mailbox.folder.path.glob("*.eml"))


async def test_message_is_kept_with_its_envelope(mailbox: Mailbox) -> None:
    """What was sent is on disk when 250 is answered, under the envelope it came in."""
    answer = await send(mailbox, letter())
    assert "kept" in answer
    [path] = kept(mailbox)
    message = message_from_bytes(path.read_bytes(), policy=default)
    assert message["X-Envelope-From"] == "bounce+1@b.example"
    assert message["X-Envelope-To"] == "ines@example.com"
    assert message["Subject"] == "Su PIN temporal está aquí"
    assert message.get_content() == "Hola, Inés\r\n"


async def test_repeat_is_one_file_and_is_counted(mailbox: Mailbox) -> None:
    """The same Message-ID again stays one file; that it came again, and whether it was the same,
    can be seen."""
    await send(mailbox, letter())
    await send(mailbox, letter())
    await send(mailbox, letter("<2.def@bounces.example>"))
    assert "already" in await send(mailbox, letter(text="Otra cosa\n"))
    assert len(kept(mailbox)) == 2
    name = message_file(letter().as_bytes().replace(b"\n", b"\r\n"))
    assert mailbox.folder.repeats() == {name: 2}
    notes = (mailbox.folder.path / "repeats.jsonl").read_text().splitlines()
    assert [note.endswith('"same_bytes": true}') for note in notes] == [True, False]


def test_file_is_named_by_the_message_id_alone() -> None:
    """Case of the header's name and folding change nothing; a message without one is its content;
    a Message-ID in the body is no header."""
    plain = message_file(b"Subject: x\r\nMessage-ID: <1@x>\r\n\r\nbody")
    assert message_file(b"message-id:\r\n <1@x>\r\nSubject: y\r\n\r\nother") == plain
    assert message_file(b"Message-ID: <2@x>\r\n\r\nbody") != plain
    without = message_file(b"Subject: x\r\n\r\nMessage-ID: <1@x>\r\n")
    assert without != plain
    assert message_file(b"Subject: x\r\n\r\nother") != without


async def test_crowd_of_clients_loses_nothing(mailbox: Mailbox) -> None:
    """Many clients at once, and no message is lost, torn or left half written."""

    async def client(number: int) -> None:
        async with aiosmtplib.SMTP(
            hostname=mailbox.host, port=mailbox.port, start_tls=False
        ) as connection:
            for index in range(25):
                await connection.send_message(letter(f"<{number}.{index}@x.example>"))

    await asyncio.gather(*(client(number) for number in range(8)))
    assert len(kept(mailbox)) == 200
    assert all(path.read_bytes().endswith(b"\r\n") for path in kept(mailbox))
    assert not list(mailbox.folder.path.glob("*.tmp"))
    assert mailbox.folder.repeats() == {}


async def test_oversized_message_is_refused_and_not_kept(mailbox: Mailbox) -> None:
    """More than the mailbox takes is refused for good, and the mailbox goes on."""
    with pytest.raises(aiosmtplib.SMTPResponseException) as refused:
        await send(mailbox, letter(text="línea\n" * (MOST_BYTES // 6)))
    assert refused.value.code == 552
    assert kept(mailbox) == []
    await send(mailbox, letter())
    assert len(kept(mailbox)) == 1


async def test_address_outside_ascii_is_kept(mailbox: Mailbox) -> None:
    """SMTPUTF8 (RFC 6531): an address with an ñ arrives as it is."""
    message = letter()
    del message["To"]
    message["To"] = "nuñez@example.com"
    await send(mailbox, message)
    [path] = kept(mailbox)
    assert "X-Envelope-To: nuñez@example.com".encode() in path.read_bytes()


async def test_stopping_lets_go_of_clients(tmp_path: Path) -> None:
    """A mailbox stops while clients are connected; what they were told stays true."""
    serving = await serve_mailbox(tmp_path)
    client = aiosmtplib.SMTP(hostname=serving.host, port=serving.port, start_tls=False)
    await client.connect()
    await client.send_message(letter())
    await serving.stop()
    with pytest.raises((aiosmtplib.SMTPException, OSError)):
        await client.send_message(letter("<3@x.example>"))
    client.close()
    assert len(kept(serving)) == 1


async def test_mailbox_that_comes_back_knows_what_it_has(tmp_path: Path) -> None:
    """A repeat is known for one after a restart too."""
    for _ in range(2):
        serving = await serve_mailbox(tmp_path)
        await send(serving, letter())
        await serving.stop()
    assert len(kept(serving)) == 1
    assert list(serving.folder.repeats().values()) == [1]
