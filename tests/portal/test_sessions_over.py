"""What a session may not do once it is over, and what looking without seeing leaves behind."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest
from pydantic import SecretStr

from engine.portal.app import places
from engine.security.sessions import Stage
from engine.settings import Settings
from engine.stack.visitors import hidden_fields
from tests import people
from tests.database_rows import execute, fetch
from tests.portal.portal_server import PARTICIPANT, Portal, form_token, portal_over
from tests.portal.test_sign_in import NEW, PIN, has_pin, sign_in

FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_a_form_under_way_when_its_session_ends_does_nothing(portal: Portal) -> None:
    """Whoever holds a form open, and sends the rest of it after the parent has signed them out, is
    told that the session ended."""
    thief = await portal.signed_in(1)
    fields = hidden_fields((await thief.get("/en/profile/phone")).text)
    body = urlencode(fields | {"phone": "(916) 555-0123", "safe": "yes"}).encode()

    async def slowly() -> AsyncIterator[bytes]:
        yield body[:10]
        await execute(portal.application, "UPDATE portal_session SET ended_at = now()")
        yield body[10:]

    headers = FORM_TYPE | {"Content-Length": str(len(body))}
    answered = await thief.post("/en/profile/phone", content=slowly(), headers=headers)
    assert answered.headers["Location"] == "/en/session-ended"
    assert not await fetch(portal.application, "SELECT FROM audit_entry")


async def test_a_newer_temporary_pin_ends_the_session_of_the_older(portal: Portal) -> None:
    """Whoever came in with a PIN that was replaced since may not choose the next one."""
    await has_pin(portal, "temporary", "730164")
    browser = portal.browser()
    assert (await sign_in(browser, "730164")).headers["Location"] == "/en/choose-pin"
    fields = hidden_fields((await browser.get("/en/choose-pin")).text)
    await execute(
        portal.application, "UPDATE pin_credential SET voided_at = now() WHERE kind = 'temporary'"
    )
    answered = await browser.post(
        "/en/choose-pin", data=fields | {"new_pin": NEW, "confirm_pin": NEW}
    )
    assert answered.headers["Location"] == "/en/session-ended"
    assert not await fetch(portal.application, "SELECT FROM pin_credential WHERE kind = 'chosen'")


async def test_signing_in_anew_leaves_no_session_behind(portal: Portal) -> None:
    """The session that the browser held before is over on the server, too."""
    await has_pin(portal, "chosen", PIN)
    browser = portal.browser()
    await sign_in(browser)
    older = browser.cookies["session"]
    await sign_in(browser)
    assert browser.cookies["session"] != older
    thief = portal.browser()
    thief.cookies.set("session", older, domain="portal.example")
    assert (await thief.get("/en/home")).headers["Location"] == "/en/session-ended"


async def test_no_link_from_elsewhere_signs_a_reader_out(portal: Portal) -> None:
    """The page that says a session ended leads whoever is signed in to their home page."""
    browser = await portal.signed_in(1)
    answered = await browser.get("/es/session-ended")
    assert answered.headers["Location"] == "/es/home"
    assert (await browser.get("/es/home")).status_code == 200


async def test_a_browser_is_known_for_one_participant_and_one_pin(portal: Portal) -> None:
    """A browser in which somebody else signed in gets no tries of its own at a locked number; the
    parent's own browser does, until the PIN is changed."""
    await has_pin(portal, "chosen", PIN)
    own = portal.browser()
    await sign_in(own)
    for _ in range(5):
        await sign_in(portal.browser(), "000001")
    (other,) = await people.add(portal.application.engine, people.Person("0000000002"))
    await execute(
        portal.application,
        "INSERT INTO pin_credential (participant_id, kind, hash, issued_at)"
        " SELECT $1, kind, hash, issued_at FROM pin_credential",
        other,
    )
    stranger = portal.browser()
    assert (await sign_in(stranger, number="0000000002")).status_code == 303
    assert (await sign_in(stranger)).status_code == 422
    assert (await sign_in(own)).status_code == 303
    await execute(
        portal.application, "UPDATE pin_credential SET voided_at = now() WHERE kind = 'chosen'"
    )
    await has_pin(portal, "chosen", PIN)
    assert (await sign_in(own)).status_code == 422


