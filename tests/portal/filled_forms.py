"""Every form of the portal as a careful parent fills it in: whoever tries one can try them all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

import httpx
import pytest

from engine.bootstrap import Application
from engine.caseload.consent_samples import LIVES, ConsentSamples, Sample
from engine.database import Base
from engine.portal.app import places
from engine.portal.gate import CHOOSE_PIN
from engine.portal.places import Access, Place
from engine.security.sessions import Stage
from engine.security.throttling import Decision, Throttle
from engine.settings import Settings
from tests.database_rows import execute, fetch
from tests.portal.portal_server import MONDAY_NOON, Portal
from tests.portal.world import EVERYBODY, World

PIN: Final = "481902"
NEW_PIN: Final = "592710"
TOKEN: Final = "A" * 43
"""What a link in a mail could hold, and none does."""
_NONCE: Final = bytes(16)
CODE: Final = ConsentSamples(Settings().tag_key_bytes(), lambda: MONDAY_NOON).code(
    Sample(1, "", "es", _NONCE, MONDAY_NOON, None, 0)
)
"""What the sample prints that everybody has."""
FORM_TYPE: Final = "application/x-www-form-urlencoded"

_ASKED: Final = {
    "first_name": "{first_name}",
    "last_name": "{last_name}",
    "participant_id": "{number}",
    "method": "mail",
}
_SAFE: Final = {"safe": "yes", "tell_old": "yes"}


@dataclass(frozen=True, slots=True)
class Form:
    """What is typed into a form; `{…}` stands for what is its reader's, and `{n}` for a number that
    makes each time another one. It is drawn on `page`, where that is not where it is sent."""

    typed: Mapping[str, str]
    page: str = ""
    more: tuple[str, ...] = ()
    """Fields that a button or an earlier answer adds."""
    shown: tuple[str, ...] = ()
    """Pages that show what was kept."""
    exact: str = ""
    """The field whose words are shown as they were typed."""


FORMS: Final[Mapping[str, Form]] = {
    "/forgot-pin": Form(_ASKED),
    "/register": Form(_ASKED),
    "/login": Form({"participant_id": "{number}", "pin": PIN}),
    "/log-out": Form({}, page="/profile"),
    "/session/keep": Form({}, page="/profile"),
    CHOOSE_PIN: Form({"new_pin": NEW_PIN, "confirm_pin": NEW_PIN}),
    "/profile/pin": Form({"current_pin": PIN, "new_pin": NEW_PIN, "confirm_pin": NEW_PIN}),
    "/appointments/{appointment_id}/confirm": Form(
        {}, page="/appointments", more=("starts_at",), shown=("/appointments",)
    ),
    "/appointments/{appointment_id}/reschedule": Form(
        {"wish": "In the morning, please ({n})"},
        more=("starts_at",),
        shown=("/appointments", "/messages"),
        exact="wish",
    ),
    "/messages": Form(
        {"case": "{case_id}", "body": "When is it? ({n})"}, shown=("/messages",), exact="body"
    ),
    "/profile/language": Form({"notices": "en"}, shown=("/profile",)),
    "/profile/reminders": Form({"reminders": "no"}, shown=("/profile/reminders",)),
    "/profile/ecommunications": Form({}, more=("text_version",)),
    "/profile/ecommunications/sample": Form({"code": CODE}, shown=("/profile",)),
    "/profile/ecommunications/withdraw": Form({}, shown=("/profile",)),
    "/profile/email/confirm-again": Form({}, page="/profile"),
    "/profile/email": Form(
        {"email": "new{n}@example.com"} | _SAFE,
        more=("none",),
        shown=("/profile", "/profile/email"),
    ),
    "/profile/address": Form(
        {
            "addr1": "{n} EXAMPLE AVE", "addr2": "", "urbanization": "", "city": "SACRAMENTO",
            "state": "CA", "zip5": "95814", "zip4": "",
        } | _SAFE,
        more=("anyway",),
        shown=("/profile", "/profile/address"),
    ),
    "/profile/phone": Form(
        {"phone": "(916) 555-{n:04d}", "safe": "yes"},
        more=("none",),
        shown=("/profile", "/profile/phone"),
    ),
    "/confirm-email/{token}": Form({}),
    "/u/{token}": Form({}, more=("List-Unsubscribe",)),
    "/profile/other-party": Form(
        {
            "case": "{case_id}", "address": "9 Example Street ({n})", "phone": "(916) 555-0177",
            "email": "other@example.com", "employer": "Example Bakery", "other": "At night",
        },
        shown=("/profile/other-party",),
    ),
}  # fmt: skip
"""The path a form is sent to → the form."""
TAKES_NO_TOKEN: Final = {"/u/{token}"}
"""A form that a mail program may send too (RFC 8058): tests/portal/test_unsubscribe.py."""
OF_OURS: Final = [place for place in FORMS if place not in TAKES_NO_TOKEN]
"""Those that are taken from a page of ours alone."""

PLACES: Final[Mapping[str, Place]] = {
    place.path: place for place in places() if "POST" in place.methods
}


@dataclass
class Drawn:
    """A form as a page draws it: what it holds already, and what can be filled in."""

    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[Drawn] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = given.get("method") == "post"
            if self._inside:
                self.drawn.append(Drawn(given["action"]))
        elif self._inside and (name := given.get("name")):
            if given.get("type") == "hidden":
                self.drawn[-1].hidden[name] = given["value"]
            else:
                self.drawn[-1].names.add(name)

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "form"


def forms_of(page: str) -> list[Drawn]:
    """The forms of a page that are sent by POST, in order."""
    found = _Forms()
    found.feed(page)
    return found.drawn


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody of the world at the forms."""

    world: World
    name: str

    def path(self, place: str) -> str:
        """A place's path, with the ids of what is the reader's."""
        return place.format_map(self._own | {"token": TOKEN})

    def fills(self, place: str, n: int = 10, whose: str = "") -> dict[str, str]:
        """What is typed into a form, about a case of `whose`; as another the `n`-th time."""
        own = self._own | {"case_id": str(self.world.cases[whose or self.name])}
        return {
            name: value.format_map(own | {"n": n}) for name, value in FORMS[place].typed.items()
        }

    @property
    def _own(self) -> dict[str, str]:
        person = EVERYBODY[self.name]
        return {
            "first_name": person.first_name,
            "last_name": person.last_name,
            "number": person.external_id,
            "case_id": str(self.world.cases[self.name]),
            "appointment_id": str(self.world.appointments[self.name]),
        }

    async def comes(self, portal: Portal, place: str) -> httpx.AsyncClient:
        """A browser in which this form is open to the reader."""
        if PLACES[place].access is Access.PUBLIC:
            return portal.browser()
        stage = Stage.PIN_CHANGE if place == CHOOSE_PIN else Stage.FULL
        return await portal.signed_in(self.world.participants[self.name], stage)

    async def opens(
        self, browser: httpx.AsyncClient, place: str, language: str = "en"
    ) -> tuple[str, dict[str, str]]:
        """The page of a form, fetched by `browser`, and the form's hidden fields."""
        page = await browser.get(f"/{language}{self.path(FORMS[place].page or place)}")
        assert page.status_code == 200, (place, page.status_code)
        drawn = forms_of(page.text)
        # What a script sends, or no page of this reader draws, goes with the token of any form.
        ours = [form for form in drawn if form.action == f"/{language}{self.path(place)}"] or drawn
        return page.text, ours[0].hidden


