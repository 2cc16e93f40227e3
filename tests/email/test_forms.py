"""Forms: what a reader gets is what email.message would have built, whoever reads it."""

import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from fast_mail_parser import parse_email
from hypothesis import example, given
from hypothesis import strategies as st

from engine.communications.catalogue import (
    APPLICANT_ACCOUNT,
    APPOINTMENT_REMINDER,
    CATALOGUE,
    CONFIRM_EMAIL,
    LANGUAGES,
    PAYMENT_NOTICE,
    TEMPORARY_PIN,
    Channel,
    Notice,
)
from engine.communications.rendering import EmailWords, Renderer
from engine.email.extras import EmailExtras
from engine.email.forms import BLANK, MOST_KEPT, Forms
from engine.email.message import Envelope, Form, build_message
from engine.email.parts import LONGEST_FILL, Transfer
from engine.i18n import Language
from engine.settings import Agency

SENDER = "no-reply@connect.example"
EMAILED = [notice for notice in CATALOGUE.values() if Channel.EMAIL in notice.days]
RENDERER = Renderer(Agency(), "https://connect.example/")
TRANSFERS = (Transfer.EIGHT_BIT, Transfer.QUOTED_PRINTABLE)
LINK = "https://connect.example/u/0123456789abcdef0123456789abcdef?a=1&b=2"


def envelope(link: str | None = None) -> Envelope:
    """To one reader."""
    return Envelope(
        sender=SENDER,
        recipient="reader.one+tag@mail.example",
        message_id="<42.0f3a@bounces.connect.example>",
        date=datetime(2026, 11, 23, 17, 5, 9, tzinfo=UTC),
        extras=EmailExtras(link),
    )


def standard(words: EmailWords) -> EmailMessage:
    """The same as the standard library would build it."""
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"] = f"{words.sender_name} <{SENDER}>"
    message["To"] = "reader.one+tag@mail.example"
    message["Subject"] = words.subject
    message.set_content(words.text)
    message.add_alternative(words.html, subtype="html")
    return message


def lines(text: str) -> list[str]:
    """The lines as they are read: no white space at their ends, one kind of break."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.rstrip(" \t") for line in text.split("\n")).rstrip("\n").split("\n")


def read(raw: bytes) -> tuple[str, str, list[list[str]]]:
    """Subject, sender, and the lines of both parts, by the standard library."""
    message = BytesParser(policy=email.policy.default).parsebytes(raw)
    assert isinstance(message, EmailMessage)
    assert not any(part.defects for part in message.walk())
    parts = [lines(part.get_content()) for part in message.iter_parts()]
    return str(message["Subject"]), str(message["From"]), parts


# What no header may hold is refused elsewhere; a NUL no mail may (RFC 5322, 4).
_words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300)
_subject = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=120)


@given(text=_words, html=_words, subject=_subject, transfer=st.sampled_from(TRANSFERS))
@example(text="ñ" * 600, html="<p>é</p>", subject="", transfer=Transfer.EIGHT_BIT)
@example(text=".\n..\n.a", html="From x", subject="Su PIN", transfer=Transfer.EIGHT_BIT)
def test_a_message_means_what_the_standard_library_s_would(
    text: str, html: str, subject: str, transfer: Transfer
) -> None:
    """Two parsers, of which one is not Python's, read the words that went in, and nothing else."""
    words = EmailWords("es", " ".join(subject.split()), text, html, "Cliente Conectado")
    raw = build_message(words, envelope(), transfer)
    assert read(raw)[0] == read(standard(words).as_bytes())[0] == words.subject
    assert read(raw)[2] == [lines(text), lines(html)]
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n")
    other = parse_email(raw)
    assert lines("".join(other.text_plain)) == lines(text)
    assert lines("".join(other.text_html)) == lines(html)
    assert other.subject.strip() == words.subject


