"""No word that a person is shown bypasses the catalogue: a made-up language shows those that do."""

import re
from collections.abc import AsyncIterator
from gettext import NullTranslations
from html.parser import HTMLParser
from typing import Final

import pytest
from babel.dates import get_day_names, get_month_names
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.portal import layout
from engine.portal.app import places
from engine.settings import Settings
from engine.stack.visitors import hidden_fields
from tests.portal.portal_server import Portal, portal_over
from tests.portal.world import EVERYBODY, populate

_SAID: Final = re.compile(r"⟦[^⟦⟧]*⟧")
_SHOWN_ATTRIBUTES: Final = ("alt", "aria-label", "placeholder", "title", "data-one", "data-many")
_UNSHOWN: Final = {"script", "style"}
_CALENDAR: Final = {
    *get_month_names("wide", locale="en").values(),
    *get_day_names("wide", locale="en").values(),
    *("AM", "PM", "at"),
}
_OF_NO_LANGUAGE: Final = {"TTY", "English", "Español", "PDF", "CSV", "Alameda", "PLACE", "OF"}
"""Names, and the language button, which speaks the other language."""


class Pseudo(NullTranslations):
    """A language in which everything stands between brackets."""

    def gettext(self, message: str) -> str:
        """The message, between brackets."""
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The message for `n` things, between brackets."""
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"

    def pgettext(self, context: str, message: str) -> str:
        """The message of one meaning, between brackets."""
        del context
        return f"⟦{message}⟧"


class Shown(HTMLParser):
    """Everything of a page that is shown or read out."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Attributes that are read out, and what a button says."""
        self._inside.append(tag)
        self.pieces += [value for name, value in attrs if name in _SHOWN_ATTRIBUTES and value]

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
    whole = "\n".join(shown.pieces)
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
    """A portal that speaks the made-up language."""
    monkeypatch.setattr(layout, "translations", lambda _language: Pseudo())
    async with portal_over(settings) as opened:
        yield opened


async def test_no_word_bypasses_the_catalogue(portal: Portal) -> None:
    """On every page, signed out and in, with its faults and on error pages: whatever is not a
    name, a number, a date or an amount comes from the catalogue."""
    world = await populate(portal.application)
    agency = portal.application.settings.agency
    known = {
        agency.name("en"), agency.programme("en"), agency.site,
        *world.secrets_of("payer"), *(part for part in EVERYBODY["payer"].last_name.split()),
        "SACRAMENTO", "CA", "payer",
    }  # fmt: skip
    ids = {
        "case_id": str(world.cases["payer"]),
        "appointment_id": str(world.appointments["payer"]),
        "document_id": "1",
        "token": "A" * 43,
    }
    signed_in = await portal.signed_in(world.participants["payer"])
    signed_out = portal.browser()
    found: dict[str, list[str]] = {}
    for place in places():
        browser = signed_out if place.access == "public" else signed_in
        path = f"/en{place.path.format_map(ids)}"
        if "GET" not in place.methods or place.path.endswith((".pdf", ".csv", ".ics")):
            continue
        page = await browser.get(path)
        if page.status_code == 200 and (words := bypassing(page.text, known)):
            found[path] = words
        if "POST" in place.methods and page.status_code == 200:
            faulty = await browser.post(path, data=hidden_fields(page.text))
            if faulty.status_code in {404, 422} and (words := bypassing(faulty.text, known)):
                found[f"{path} with its faults"] = words
    nowhere = await signed_out.get("/en/nowhere")
    assert bypassing(nowhere.text, known) == []
    assert found == {}


def test_a_word_that_bypasses_is_found() -> None:
    """The test can fail."""
    assert bypassing("<p>⟦Said⟧ 12 <b>Unsaid</b> ⟦more⟧</p>", set()) == ["Unsaid"]
