"""Coming in and going out, as a browser does it."""

import re
from datetime import timedelta

import httpx
import pytest

from engine.portal.tokens import FORM_FIELD
from engine.security.sessions import Stage
from engine.stack.visitors import hidden_fields
from tests.database_rows import execute, fetch
from tests.portal.portal_server import PARTICIPANT, Portal, form_token, post_form

PIN, TEMPORARY, NEW = "481902", "730164", "592710"


async def has_pin(portal: Portal, kind: str, pin: str) -> None:
    """Give the participant a PIN."""
    application = portal.application
    await execute(
        application,
        "INSERT INTO pin_credential (participant_id, kind, hash, issued_at, expires_at)"
        " VALUES (1, $1, $2, $3, $4)",
        kind,
        application.chosen_pins.checker.hasher.hash(pin),
        application.clock(),
        application.clock() + timedelta(days=1) if kind == "temporary" else None,
    )


async def sign_in(
    browser: httpx.AsyncClient, pin: str = PIN, number: str = PARTICIPANT.external_id
) -> httpx.Response:
    """Fetch the form and post it."""
    page = await browser.get("/en/login")
    fields = {"participant_id": number, "pin": pin, FORM_FIELD: form_token(page.text)}
    return await browser.post("/en/login", data=fields)


async def test_the_chosen_pin_leads_home(portal: Portal) -> None:
    """A number, as it is printed in groups, and its PIN: the participant's own home page."""
    await has_pin(portal, "chosen", PIN)
    browser = portal.browser()
    answered = await sign_in(browser, number="1234 567-890")
    assert (answered.status_code, answered.headers["Location"]) == (303, "/en/home")
    cookie = answered.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_a_temporary_pin_leads_to_its_change_and_nowhere_else(portal: Portal) -> None:
    """Whatever page is asked for, the answer is to choose a PIN first; then all are open, under a
    new session token, and the temporary PIN is used up."""
    await has_pin(portal, "temporary", TEMPORARY)
    browser = portal.browser()
    answered = await sign_in(browser, TEMPORARY)
    assert answered.headers["Location"] == "/en/choose-pin"
    for path in ("/en/profile/pin", "/es/profile/pin"):
        assert (await browser.get(path)).headers["Location"].endswith("/choose-pin")
    before = browser.cookies["session"]
    answered = await post_form(browser, "/en/choose-pin", new_pin=NEW, confirm_pin=NEW)
    assert (answered.status_code, answered.headers["Location"]) == (303, "/en/home")
    assert browser.cookies["session"] != before
    assert (await browser.get("/en/profile/pin")).status_code == 200
    assert (await sign_in(portal.browser(), TEMPORARY)).status_code == 422
    assert (await sign_in(portal.browser(), NEW)).headers["Location"] == "/en/home"
    told = await fetch(
        portal.application, "SELECT notice, facts->>'what' AS what FROM communication"
    )
    assert told == [{"notice": "security_alert", "what": "pin"}]


async def test_every_failure_reads_the_same(portal: Portal) -> None:
    """A wrong PIN, an unknown number, a number of the wrong length and a locked one: same status,
    same words."""
    await has_pin(portal, "chosen", PIN)
    answers = []
    for number, pin in (
        (PARTICIPANT.external_id, "000001"),
        ("9999999999", PIN),
        ("12", PIN),
        (PARTICIPANT.external_id, "x" * 500),
    ):
        answers.append(await sign_in(portal.browser(), pin, number))
    for _ in range(5):
        await sign_in(portal.browser(), "000001")
    answers.append(await sign_in(portal.browser(), PIN))
    assert {answer.status_code for answer in answers} == {422}
    assert len({_without_what_was_typed(answer.text) for answer in answers}) == 1


def _without_what_was_typed(page: str) -> str:
    return re.sub(r'value="[^"]*"', "", page)


async def test_a_pin_is_never_drawn(portal: Portal) -> None:
    """What was typed as a PIN stands on no page."""
    answered = await sign_in(portal.browser(), "739116")
    assert "739116" not in answered.text


async def test_missing_fields_are_named(portal: Portal) -> None:
    """An empty field is said to be empty, with a way to it."""
    page = await sign_in(portal.browser(), pin="")
    assert page.status_code == 422
    assert 'href="#pin"' in page.text
    page = await sign_in(portal.browser(), number=" ")
    assert 'href="#participant_id"' in page.text