@given(text=st.text(st.sampled_from(".a\n "), max_size=40), html=st.text(".\n<", max_size=20))
@example(text=".", html="")
@example(text="a", html="\n.")
def test_a_form_knows_whether_a_dot_may_begin_a_line(text: str, html: str) -> None:
    """Where it says that none may, no line of any message filled in needs its dot doubled."""
    for transfer in TRANSFERS:
        form = Form.of(EmailWords("en", "S", text, html, "Connect"), SENDER, transfer, "<")
        for link in (None, LINK):
            raw = form.filled(envelope(link))
            assert form.may_begin_with_dots or b"\n." not in raw


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("notice", EMAILED, ids=lambda notice: notice.key)
def test_a_form_filled_in_is_the_message_rendered_for_its_reader(
    notice: Notice, language: Language
) -> None:
    """By eight bits and by seven, with a link and without: the second reader of a form gets what
    the first one would have got, had everything been made for them alone."""
    link = LINK if notice.optional else None
    words = RENDERER.email(notice, language, notice.sample, notice.sample_secret, link)
    forms = Forms(RENDERER, SENDER)
    for transfer in TRANSFERS:
        for _ in range(2):
            form = forms.of(
                notice,
                language,
                notice.sample,
                secret=notice.sample_secret,
                link=link,
                transfer=transfer,
            )
            raw = form.filled(envelope(link))
            assert read(raw) == read(build_message(words, envelope(link), transfer))
            assert b"blank.invalid" not in raw
            assert form.is_8bit is not raw.isascii()


def test_what_one_reader_alone_may_know_is_kept_nowhere() -> None:
    """A PIN, and a token that proves an address, are in no form that another reader could get."""
    forms = Forms(RENDERER, SENDER)
    for notice in (TEMPORARY_PIN, CONFIRM_EMAIL, APPLICANT_ACCOUNT):
        forms.of(
            notice,
            "en",
            notice.sample,
            secret=notice.sample_secret,
            link=None,
            transfer=Transfer.EIGHT_BIT,
        )
    assert not forms.kept


def test_forms_are_kept_within_bounds() -> None:
    """However many different things are said, only the latest are kept."""
    forms = Forms(RENDERER, SENDER)
    sample = APPOINTMENT_REMINDER.sample
    for minute in range(MOST_KEPT + 9):
        at = datetime(2026, 12, 1, minute // 60, minute % 60, tzinfo=UTC)
        facts = sample.model_copy(update={"starts_at": at})
        forms.of(
            APPOINTMENT_REMINDER,
            "en",
            facts,
            secret=None,
            link=LINK,
            transfer=Transfer.EIGHT_BIT,
        )
    assert len(forms.kept) == MOST_KEPT


def test_a_link_longer_than_its_blank_has_a_form_of_its_own() -> None:
    """Lines are measured with the longest link that may fill them: a longer one is no filling."""
    forms = Forms(RENDERER, SENDER)
    link = f"https://connect.example/{'a' * LONGEST_FILL}"
    form = forms.of(
        APPOINTMENT_REMINDER,
        "en",
        APPOINTMENT_REMINDER.sample,
        secret=None,
        link=link,
        transfer=Transfer.EIGHT_BIT,
    )
    assert link in "".join(read(form.filled(envelope(link)))[2][0])
    assert not forms.kept


def test_a_line_beyond_998_octets_does_not_travel_as_it_is() -> None:
    """RFC 5321, 4.5.3.1.6: the blank's longest filling is counted."""
    room = 998 - LONGEST_FILL
    for length, is_8bit in ((room, True), (room + 1, False)):
        words = EmailWords("es", "s", "ñ", "é" * 2 + "a" * (length - 4) + BLANK, "n")
        form = Form.of(words, SENDER, Transfer.EIGHT_BIT, BLANK)
        assert form.html.is_8bit is is_8bit
        raw = form.filled(envelope("https://connect.example/" + "b" * (LONGEST_FILL - 24)))
        assert max(map(len, raw.split(b"\r\n"))) <= 998


def test_notices_that_say_nothing_of_their_facts_share_one_form() -> None:
    """A payment's amount and day stay out of the email, and out of what is kept."""
    forms = Forms(RENDERER, SENDER)
    sample = PAYMENT_NOTICE.sample
    for cents in (100, 200):
        facts = sample.model_copy(update={"amount_cents": cents})
        forms.of(PAYMENT_NOTICE, "es", facts, secret=None, link=None, transfer=Transfer.EIGHT_BIT)
    assert len(forms.kept) == 1


def test_words_that_hold_the_boundary_get_another() -> None:
    """No part ends early, whatever is said in it."""
    usual = build_message(EmailWords("en", "s", "t", "h", "n"), envelope())
    boundary = usual.split(b'boundary="')[1].split(b'"')[0].decode()
    words = EmailWords("en", "s", f"--{boundary}--\nñ", f"--{boundary}\n", "n")
    raw = build_message(words, envelope(), Transfer.EIGHT_BIT)
    assert read(raw)[2] == [lines(words.text), lines(words.html)]
