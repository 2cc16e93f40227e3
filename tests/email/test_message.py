"""Messages as bytes: what every mail program reads, and nothing that breaks a header."""

import email.policy
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.communications.catalogue import (
    CATALOGUE,
    LANGUAGES,
    TEMPORARY_PIN,
    Channel,
    Notice,
    Secret,
)
from engine.communications.rendering import EmailWords, Renderer
from engine.email.extras import CalendarPart, EmailExtras, ExtraError
from engine.email.message import Envelope, MessageError, build_message
from engine.i18n import Language
from engine.settings import Agency

EMAILED = [notice for notice in CATALOGUE.values() if Channel.EMAIL in notice.days]
RENDERER = Renderer(Agency(), "https://connect.example/")
ENVELOPE = Envelope(
    sender="no-reply@connect.example",
    recipient="reader.one+tag@mail.example",
    message_id="<42.0f3a@bounces.connect.example>",
    date=datetime(2026, 11, 23, 17, 5, 9, tzinfo=UTC),
)
WORDS = EmailWords("en", "A subject", "Text", "<p>HTML</p>", "Customer Connect")


def _parsed(message: bytes) -> EmailMessage:
    parsed = BytesParser(policy=email.policy.default).parsebytes(message)
    assert isinstance(parsed, EmailMessage)
    return parsed


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notice", EMAILED, ids=lambda notice: notice.key)
def test_every_notice_reads_back_as_it_was_rendered(notice: Notice, language: Language) -> None:
    """A mail program finds the same subject, text and HTML, text first, without a defect."""
    words = RENDERER.email(notice, language, notice.sample, notice.sample_secret)
    message = _parsed(build_message(words, ENVELOPE))
    assert message.get_content_type() == "multipart/alternative"
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert [part["Content-Language"] for part in parts] == [language, language]
    assert [part.get_content_charset() for part in parts] == ["utf-8", "utf-8"]
    assert message["Subject"] == words.subject
    assert _body(message, "plain") == f"{words.text}\n"
    assert _body(message, "html") == f"{words.html}\n"
    assert not any(part.defects for part in message.walk())


def test_the_headers_are_these_and_no_others() -> None:
    """Each header is there once, with nothing that names or tracks the reader."""
    message = _parsed(build_message(WORDS, ENVELOPE))
    assert dict(message.items()) == {
        "From": "Customer Connect <no-reply@connect.example>",
        "To": "reader.one+tag@mail.example",
        "Subject": "A subject",
        "Date": "Mon, 23 Nov 2026 09:05:09 -0800",
        "Message-ID": "<42.0f3a@bounces.connect.example>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
        "Content-Language": "en",
        "MIME-Version": "1.0",
        "Content-Type": message["Content-Type"],
    }