def without_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything may be asked for without end: no answer is hidden behind a 429."""

    async def allow(_self: Throttle, *_of: str, rate: str, or_refuse: bool = False) -> Decision:
        del rate, or_refuse
        return Decision(allowed=True)

    monkeypatch.setattr(Throttle, "allow", allow)


async def give_samples(application: Application) -> None:
    """Everybody has begun to enrol in eCommunications: a sample waits for its code."""
    await execute(
        application,
        "INSERT INTO consent_text (version, language, words, first_shown_at)"
        " VALUES ('12', 'es', '1', $1)",
        application.clock(),
    )
    await execute(
        application,
        "INSERT INTO consent_sample (participant_id, text_version, language, nonce, made_at,"
        " expires_at) SELECT id, '12', 'es', $1, $2, $3 FROM participant",
        _NONCE,
        application.clock(),
        application.clock() + LIVES,
    )


async def prepare(portal: Portal, world: World) -> None:
    """Everybody has a PIN, a new email address that waits to be confirmed, and a sample."""
    application = portal.application
    await give_samples(application)
    hashed = application.chosen_pins.checker.hasher.hash(PIN)
    await execute(application, "DELETE FROM pin_credential")
    await execute(
        application,
        "INSERT INTO pin_credential (participant_id, kind, hash, issued_at)"
        " SELECT id, 'chosen', $1, $2 FROM participant",
        hashed,
        application.clock(),
    )
    await execute(
        application,
        "UPDATE contact_point SET changed_by = 'participant' WHERE kind = 'email'",
    )


async def kept(portal: Portal) -> dict[str, object]:
    """A digest of everything that is kept, table by table; but for when a session was last seen."""
    tables = [table.name for table in Base.metadata.sorted_tables if table.name != "portal_session"]
    digest = (
        "SELECT '{0}' AS name, md5(string_agg(t::text, '|' ORDER BY t::text)) AS digest"
        " FROM {0} AS t"
    )
    query = " UNION ALL ".join(digest.format(name) for name in tables)
    return {str(row["name"]): row["digest"] for row in await fetch(portal.application, query)}
