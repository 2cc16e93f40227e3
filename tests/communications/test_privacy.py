"""An email says nothing private: every personal value is marked, and none of them is found."""

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.communications.catalogue import (
    APPLICANT_ACCOUNT,
    CATALOGUE,
    EMAILS,
    LANGUAGES,
    AppointmentFacts,
    Facts,
    Notice,
    Secret,
    StatementLine,
)
from engine.communications.rendering import EMAIL_FACTS, EmailWords, Renderer
from engine.email.message import Envelope, build_message
from engine.i18n import Language
from engine.settings import Agency

RENDERER = Renderer(Agency(), "https://connect.example/")
PIN = "736041928"
each_email = pytest.mark.parametrize("notice", EMAILS, ids=[one.key for one in EMAILS])

_marked = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=12).map(
    lambda tail: f"Zqx7{tail}"
)
_numbers = st.integers(min_value=7_310_000, max_value=7_319_999)
_days = st.dates(date(1901, 1, 1), date(1989, 12, 31))
_lines = st.builds(
    StatementLine,
    paid_on=_days,
    direction=st.sampled_from(["made", "sent"]),
    amount_cents=_numbers,
    case_number=_marked,
)
_MARKS: dict[str, st.SearchStrategy[Any]] = {
    "name": _marked,
    "place": _marked,
    "kind": st.sampled_from(["office", "court"]),
    "starts_at": st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(  # noqa: DTZ001  made aware beside
        lambda moment: moment.replace(tzinfo=UTC)
    ),
    "what": st.sampled_from(["pin", "email", "address", "phone", "language", "ecommunications"]),
    "happened_at": st.just(datetime(2026, 11, 23, 22, 5, tzinfo=UTC)),
    "was_at": st.just(datetime(2026, 11, 30, 22, 5, tzinfo=UTC)),
    "waiting_since": st.just(date(2026, 11, 20)),
    "month": _days,
    "lines": st.lists(_lines, max_size=3).map(tuple),
    "made_cents": _numbers,
    "sent_cents": _numbers,
    "document": st.sampled_from(["court_order", "case_letter", "tax_statement"]),
    "ready_on": _days,
    "why": st.sampled_from(["undeliverable", "unwanted"]),
    "since": _days,
    "locked_at": st.just(datetime(2026, 11, 23, 22, 5, tzinfo=UTC)),
    "token": st.just("T0kenT0kenT0kenT0kenT0ken"),
    "hours": st.just(24),
    "body": _marked,
    "replied_on": _days,
    "number": st.integers(0, 10**12 - 1).map("{:012d}".format),
    "received_on": _days,
    "direction": st.sampled_from(["made", "sent"]),
    "amount_cents": _numbers,
    "paid_on": _days,
    "case_number": st.integers(min_value=0).map(lambda number: f"Zqx7{number}"),
}

_OF_ACCOUNTS = {"what": st.sampled_from(["confirm", "reset", "password", "locked"])}


@st.composite
def _notices(draw: st.DrawFn) -> tuple[Notice, Language, Facts]:
    notice = draw(st.sampled_from(EMAILS))
    marks = _MARKS | _OF_ACCOUNTS if notice is APPLICANT_ACCOUNT else _MARKS
    values = {name: draw(marks[name]) for name in notice.facts.model_fields}
    return notice, draw(st.sampled_from(LANGUAGES)), notice.facts.model_validate(values)


def _rendered(notice: Notice, language: Language, facts: Facts) -> tuple[EmailWords, str]:
    secret = Secret(PIN, date(2026, 11, 24)) if notice.carries_secret else None
    words = RENDERER.email(notice, language, facts, secret)
    message = build_message(
        words,
        Envelope(
            sender="no-reply@connect.example",
            recipient="reader@mail.example",
            message_id="<1.tag@connect.example>",
            date=datetime(2026, 11, 23, 17, 0, tzinfo=UTC),
        ),
    )
    headers = message.split(b"\r\n\r\n", 1)[0].decode("ascii")
    return words, headers


def _amounts(facts: Facts) -> list[str]:
    names = ("amount_cents", "made_cents", "sent_cents")
    found = [facts, *getattr(facts, "lines", ())]
    cents = [getattr(one, name) for one in found for name in names if hasattr(one, name)]
    return [f"{amount / 100:,.2f}" for amount in cents]


@given(_notices())
def test_no_personal_value_is_in_an_email(drawn: tuple[Notice, Language, Facts]) -> None:
    """No name, place, case, amount or day of payment: in subject, headers, text or HTML."""
    notice, language, facts = drawn
    words, headers = _rendered(notice, language, facts)
    for said in (words.subject, words.text, words.html, words.sender_name, headers):
        assert "Zqx7" not in said
        for amount in _amounts(facts):
            assert amount not in said
            assert amount.replace(",", "") not in said
        # Days of payment are drawn from the last century.
        assert not re.search(r"\b19\d\d\b", said)


@given(_notices())
def test_facts_change_nothing_but_when(drawn: tuple[Notice, Language, Facts]) -> None:
    """Two readers of one notice get the same email, letter for letter, but for date and hour."""
    notice, language, facts = drawn
    same = {name: getattr(facts, name) for name in EMAIL_FACTS & notice.facts.model_fields.keys()}
    sample = notice.sample.model_copy(update=same)
    assert _rendered(notice, language, facts) == _rendered(notice, language, sample)


@pytest.mark.parametrize("language", LANGUAGES)
@each_email
def test_a_pin_stands_in_its_own_mail_alone(notice: Notice, language: Language) -> None:
    """A PIN is in both bodies of the notice that carries it, once each, and in no header."""
    words, headers = _rendered(notice, language, notice.sample)
    times = 1 if notice.carries_secret else 0
    assert words.text.count(PIN) == times
    assert words.html.count(PIN) == times
    assert PIN not in words.subject + headers
    assert PIN not in repr(words)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", [key for key in CATALOGUE if key.startswith("appointment_")])
def test_a_court_date_reads_like_any_appointment(key: str, language: Language) -> None:
    """Whoever sees the email cannot tell a hearing from a meeting at the office."""
    notice = CATALOGUE[key]
    assert isinstance(notice.sample, AppointmentFacts)
    office, court = (
        _rendered(notice, language, notice.sample.model_copy(update={"kind": kind}))
        for kind in ("office", "court")
    )
    assert office == court


@pytest.mark.parametrize("language", LANGUAGES)
@each_email
def test_no_email_speaks_of_a_court_or_of_anyone_else(notice: Notice, language: Language) -> None:
    """The name of the agency stands above it; below, there is no court, child or other party."""
    words, _ = _rendered(notice, language, notice.sample)
    agency = Agency()
    said = f"{words.subject} {words.text}".replace(agency.name(language), "").lower()
    assert not re.search(
        r"\b(court|hearing|judge|child|custody|paternity|other party|corte|audiencia|juez"
        r"|tribunal|hij[oa]s?|menores|manutención|paternidad|otra parte)\b",
        said,
    )


@pytest.mark.parametrize("language", LANGUAGES)
@each_email
def test_the_preview_line_says_nothing_of_the_body(notice: Notice, language: Language) -> None:
    """What a locked screen previews is one neutral line, then characters that show nothing."""
    words, _ = _rendered(notice, language, notice.sample)
    body = re.sub(r"<[^>]+>", "", words.html.split("<body", 1)[1].split(">", 1)[1]).lstrip()
    neutral, blank, _ = re.split(r"([\u034f\u200c\u00a0]{200,})", body, maxsplit=1)
    assert 0 < len(neutral) < 90
    assert not re.search(r"\d", neutral)
    assert len(blank) > 200
