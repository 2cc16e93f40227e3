"""No word that a person is shown bypasses the catalogue: a made-up language shows those that do."""

import re
from collections.abc import AsyncIterator, Iterable
from gettext import NullTranslations
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from uuid import uuid4

import httpx
import pypdfium2
import pytest
from babel.dates import get_day_names, get_month_names
from icalendar import Calendar
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine import assets
from engine.caseload import appointment_calendar, caseworker_replies
from engine.caseload.personal import MESSAGE
from engine.portal import layout
from engine.portal import pages as rooms
from engine.portal.app import places
from engine.portal.error_pages import WORDED
from engine.portal.tokens import Tokens
from engine.security.sessions import Stage
from engine.settings import Settings
from tests.database_rows import delivery_ids, execute, fetch
from tests.portal.filled_forms import FORMS, Reader, prepare, without_limits
from tests.portal.portal_server import MONDAY_NOON, Portal, portal_over
from tests.portal.test_guard import fails
from tests.portal.world import EVERYBODY, World, populate

# In marks that the typeface of PDFs has, and the name of a file may hold.
_SAID: Final = re.compile(r"«[^«»]*»")
_SHOWN_ATTRIBUTES: Final = {
    "alt", "aria-label", "aria-description", "aria-placeholder", "aria-roledescription",
    "aria-valuetext", "content", "data-label", "data-many", "data-one", "label", "placeholder",
    "summary", "title",
}  # fmt: skip
"""What is read out, drawn by a style, or put in by a script."""
_NO_WORDS: Final = {"viewport", "theme-color", "robots"}
_UNSHOWN: Final = {"script", "style"}
_CALENDAR: Final = {
    *(name for locale in ("en", "es") for name in get_month_names("wide", locale=locale).values()),
    *(name for locale in ("en", "es") for name in get_day_names("wide", locale=locale).values()),
    *("AM", "PM", "at", "de"),
}
_OF_NO_LANGUAGE: Final = {"TTY", "English", "Español", "PDF"}
"""Names, and the language button, which speaks the other language."""
READERS: Final = ("payer", "payee", "confidential")
_TEMPLATES: Final = assets.TEMPLATES / "portal"
_ROOMS: Final = Path(rooms.__file__).parent