async def test_guessing_is_slowed_down(portal: Portal) -> None:
    """One network may try one number so many times an hour; then it waits."""
    browser = portal.browser()
    statuses = [(await sign_in(browser, "000001")).status_code for _ in range(21)]
    assert statuses == [422] * 20 + [429]


async def test_a_form_of_another_site_signs_nobody_in(portal: Portal) -> None:
    """Without the token of this browser's own form nothing is tried."""
    await has_pin(portal, "chosen", PIN)
    browser = portal.browser()
    fields = {"participant_id": PARTICIPANT.external_id, "pin": PIN}
    assert (await browser.post("/en/login", data=fields)).status_code == 403
    assert "session" not in browser.cookies


async def test_log_out_ends_the_session_on_the_server(portal: Portal) -> None:
    """The cookie is gone, and its copy is worth nothing."""
    browser = await portal.signed_in(1)
    copy = browser.cookies["session"]
    page = await browser.get("/en/profile/pin")
    answered = await browser.post(
        "/en/log-out",
        data={FORM_FIELD: form_token(page.text), "form_id": "0b0e6a34-0000-4000-8000-000000000000"},
    )
    assert answered.status_code == 303
    assert "Clear-Site-Data" in answered.headers
    thief = portal.browser()
    thief.cookies.set("session", copy, domain="portal.example")
    assert (await thief.get("/en/profile/pin")).headers["Location"] == "/en/session-ended"


@pytest.mark.parametrize("cookie", ["", "x", "../../etc", "ñandú", "a" * 4000])
async def test_a_forged_session_is_none(portal: Portal, cookie: str) -> None:
    """Whatever a browser says its session is, without the token it has none."""
    headers = {b"Cookie": f"session={cookie}".encode()}
    answered = await portal.browser().get("/en/profile/pin", headers=headers)
    assert answered.status_code == 303
    assert answered.headers["Location"] in {"/en/login", "/en/session-ended"}


async def test_a_pin_change_signs_out_every_other_browser(portal: Portal) -> None:
    """The one at hand stays in, the others are out, and all older PINs are void."""
    await has_pin(portal, "chosen", PIN)
    here, there = await portal.signed_in(1), await portal.signed_in(1)
    answered = await post_form(
        here, "/en/profile/pin", current_pin=PIN, new_pin=NEW, confirm_pin=NEW
    )
    assert answered.headers["Location"] == "/en/profile"
    assert (await here.get("/en/profile/pin")).status_code == 200
    assert (await there.get("/en/profile/pin")).status_code == 303
    assert (await sign_in(portal.browser(), PIN)).status_code == 422


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"current_pin": "000009"}, "current_pin"),
        ({"new_pin": "12345", "confirm_pin": "12345"}, "new_pin"),
        ({"new_pin": "111111", "confirm_pin": "111111"}, "new_pin"),
        ({"new_pin": "234567", "confirm_pin": "234567"}, "new_pin"),
        ({"new_pin": PIN, "confirm_pin": PIN}, "new_pin"),
        ({"new_pin": "١٢٣٤٥٦", "confirm_pin": "١٢٣٤٥٦"}, "new_pin"),
        ({"confirm_pin": "592711"}, "confirm_pin"),
    ],
)
async def test_a_pin_that_may_not_be_is_refused(
    portal: Portal, typed: dict[str, str], field: str
) -> None:
    """A wrong current PIN, an easy one, a part of the number, the same one, a slip: each is said
    at its field, and nothing is changed."""
    await has_pin(portal, "chosen", PIN)
    browser = await portal.signed_in(1)
    fields = {"current_pin": PIN, "new_pin": NEW, "confirm_pin": NEW} | typed
    answered = await post_form(browser, "/en/profile/pin", **fields)
    assert answered.status_code == 422
    assert f'id="{field}-fault"' in answered.text
    assert (await sign_in(portal.browser(), PIN)).status_code == 303


async def test_the_same_form_twice_changes_a_pin_once(portal: Portal) -> None:
    """A second click is answered as the first was, and tells nobody again."""
    await has_pin(portal, "temporary", TEMPORARY)
    browser = await portal.signed_in(1, Stage.PIN_CHANGE)
    page = await browser.get("/en/choose-pin")
    fields = hidden_fields(page.text) | {"new_pin": NEW, "confirm_pin": NEW}
    first = await browser.post("/en/choose-pin", data=fields)
    second = await browser.post("/en/choose-pin", data=fields)
    assert first.headers["Location"] == "/en/home"
    assert second.status_code in {303, 403}
    assert len(await fetch(portal.application, "SELECT FROM communication")) == 1