def test_a_retry_sends_the_same_bytes() -> None:
    """The same words to the same reader under the same Message-ID are the same message."""
    assert build_message(WORDS, ENVELOPE) == build_message(WORDS, ENVELOPE)
    other = replace(ENVELOPE, message_id="<43.0f3a@bounces.connect.example>")
    assert build_message(WORDS, other) != build_message(WORDS, ENVELOPE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_pin_is_readable_in_the_raw_message(language: Language) -> None:
    """Even where nothing is decoded, the PIN is a whole line of the text part."""
    words = RENDERER.email(
        TEMPORARY_PIN, language, TEMPORARY_PIN.sample, Secret("902713", date(2026, 11, 24))
    )
    raw = build_message(words, ENVELOPE)
    assert b"\r\n902713\r\n" in raw.split(b"text/html")[0]


EXTRAS = EmailExtras(
    unsubscribe="https://connect.example/unsubscribe/0123456789abcdef",
    calendar=CalendarPart("BEGIN:VCALENDAR\r\nSUMMARY:Cita – año\r\n".encode() * 20, "CANCEL"),
)


def test_a_calendar_is_a_file_beside_the_words() -> None:
    """The words are read as without it; the file comes back byte for byte, with its METHOD."""
    message = _parsed(build_message(WORDS, replace(ENVELOPE, extras=EXTRAS)))
    assert message.get_content_type() == "multipart/mixed"
    words, file = message.iter_parts()
    assert isinstance(words, EmailMessage)
    assert words.get_content_type() == "multipart/alternative"
    assert _body(words, "plain") == "Text\n"
    assert _body(words, "html") == "<p>HTML</p>\n"
    assert isinstance(file, EmailMessage)
    assert EXTRAS.calendar
    assert file.get_payload(decode=True) == EXTRAS.calendar.content
    assert (file.get_content_type(), file.get_content_charset()) == ("text/calendar", "utf-8")
    assert file["Content-Type"].params["method"] == "CANCEL"
    assert file.get_content_disposition() == "attachment"
    assert file.get_filename() == "appointment.ics"
    assert not any(part.defects for part in message.walk())


def test_a_file_travels_in_short_ascii_lines() -> None:
    """And a retry sends the same bytes."""
    envelope = replace(ENVELOPE, extras=EXTRAS)
    raw = build_message(WORDS, envelope)
    assert raw == build_message(WORDS, envelope)
    assert raw.isascii()
    body = raw.split(b"\r\n\r\n", 1)[1]
    assert max(len(line) for line in body.split(b"\r\n")) <= 76
    assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n")


def test_optional_mail_says_how_to_stop_it() -> None:
    """RFC 8058, 3.1: one link, and that a POST to it is enough; other mail says nothing of it."""
    message = _parsed(build_message(WORDS, replace(ENVELOPE, extras=EXTRAS)))
    assert message["List-Unsubscribe"] == f"<{EXTRAS.unsubscribe}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "List-Unsubscribe" not in _parsed(build_message(WORDS, ENVELOPE))


@pytest.mark.parametrize(
    "link",
    [
        "",
        "mailto:stop@connect.example",
        "https:///token",
        "https://connect.example/a b",
        "https://connect.example/>",
        "https://connect.example/\r\nBcc: x@y.example",
        "https://connect.example/ñ",
        f"https://connect.example/{'a' * 1000}",
    ],
)
def test_a_link_that_would_break_its_header_is_refused(link: str) -> None:
    """One plain https link; the error does not repeat it."""
    with pytest.raises(ExtraError, match="unsubscribe") as refused:
        EmailExtras(unsubscribe=link)
    assert not link or link not in str(refused.value)


@pytest.mark.parametrize("name", ["", "a.txt", 'a".ics', "../a.ics", "a\r\n.ics"])
def test_a_file_has_a_plain_name(name: str) -> None:
    """Nothing that a header or a folder would have to quote."""
    with pytest.raises(ExtraError, match="calendar"):
        CalendarPart(b"", name=name)


_anything = st.text(st.characters(codec="utf-8"))


@given(text=_anything, html=_anything)
@example(text="a" * 74 + " \nb", html="a" * 74 + "\t")
def test_any_words_travel_in_short_ascii_lines(text: str, html: str) -> None:
    """Whatever is said, lines end in CRLF and keep to 76 characters (RFC 2045, 6.7)."""
    raw = build_message(replace(WORDS, text=text, html=html), ENVELOPE)
    assert raw.isascii()
    body = raw.split(b"\r\n\r\n", 1)[1]
    assert max(len(line) for line in body.split(b"\r\n")) <= 76
    assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n")
    parts = _parsed(raw).get_payload()
    assert isinstance(parts, list)
    assert len(parts) == 2


@pytest.mark.parametrize(
    "subject",
    [
        "Su PIN temporal para Cliente Conectado",
        "Información nueva: ¿olvidó su PIN?",
        "ñ" * 150,
        "a long subject of many plain words " * 8 + "end",
    ],
)
def test_subjects_fold_and_come_back(subject: str) -> None:
    """Plain and accented subjects, short and long, are read back whole."""
    raw = build_message(replace(WORDS, subject=subject), ENVELOPE)
    head = raw.split(b"\r\n\r\n", 1)[0]
    assert max(len(line) for line in head.split(b"\r\n")) <= 78
    assert _parsed(raw)["Subject"] == subject


@pytest.mark.parametrize(
    "name", ["Customer Connect", "Connect, Inc.", 'The "Connect"', "Atención a Padres", "a\\b"]
)
def test_the_senders_name_comes_back(name: str) -> None:
    """A name with commas, quotes or accents stands beside the sender's address, unchanged."""
    message = _parsed(build_message(replace(WORDS, sender_name=name), ENVELOPE))
    (sender,) = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (name, "no-reply@connect.example")


@pytest.mark.parametrize("broken", ["a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\u2028b", "a\x00b"])
def test_no_header_can_be_added_by_words(broken: str) -> None:
    """A line break in a subject or a sender's name is refused, and the error does not repeat it."""
    for words in (replace(WORDS, subject=broken), replace(WORDS, sender_name=broken)):
        with pytest.raises(MessageError) as refused:
            build_message(words, ENVELOPE)
        assert "Bcc" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b@c.example",
        "a b@c.example",
        "a@c.example\r\nBcc: x@y.example",
        "a@c.example\n",
        "a@c.example, b@c.example",
        "Name <a@c.example>",
        '"quoted"@c.example',
        ".a@c.example",
        "a@-c.example",
        "a@" + "c" * 260 + ".example",
    ],
)
def test_only_one_plain_address_is_taken(address: str) -> None:
    """Lists, names, line breaks and what is no address at all are refused without being shown."""
    with pytest.raises(MessageError, match="sender: it is not one plain address"):
        replace(ENVELOPE, sender=address)
    with pytest.raises(MessageError, match="recipient: it is not one plain address"):
        replace(ENVELOPE, recipient=address)


@pytest.mark.parametrize("address", ["maría@c.example", "a@ñandú.example"])
def test_addresses_beyond_ascii_are_refused_clearly(address: str) -> None:
    """An address that would need SMTPUTF8 says so; it is never sent garbled."""
    with pytest.raises(MessageError, match="SMTPUTF8") as refused:
        replace(ENVELOPE, recipient=address)
    assert address not in str(refused.value)


@pytest.mark.parametrize(
    "message_id", ["42@x.example", "<42@x.example>\r\nX: y", "<4 2@x.example>"]
)
def test_a_message_id_has_its_form(message_id: str) -> None:
    """A Message-ID without its brackets, or with anything else in it, is refused."""
    with pytest.raises(MessageError, match="message_id"):
        replace(ENVELOPE, message_id=message_id)


def test_a_date_has_its_zone() -> None:
    """A naive date is refused: the header would name another hour."""
    with pytest.raises(ValueError, match="time zone"):
        replace(ENVELOPE, date=datetime(2026, 11, 23))  # noqa: DTZ001  that is what is refused


def test_a_message_names_no_person() -> None:
    """The reader's name is nowhere: the address alone stands in To."""
    raw = build_message(WORDS, ENVELOPE).decode("ascii")
    assert re.search(r"^To: reader\.one\+tag@mail\.example\r$", raw, re.MULTILINE)