class Pseudo(NullTranslations):
    """A language in which everything stands between marks."""

    def gettext(self, message: str) -> str:
        """The message, between marks."""
        return f"«{message}»"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The message for `n` things, between marks."""
        return f"«{msgid1 if n == 1 else msgid2}»"

    def pgettext(self, context: str, message: str) -> str:
        """The message of one meaning, between marks."""
        del context
        return f"«{message}»"


class Shown(HTMLParser):
    """Everything of a page that is shown or read out."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Attributes that are shown or read out, and what a button says."""
        given = {name: value for name, value in attrs if value}
        self._inside.append(tag)
        if tag == "meta" and given.get("name") in _NO_WORDS:
            return
        self.pieces += [value for name, value in given.items() if name in _SHOWN_ATTRIBUTES]
        if given.get("type") in {"submit", "button", "reset"} and tag == "input":
            self.pieces.append(given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        """What is inside is over."""
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Text, but for scripts."""
        if not (self._inside and self._inside[-1] in _UNSHOWN):
            self.pieces.append(data)


def bypassing(page: str, known: set[str]) -> list[str]:
    """The words of a page that are in no catalogue."""
    shown = Shown()
    shown.feed(page)
    shown.close()
    return bypassing_words("\n".join(shown.pieces), known)


def bypassing_words(whole: str, known: set[str]) -> list[str]:
    """The words of a text that are in no catalogue; a letter alone is a mark."""
    while _SAID.search(whole):
        whole = _SAID.sub(" ", whole)
    for value in sorted(known, key=len, reverse=True):
        whole = whole.replace(value, " ")
    words = set(re.findall(r"[^\W\d_]{2,}", whole))
    return sorted(words - _CALENDAR - _OF_NO_LANGUAGE)


@pytest.fixture
async def portal(
    settings: Settings, database: AsyncEngine, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Portal]:
    """A portal that speaks the made-up language, and may be asked without end."""
    without_limits(monkeypatch)
    for drawing in (layout, appointment_calendar):
        monkeypatch.setattr(drawing, "translations", lambda _language: Pseudo())
    async with portal_over(settings) as opened:
        opened.app.add_route("/{language}/fails/{status:int}", fails)
        yield opened


@pytest.fixture
async def world(portal: Portal) -> World:
    """Who is there, with something of every kind that a page shows: documents, one of them read,
    replies, an appointment that was answered, others that are past, cancelled or in court."""
    application = portal.application
    world = await populate(application)
    await prepare(portal, world)
    await execute(application, "UPDATE participant SET paperless = true")
    for name in READERS:
        async with application.outbox.transaction() as transaction:
            await caseworker_replies.reply(
                transaction, world.messages[name], "caseworker", f"WORDS-OF-{name}", MONDAY_NOON
            )
    await application.notices.payments_since(MONDAY_NOON.date())
    await application.dispatcher.deliver(await delivery_ids(application))
    await execute(application, "UPDATE participant SET paperless = false")
    await execute(application, "UPDATE document SET opened_at = $1 WHERE id % 2 = 0", MONDAY_NOON)
    await execute(application, _APPOINTMENTS, MONDAY_NOON)
    await execute(application, _ANSWERS, MONDAY_NOON)
    await execute(application, _ACCOUNTS)
    await execute(application, _PAYMENTS)
    return world


_APPOINTMENTS: Final = """
INSERT INTO appointment (external_id, case_id, participant_id, kind, starts_at, place, status)
SELECT gen_random_uuid(), case_id, participant_id, other.kind, $1::timestamptz + away, place,
       other.status
FROM appointment, (VALUES ('court', interval '5 days', 'scheduled'),
                          ('court', interval '6 days', 'scheduled'),
                          ('office', interval '7 days', 'cancelled'),
                          ('office', interval '-7 days', 'cancelled'),
                          ('court', interval '-8 days', 'scheduled')) AS other (kind, away, status)
"""
_ANSWERS: Final = """
INSERT INTO appointment_answer (appointment_id, starts_at, answer, wish, answered_at)
SELECT id, starts_at, CASE id % 2 WHEN 0 THEN 'confirmed' ELSE 'reschedule' END,
       CASE id % 2 WHEN 0 THEN NULL ELSE '12' END, $1
FROM appointment WHERE kind = 'court'
"""
_ACCOUNTS: Final = """
INSERT INTO account (external_id, case_id, kind, monthly_cents, balance_cents, as_of)
SELECT gen_random_uuid(), id, kind, 100, 100, '2026-11-20' FROM support_case,
       unnest(ARRAY['medical_support', 'spousal_support']) AS kind
"""
_PAYMENTS: Final = """
INSERT INTO payment (external_id, case_id, participant_id, direction, amount_cents, method, paid_on)
SELECT gen_random_uuid(), case_id, participant_id, direction, 100, method, '2026-11-22'
FROM case_party, unnest(ARRAY['made', 'sent']) AS direction,
     unnest(ARRAY['wage_withholding', 'bank_transfer', 'card', 'cash', 'direct_deposit',
                  'electronic_payment_card', 'other']) AS method
"""


def known_of(portal: Portal, world: World, name: str) -> set[str]:
    """The names, addresses and words that are the reader's own, or the agency's."""
    agency, person = portal.application.settings.agency, EVERYBODY[name]
    own = {*world.secrets_of(name), *person.last_name.split(), name, "SACRAMENTO", "CA", "Alameda"}
    ours = {agency.site}
    for language in ("en", "es"):
        ours |= {agency.name(language), agency.programme(language)}
    return own | ours


class Found:
    """What bypasses the catalogue, and where."""

    def __init__(self, known: set[str]) -> None:
        self.known = known
        self.words: dict[str, list[str]] = {}
        self.pages = 0

    def look(self, where: str, answer: httpx.Response, typed: Iterable[str] = ()) -> None:
        """Read a page, on which what its reader typed may stand again."""
        assert answer.headers["Content-Type"].startswith("text/html"), where
        self.pages += 1
        if words := bypassing(answer.text, self.known | set(typed)):
            self.words[where] = words


FILES: Final = (".pdf", ".csv", ".ics")


def opened(world: World, name: str) -> list[str]:
    """Every page, with the reader's own ids, and those that ask for more."""
    reader = Reader(world, name)
    paths = [place.path for place in places() if "GET" in place.methods]
    more = (
        "/payments?way=made", "/payments?way=sent", "/payments?way=sent&from=1/1/2026&to=1/2/2026",
        "/payments?from=x&to=y", "/payments?from=2/1/2026&to=1/1/2026", "/payments?page=2",
        "/payments/all?way=made&from=1/1/2020", "/payments/all?way=sent&to=1/1/2027",
        "/payments/all?to=1/1/1990", "/messages?case={case_id}", "/documents?page=1",
    )  # fmt: skip
    return [reader.path(path) for path in (*paths, *more) if not path.endswith(FILES)]


@pytest.mark.parametrize(
    ("name", "language"), [("payer", "es"), ("payee", "en"), ("confidential", "es")]
)
async def test_no_word_of_a_page_bypasses_the_catalogue(
    portal: Portal, world: World, name: str, language: str
) -> None:
    """On every page, signed out and in, with its faults and when it asks again: whatever is not a
    name, a number, a date or an amount comes from the catalogue."""
    reader, found = Reader(world, name), Found(known_of(portal, world, name))
    browser = await portal.signed_in(world.participants[name])
    for path in opened(world, name):
        for visitor in (browser, portal.browser()):
            answer = await visitor.get(f"/{language}{path}")
            if answer.status_code != 303:
                found.look(path, answer)
    for place, form in FORMS.items():
        sender = await reader.comes(portal, place)
        _, hidden = await reader.opens(sender, place, language)
        well = reader.fills(place)
        for typed in (
            {},
            *({**well, field: "\x07"} for field in form.typed),
            *FAULTY.get(place, []),
        ):
            ours = {"form_id": str(uuid4())} if "form_id" in hidden else {}
            path = f"/{language}{reader.path(place)}"
            answer = await sender.post(path, data={**hidden, **ours, **typed, "more": "1"})
            if answer.status_code not in {204, 303}:
                found.look(f"{place} with {typed}", answer, typed.values())
    await execute(portal.application, _CAME_BACK, MONDAY_NOON)
    for paperless in (True, False):
        await execute(portal.application, "UPDATE participant SET paperless = $1", paperless)
        for path in ("/home", "/profile", "/documents", *_PAPERLESS):
            found.look(path, await browser.get(f"/{language}{path}"), ["new10@example.com"])
        asked = await reader.opens(browser, _PAPERLESS[0], language)
        answer = await browser.post(f"/{language}{_PAPERLESS[0]}", data=asked[1])
        if answer.status_code != 303:
            found.look("enrolling without an email address", answer)
    assert found.words == {}
    assert found.pages > 100


_CAME_BACK: Final = """
UPDATE contact_point SET bounced_at = $1, returned_at = $1 WHERE superseded_at IS NULL
"""
_PAPERLESS: Final = ("/profile/ecommunications", "/profile/ecommunications/withdraw")
_HOME: Final = {"city": "SACRAMENTO", "state": "CA", "zip5": "95814"} | {
    "safe": "yes", "tell_old": "yes",
}  # fmt: skip
FAULTY: Final[dict[str, list[dict[str, str]]]] = {
    "/login": [{"participant_id": "9999999999", "pin": "000001"}, {"form_token": "x"}],
    "/forgot-pin": [{"form_token": "x"}],
    "/profile/address": [{"addr1": "12 12", **_HOME, "zip5": "10001"}],
    "/profile/pin": [
        {"current_pin": "000009", "new_pin": "592710", "confirm_pin": "592710"},
        {"current_pin": "481902", "new_pin": "481902", "confirm_pin": "481902"},
        {"current_pin": "481902", "new_pin": "111111", "confirm_pin": "111112"},
        {"current_pin": "481902", "new_pin": "100000", "confirm_pin": "100000"},
    ],
    "/profile/ecommunications": [{"text_version": "1"}],
    "/profile/ecommunications/sample": [{"code": "1"}] * 5,
    "/choose-pin": [{"new_pin": "481902", "confirm_pin": "481902"}],
    "/messages": [{"body": "1" * 4001}],
    "/appointments/{appointment_id}/reschedule": [{"wish": "1" * 501}, {"starts_at": "0"}],
    "/appointments/{appointment_id}/confirm": [{"starts_at": "0"}],
    "/profile/other-party": [{"address": "1" * 1001}],
}
"""What is found at fault besides what is missing, or cannot be read."""


@pytest.mark.parametrize("language", ["en", "es"])
async def test_no_word_of_a_failure_bypasses_the_catalogue(
    portal: Portal, world: World, language: str
) -> None:
    """Whatever cannot be given, to whom is signed in, half or not at all."""
    found = Found(known_of(portal, world, "payer"))
    payer = world.participants["payer"]
    for visitor in (
        portal.browser(),
        await portal.signed_in(payer),
        await portal.signed_in(payer, Stage.PIN_CHANGE),
    ):
        for path in (
            *(f"/fails/{status}" for status in (*WORDED, 403, 409)),
            "/nowhere",
            "/log-out",
        ):
            answer = await visitor.get(f"/{language}{path}")
            assert answer.status_code >= 400, path
            found.look(path, answer)
    assert found.words == {}


def said_by_the_portal() -> set[str]:
    """The keys of what was done, as pages are told them."""
    source = "\n".join(path.read_text("utf-8") for path in sorted(_ROOMS.glob("*.py")))
    plain = set(re.findall(r"said=\"(\w+)\"", source))
    worded = {
        *(f"{what}_{done}" for what in ("email", "address", "phone") for done in ("changed",)),
        "email_to_confirm", "language_changed", "unchanged", "enrolled", "withdrawn",
        "confirmation_sent", "appointment_confirmed", "appointment_reschedule",
        "reminders_on", "reminders_off",
    }  # fmt: skip
    return plain | worded


def worded_by_templates() -> set[str]:
    """The keys that templates have words for."""
    found: set[str] = set()
    for path in sorted(_TEMPLATES.glob("*.html")):
        source = path.read_text("utf-8")
        found |= set(re.findall(r"said == \"(\w+)\"", source))
        done = source.partition("{% set done = {")[2].partition("} %}")[0]
        found |= set(re.findall(r"\"(\w+)\": _\(", done))
    return found


def test_everything_that_was_done_has_words() -> None:
    """What a page is told to say, a template says."""
    assert said_by_the_portal() == worded_by_templates()


@pytest.mark.parametrize("language", ["en", "es"])
async def test_no_word_about_what_was_done_bypasses_the_catalogue(
    portal: Portal, world: World, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every message of success, on the pages that say it."""
    found = Found(known_of(portal, world, "payer"))
    browser = await portal.signed_in(world.participants["payer"])
    silent: dict[str, str] = {}
    for said in (None, *sorted(worded_by_templates())):
        monkeypatch.setattr(Tokens, "said", lambda _self, _request, said=said: said)
        changed = 0
        for path in (
            "/",
            "/home",
            "/profile",
            "/profile/reminders",
            "/appointments",
            "/messages",
            "/profile/other-party",
        ):
            answer = await browser.get(f"/{language}{path}")
            found.look(f"{path} after {said}", answer)
            text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", answer.text)
            changed += text != silent.setdefault(path, text)
        assert changed or said is None, said
    assert found.words == {}


@pytest.mark.parametrize("way", ["way=made", "way=sent&from=1/1/2020", "to=1/1/1990"])
@pytest.mark.parametrize("name", READERS)
async def test_no_word_of_a_file_bypasses_the_catalogue(
    portal: Portal, world: World, name: str, way: str
) -> None:
    """Headings, methods and totals of the PDF and the spreadsheet, and their names."""
    known = known_of(portal, world, name)
    browser = await portal.signed_in(world.participants[name])
    for kind in ("csv", "pdf"):
        answer = await browser.get(f"/es/payments/history.{kind}?{way}")
        assert answer.status_code == 200
        named = answer.headers["Content-Disposition"].removeprefix("attachment; filename=")
        assert bypassing_words(named.removesuffix(f'.{kind}"'), known) == []
        text = answer.content.decode("utf-8-sig") if kind == "csv" else text_of(answer.content)
        assert len(_SAID.findall(text)) >= (4 if kind == "csv" else 10)
        assert bypassing_words(text, known) == [], kind


def text_of(pdf: bytes) -> str:
    """What the pages of a PDF say."""
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


async def test_no_word_for_a_calendar_or_a_caseworker_bypasses_the_catalogue(
    portal: Portal, world: World
) -> None:
    """What a calendar shows of an appointment; and the request for another time, which is written
    to the caseworker in the reader's name."""
    reader = Reader(world, "payer")
    browser = await portal.signed_in(world.participants["payer"])
    answer = await browser.get(f"/es{reader.path('/appointments/{appointment_id}/calendar.ics')}")
    [event] = Calendar.from_ical(answer.content).events
    known = known_of(portal, world, "payer")
    for name in ("SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT"):
        assert bypassing_words(str(event.get(name, "")), known) == [], name
    assert _SAID.search(str(event["SUMMARY"]))
    place = "/appointments/{appointment_id}/reschedule"
    _, hidden = await reader.opens(browser, place, "es")
    await browser.post(f"/es{reader.path(place)}", data=hidden | {"wish": "12"})
    [row] = await fetch(
        portal.application,
        f"SELECT {MESSAGE.read()} AS body FROM caseworker_message ORDER BY id DESC LIMIT 1",
    )
    assert bypassing_words(str(row["body"]), known) == []
    assert _SAID.search(str(row["body"]))


def test_a_word_that_bypasses_is_found() -> None:
    """The test can fail: in the text, in what is drawn beside a cell, and in what is read out."""
    page = (
        "<title>Untitled «x»</title><p>«Said» 12 <b>Unsaid</b> «more»</p>"
        "<td data-label=\"Unlabelled\">1</td><img alt='Undrawn'>"
    )
    assert bypassing(page, set()) == ["Undrawn", "Unlabelled", "Unsaid", "Untitled"]
