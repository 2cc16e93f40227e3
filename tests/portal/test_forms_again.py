"""A form that is sent again, at once, half signed in or too late: one change, or none."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import httpx
import pytest

from engine.portal.gate import CHOOSE_PIN
from engine.portal.places import Access
from engine.security.sessions import Stage
from engine.stack.visitors import hidden_fields
from tests.database_rows import execute, fetch
from tests.portal.filled_forms import PLACES, Reader, kept, prepare, without_limits
from tests.portal.portal_server import Portal
from tests.portal.trying import wrong_with
from tests.portal.world import World

PRIVATE: Final = [path for path, place in PLACES.items() if place.access is Access.PRIVATE]
SIGNED_IN: Final = [path for path, place in PLACES.items() if place.access is not Access.PUBLIC]
WINDOWS: Final = 5
OTHER: Final = {"en": "es", "es": "en"}


@dataclass(frozen=True, slots=True)
class Once:
    """What a form brings about, however often it is sent: its act, one row that a query finds, and
    the notices that tell of it. `before` it something else is to be so."""

    act: str
    row: str
    notices: tuple[str, ...] = ()
    before: str = "SELECT"


_CONTACT: Final = "SELECT FROM contact_point WHERE participant_id = $1 AND kind = '{}'"
CHANGES: Final[Mapping[str, Once]] = {
    "/profile/email": Once(
        "contact.email.changed",
        f"{_CONTACT.format('email')} AND superseded_at IS NOT NULL",
        ("confirm_email", "security_alert", "security_alert"),
    ),
    "/profile/address": Once(
        "contact.address.changed",
        f"{_CONTACT.format('mail')} AND superseded_at IS NOT NULL",
        ("security_alert", "security_alert"),
    ),
    "/profile/phone": Once(
        "contact.phone.changed",
        f"{_CONTACT.format('phone')} AND superseded_at IS NOT NULL",
        ("security_alert",),
    ),
    "/profile/reminders": Once(
        "reminders.stopped",
        "SELECT FROM reminder_choice WHERE participant_id = $1 AND NOT wanted",
    ),
    "/profile/language": Once(
        "language.changed",
        "SELECT FROM participant WHERE id = $1 AND language = 'en'",
        ("security_alert",),
    ),
    "/profile/ecommunications/sample": Once(
        "ecommunications.enrolled",
        "SELECT FROM consent WHERE participant_id = $1 AND action = 'given'",
        ("ecommunications_enrolled",),
    ),
    "/profile/ecommunications/withdraw": Once(
        "ecommunications.withdrawn",
        "SELECT FROM consent WHERE participant_id = $1 AND action = 'withdrawn'",
        ("ecommunications_withdrawn",),
        before="UPDATE participant SET paperless = true",
    ),
}
"""Forms that set something: five windows that ask for the same ask for one change."""
_PIN: Final = """
SELECT FROM pin_credential WHERE participant_id = $1 AND voided_at IS NOT NULL
"""
ONCE: Final[Mapping[str, Once]] = {
    **CHANGES,
    "/profile/pin": Once("pin.changed", _PIN, ("security_alert",)),
    CHOOSE_PIN: Once("pin.changed", _PIN, ("security_alert",)),
    "/profile/ecommunications": Once(
        "ecommunications.sample_made",
        "SELECT FROM consent_sample WHERE participant_id = $1 AND text_version <> '12'",
    ),
    "/profile/email/confirm-again": Once(
        "contact.email.confirmation_asked",
        "SELECT FROM email_confirmation JOIN contact_point ON contact_point.id = contact_point_id"
        " WHERE participant_id = $1",
        ("confirm_email",),
    ),
    "/appointments/{appointment_id}/confirm": Once(
        "appointment.confirmed",
        "SELECT FROM appointment_answer JOIN appointment ON appointment.id = appointment_id"
        " WHERE participant_id = $1 AND answer = 'confirmed'",
    ),
    "/appointments/{appointment_id}/reschedule": Once(
        "appointment.reschedule",
        "SELECT FROM caseworker_message WHERE participant_id = $1 AND sealed_body IS NOT NULL",
    ),
    "/messages": Once(
        "message.written",
        "SELECT FROM caseworker_message WHERE participant_id = $1 AND sealed_body IS NOT NULL",
    ),
    "/profile/other-party": Once(
        "other_party.reported",
        "SELECT FROM other_party_report WHERE participant_id = $1 AND sealed_facts IS NOT NULL",
    ),
}


@pytest.fixture
async def payer(portal: Portal, world: World, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Who sends the forms, as often as they are sent here; everybody has a PIN."""
    without_limits(monkeypatch)
    await prepare(portal, world)
    return Reader(world, "payer")


async def came_of(portal: Portal, payer: Reader, once: Once) -> tuple[int, list[str], list[str]]:
    """Rows, acts in the trail, and notices."""
    application = portal.application
    rows = await fetch(application, once.row, payer.world.participants["payer"])
    acts = await fetch(application, "SELECT act FROM audit_entry ORDER BY id")
    notices = await fetch(application, "SELECT notice FROM communication ORDER BY notice")
    return (
        len(rows),
        [str(row["act"]) for row in acts],
        [str(row["notice"]) for row in notices],
    )