async def test_without_redis_nobody_signs_in_and_nobody_is_blamed(
    portal: Portal, settings: Settings
) -> None:
    """Guesses that cannot be counted are not taken: the page says that the service is away, and no
    attempt was made."""
    away = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1")})
    async with portal_over(away) as lonely:
        await has_pin(lonely, "chosen", PIN)
        answered = await sign_in(lonely.browser())
        assert answered.status_code == 503
        assert "Retry-After" in answered.headers
        assert not await fetch(lonely.application, "SELECT FROM audit_entry")


@pytest.mark.parametrize("stage", [Stage.FULL, Stage.PIN_CHANGE])
async def test_head_sees_nothing_and_changes_nothing(portal: Portal, stage: Stage) -> None:
    """HEAD is answered as GET is, and leaves no trace: nothing is read, opened or counted."""
    browser = await portal.signed_in(1, stage)
    ids = {"case_id": 1, "appointment_id": 1, "document_id": 1, "token": "A" * 43}
    for place in places():
        if "GET" not in place.methods:
            continue
        path = f"/es{place.path.format_map(ids)}"
        head, get = await browser.head(path), await browser.get(path)
        assert head.status_code == get.status_code, path
        assert head.content == b""
    written = {row["act"] for row in await fetch(portal.application, "SELECT act FROM audit_entry")}
    assert written <= {"payments.downloaded", "payments.printed"}


async def test_head_leaves_a_document_unread(portal: Portal) -> None:
    """A program that looks whether a file is there does not open it."""
    browser = await portal.signed_in(1)
    for _ in range(3):
        assert (await browser.head("/en/payments/history.csv")).status_code == 200
    assert not await fetch(portal.application, "SELECT FROM audit_entry")


async def test_the_current_pin_is_asked_for_a_few_times_only(portal: Portal) -> None:
    """Five wrong ones in a quarter of an hour, each of them in the trail; slips with the new PIN
    are not counted, and a wrong current PIN is told nothing about the new one."""
    await has_pin(portal, "chosen", PIN)
    browser = await portal.signed_in(1)

    async def change(current: str, new: str) -> httpx.Response:
        page = await browser.get("/en/profile/pin")
        typed = {"current_pin": current, "new_pin": new, "confirm_pin": new}
        return await browser.post("/en/profile/pin", data=hidden_fields(page.text) | typed)

    for _ in range(8):
        assert (await change(PIN, "111111")).status_code == 422
    for _ in range(5):
        answered = await change("000009", PIN)
        assert answered.status_code == 422
        assert 'id="new_pin-fault"' not in answered.text
    assert (await change("000009", NEW)).status_code == 429
    acts = await fetch(portal.application, "SELECT act FROM audit_entry")
    assert acts == [{"act": "pin.current_wrong"}] * 5


async def test_the_trail_says_who_came_and_went(portal: Portal) -> None:
    """A PIN that was asked for, a sign-in, a log-out."""
    await has_pin(portal, "chosen", PIN)
    browser = portal.browser()
    await sign_in(browser)
    page = await browser.get("/en/profile")
    await browser.post("/en/log-out", data=hidden_fields(page.text))
    asking = portal.browser()
    typed = {
        "first_name": PARTICIPANT.first_name, "last_name": PARTICIPANT.last_name,
        "participant_id": PARTICIPANT.external_id, "method": "mail",
    }  # fmt: skip
    token = form_token((await asking.get("/en/register")).text)
    assert (await asking.post("/en/register", data=typed | {"form_token": token})).is_redirect
    rows = await fetch(
        portal.application, "SELECT actor, act, participant_id FROM audit_entry ORDER BY id"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("participant:1", "sign_in.succeeded", 1),
        ("participant:1", "signed_out", 1),
        ("unknown", "pin.requested", 1),
    ]


async def test_an_idle_session_is_over(portal: Portal) -> None:
    """A page asked for after a quarter of an hour leads to the end of the session."""
    browser = await portal.signed_in(1)
    await execute(
        portal.application,
        "UPDATE portal_session SET seen_at = seen_at - $1::interval",
        timedelta(minutes=15),
    )
    assert (await browser.get("/en/home")).headers["Location"] == "/en/session-ended"