def test_every_form_that_changes_something_is_sent_again() -> None:
    """None is forgotten here."""
    assert set(ONCE) == set(SIGNED_IN) - {"/log-out", "/session/keep"}


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("place", ONCE)
async def test_a_form_sent_five_times_at_once_is_done_once(
    portal: Portal, payer: Reader, place: str, language: str
) -> None:
    """One row, one entry in the trail, its notices once; all five windows are answered, and so is
    whoever sends the form again in the other language."""
    once, path = ONCE[place], payer.path(place)
    await execute(portal.application, once.before)
    browser = await payer.comes(portal, place)
    _, hidden = await payer.opens(browser, place, language)
    fields = hidden | payer.fills(place)
    answers = await asyncio.gather(
        *(browser.post(f"/{language}{path}", data=fields) for _ in range(WINDOWS))
    )
    after = f"/{language}{PLACES[place].after or path}"
    rotates = once.act == "pin.changed"
    allowed = {after, f"/{language}/session-ended"} if rotates else {after}
    assert {answer.status_code for answer in answers} == {303}
    assert after in {answer.headers["Location"] for answer in answers} <= allowed
    assert await came_of(portal, payer, once) == (1, [once.act], [*once.notices])
    landed = await browser.get(after)
    assert landed.status_code == 200
    assert wrong_with(landed, language) == ""
    again = await browser.post(f"/{OTHER[language]}{path}", data=fields)
    assert again.status_code == (403 if rotates else 303)
    assert await came_of(portal, payer, once) == (1, [once.act], [*once.notices])


@pytest.mark.parametrize("place", CHANGES)
async def test_five_windows_that_ask_for_the_same_change_it_once(
    portal: Portal, payer: Reader, place: str
) -> None:
    """Each with a form of its own."""
    once, path = CHANGES[place], payer.path(place)
    await execute(portal.application, once.before)
    browser = await payer.comes(portal, place)
    _, hidden = await payer.opens(browser, place)
    fields = hidden | payer.fills(place)
    answers = await asyncio.gather(
        *(
            browser.post(f"/en{path}", data=fields | {"form_id": str(uuid4())})
            for _ in range(WINDOWS)
        )
    )
    assert {answer.headers.get("Location") for answer in answers} == {f"/en{PLACES[place].after}"}
    assert await came_of(portal, payer, once) == (1, [once.act], [*once.notices])


async def sent_everywhere(
    portal: Portal, payer: Reader, browser: httpx.AsyncClient, token: str, forms: list[str]
) -> dict[str, str]:
    """Send each form, filled in well and with the token of a session; where that leads."""
    led = {}
    for turn, place in enumerate(forms):
        language = "es" if turn % 2 else "en"
        fields = payer.fills(place) | {"form_token": token, "form_id": str(uuid4())}
        if "{appointment_id}" in place:
            [row] = await fetch(
                portal.application,
                "SELECT starts_at FROM appointment WHERE id = $1",
                payer.world.appointments["payer"],
            )
            fields["starts_at"] = str(row["starts_at"]).replace(" ", "T")
        answer = await browser.post(f"/{language}{payer.path(place)}", data=fields)
        assert answer.status_code == 303, place
        led[place] = answer.headers["Location"].removeprefix(f"/{language}")
    return led


async def test_a_temporary_pin_opens_no_form_but_one(portal: Portal, payer: Reader) -> None:
    """Half signed in, every private form leads to choosing a PIN, and nothing of it is kept."""
    browser = await portal.signed_in(payer.world.participants["payer"], Stage.PIN_CHANGE)
    token = hidden_fields((await browser.get("/es/choose-pin")).text)["form_token"]
    before = await kept(portal)
    led = await sent_everywhere(portal, payer, browser, token, PRIVATE)
    assert led == dict.fromkeys(PRIVATE, "/choose-pin")
    assert await kept(portal) == before


@pytest.mark.parametrize(
    "over",
    [
        "UPDATE portal_session SET seen_at = seen_at - interval '15 minutes'",
        "UPDATE portal_session SET ends_at = ends_at - interval '12 hours'",
        "UPDATE portal_session SET ended_at = opened_at",
    ],
)
async def test_a_session_that_is_over_sends_nothing(
    portal: Portal, payer: Reader, over: str
) -> None:
    """Left alone for a quarter of an hour, twelve hours old, or ended: every form leads to the end
    of the session, and nothing of it is kept."""
    browser = await portal.signed_in(payer.world.participants["payer"])
    token = hidden_fields((await browser.get("/en/profile")).text)["form_token"]
    await execute(portal.application, over)
    before = await kept(portal)
    led = await sent_everywhere(portal, payer, browser, token, SIGNED_IN)
    assert led == dict.fromkeys(SIGNED_IN, "/session-ended")
    assert await kept(portal) == before


async def test_a_form_of_a_session_that_was_left_changes_nothing(
    portal: Portal, payer: Reader
) -> None:
    """Logged out in one window, the form that is left in another leads to signing in."""
    browser = await payer.comes(portal, "/log-out")
    _, hidden = await payer.opens(browser, "/log-out")
    await browser.post("/en/log-out", data=hidden)
    before = await kept(portal)
    led = await sent_everywhere(portal, payer, browser, hidden["form_token"], SIGNED_IN)
    assert led == dict.fromkeys(SIGNED_IN, "/login")
    assert await kept(portal) == before


async def test_a_form_of_an_older_session_is_not_one_of_the_next(
    portal: Portal, payer: Reader
) -> None:
    """Signed in again, a form that was drawn before is refused, on a page that says so."""
    older = await portal.signed_in(payer.world.participants["payer"])
    token = hidden_fields((await older.get("/en/profile")).text)["form_token"]
    newer = await portal.signed_in(payer.world.participants["payer"])
    before = await kept(portal)
    for turn, place in enumerate(PRIVATE):
        language = "es" if turn % 2 else "en"
        fields = payer.fills(place) | {"form_token": token, "form_id": str(uuid4())}
        answer = await newer.post(f"/{language}{payer.path(place)}", data=fields)
        assert answer.status_code == 403, place
        assert wrong_with(answer, language) == "", place
    assert await kept(portal) == before
