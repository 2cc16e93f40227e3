"""Doing without reminders by email: one click out of a mail, and the setting that takes it back."""

from datetime import timedelta
from typing import Final
from urllib.parse import quote

import httpx
import pytest

from engine.caseload.unsubscribing import UnsubscribeTokens
from engine.portal.app import places
from engine.portal.one_click import FIELD, VALUE
from engine.stack.visitors import hidden_fields
from tests import people
from tests.caseload.appointments import add_appointment
from tests.database_rows import fetch
from tests.portal.filled_forms import TAKES_NO_TOKEN
from tests.portal.page_reader import Page
from tests.portal.portal_server import MONDAY_NOON, Portal, post_form

FORM: Final = "application/x-www-form-urlencoded"
ONE_CLICK: Final = f"{FIELD}={VALUE}".encode()
PARTS: Final = "multipart/form-data; boundary=----b0undary"
IN_PARTS: Final = (
    b'------b0undary\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
    b"One-Click\r\n------b0undary--\r\n"
)


@pytest.fixture
async def parent(portal: Portal) -> int:
    """Somebody who reads Spanish, and gets reminders."""
    (added,) = await people.add(portal.application.engine, people.Person("0000000002"))
    return added


def path_of(portal: Portal, participant: int, language: str = "es") -> str:
    """Where the link of a participant's mail leads."""
    return f"/{language}/u/{portal.application.unsubscribing.tokens.token(participant)}"


async def choices(portal: Portal) -> list[dict[str, object]]:
    """What was chosen, in order."""
    return await fetch(
        portal.application, "SELECT participant_id, wanted, via FROM reminder_choice ORDER BY id"
    )


async def pressed(
    portal: Portal, path: str, body: bytes = ONE_CLICK, content_type: str = FORM
) -> httpx.Response:
    """What a mail program's own POST is answered: without cookies, without a page before it, and
    from another origin."""
    return await portal.browser(origin="https://mail.example").post(
        path, content=body, headers={"Content-Type": content_type}
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (ONE_CLICK, FORM),
        (ONE_CLICK, f"{FORM}; charset=UTF-8"),
        (IN_PARTS, PARTS),
        (IN_PARTS.replace(b'"List-Unsubscribe"', b"List-Unsubscribe"), PARTS),
    ],
)
async def test_one_click_stops_reminders(
    portal: Portal, parent: int, body: bytes, content_type: str
) -> None:
    """In both encodings of RFC 8058 (3.1), answered by 200 and no cookie, however often it is sent;
    the act is in the audit trail once, and eCommunications are as they were."""
    for _ in range(3):
        answer = await pressed(portal, path_of(portal, parent), body, content_type)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
    assert await choices(portal) == [{"participant_id": parent, "wanted": False, "via": "link"}]
    entries = await fetch(
        portal.application, "SELECT actor, act, details::text AS details FROM audit_entry"
    )
    assert entries == [
        {"actor": f"participant:{parent}", "act": "reminders.stopped", "details": "{}"}
    ]
    [row] = await fetch(
        portal.application, "SELECT paperless FROM participant WHERE id = $1", parent
    )
    assert row["paperless"] is False


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_to_follow_the_link_changes_nothing(portal: Portal, parent: int, method: str) -> None:
    """Programs that look into mail follow its links; no browser is given anything to hold."""
    for _ in range(3):
        answer = await portal.browser().request(method, path_of(portal, parent))
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
    assert await choices(portal) == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", FORM, 400),
        (b"List-Unsubscribe=Two-Clicks", FORM, 400),
        (b"list-unsubscribe=one-click", FORM, 400),
        (b"\xff\xfe", FORM, 400),
        (b"&".join([b"a=b"] * 40), FORM, 400),
        (IN_PARTS, "multipart/form-data", 400),
        (IN_PARTS.replace(b"One-Click", b""), PARTS, 400),
        (b"\x00\xff" * 500, PARTS, 400),
        (b"", "multipart/form-data; boundary=\xff", 400),
        (ONE_CLICK, "text/plain", 415),
        (ONE_CLICK, "application/json", 415),
        (ONE_CLICK + b"&" + b"x" * 70_000, FORM, 413),
    ],
)
async def test_what_does_not_ask_for_it_changes_nothing(
    portal: Portal, parent: int, body: bytes, content_type: str, status: int
) -> None:
    """A POST that says something else is no click."""
    browser = portal.browser()
    answer = await browser.post(
        path_of(portal, parent),
        content=body,
        headers=[(b"Content-Type", content_type.encode("latin-1"))],
    )
    assert answer.status_code == status
    assert await choices(portal) == []


@pytest.mark.parametrize("language", ["en", "es"])
async def test_a_link_that_is_nobodys_is_answered_alike(
    portal: Portal, parent: int, language: str
) -> None:
    """To the byte: one that was never made, was changed, or is of a participant who is not there;
    so nobody finds out which links are good."""
    tokens = portal.application.unsubscribing.tokens
    good = tokens.token(parent)
    changed = ("B" if good[0] == "A" else "A") + good[1:]
    wrong = [changed, good[:-1], good + "A", "A" * 32, "x", "é" * 32, tokens.token(999_999)]
    for method in ("GET", "POST"):
        pages = set()
        for token in (*wrong, good):
            answer = await portal.browser().request(
                method,
                f"/{language}/u/{token}",
                content=ONE_CLICK if method == "POST" else None,
                headers={"Content-Type": FORM},
            )
            assert answer.status_code == 200
            pages.add(answer.text.replace(quote(f"/u/{token}"), "").replace(f"/u/{token}", ""))
        assert len(pages) == 1
    assert len(await choices(portal)) == 1


def test_a_link_says_nothing_and_is_always_the_same() -> None:
    """No number of a participant can be read out of it, and nobody makes one without the key."""
    tokens, others = UnsubscribeTokens(b"key"), UnsubscribeTokens(b"another")
    made = [tokens.token(number) for number in range(1, 200)]
    assert len(set(made)) == 199
    assert made == [tokens.token(number) for number in range(1, 200)]
    assert {tokens.participant(token) for token in made} == set(range(1, 200))
    assert {others.participant(token) for token in made} == {None}
    assert all(
        len(token) == 32 and token.replace("-", "").replace("_", "").isalnum() for token in made
    )
    # Not even that two of them are neighbours.
    assert len({token[:4] for token in made}) > 190


@pytest.mark.parametrize(
    ("language", "button", "stopped"),
    [
        ("en", "Stop the reminders", "You will get no more appointment reminders by email"),
        ("es", "No recibir más recordatorios", "Ya no recibirá recordatorios de citas"),
    ],
)
async def test_a_person_presses_a_button(
    portal: Portal, parent: int, language: str, button: str, stopped: str
) -> None:
    """The page of the link, in the language of the mail; after it, how to come back."""
    browser = portal.browser()
    path = path_of(portal, parent, language)
    page = await browser.get(path)
    assert button in Page(page.text).words
    answer = await browser.post(path, data=hidden_fields(page.text))
    words = Page(answer.text).words
    assert stopped in words
    assert ("My Profile" if language == "en" else "Mi Perfil") in words
    assert dict(browser.cookies) == {}
    assert len(await choices(portal)) == 1


async def test_presses_without_end_are_held_up(portal: Portal, parent: int) -> None:
    """One link, pressed all day long: 429 with the time to wait; another's still works."""
    path = path_of(portal, parent)
    answers = [(await pressed(portal, path)).status_code for _ in range(22)]
    assert answers == [200] * 20 + [429] * 2
    assert (await pressed(portal, path_of(portal, 1))).status_code == 200


async def test_the_setting_is_taken_back_in_the_profile(portal: Portal, parent: int) -> None:
    """Whoever is signed in sees what holds, and turns reminders on again; saying the same twice is
    no choice, and no entry in the trail."""
    await pressed(portal, path_of(portal, parent))
    browser = await portal.signed_in(parent)
    page = Page((await browser.get("/es/profile/reminders")).text)
    [checked] = [each for each in page.all("input", type="radio") if "checked" in each.attributes]
    assert checked.attributes["value"] == "no"
    for _ in range(2):
        answer = await post_form(browser, "/es/profile/reminders", reminders="yes")
        assert answer.headers["Location"] == "/es/profile/reminders"
    assert [(row["wanted"], row["via"]) for row in await choices(portal)] == [
        (False, "link"),
        (True, "profile"),
    ]
    acts = await fetch(portal.application, "SELECT act FROM audit_entry ORDER BY id")
    assert [row["act"] for row in acts] == ["reminders.stopped", "reminders.started"]
    await post_form(browser, "/es/profile/reminders", reminders="no")
    words = Page((await browser.get("/es/profile/reminders")).text).words
    assert "Ya no recibirá recordatorios de citas por correo electrónico." in words


async def test_what_is_no_answer_is_asked_again(portal: Portal, parent: int) -> None:
    """With what is wrong, and nothing is taken down."""
    browser = await portal.signed_in(parent)
    answer = await post_form(browser, "/en/profile/reminders", reminders="perhaps")
    assert answer.status_code == 422
    assert "Choose yes or no" in Page(answer.text).words
    assert await choices(portal) == []


async def test_who_pressed_is_sent_no_reminder(portal: Portal) -> None:
    """From the click on; the letter about a hearing, and what is said of a change, still come."""
    application = portal.application
    (reader,) = await people.add(application.engine, people.Person("0000000003"))
    starts = MONDAY_NOON + timedelta(days=7)
    await add_appointment(application, reader, starts)
    assert (await application.reminders.run()).emails == 1
    await pressed(portal, path_of(portal, reader))
    rows = await fetch(application, "SELECT id FROM delivery")
    await application.dispatcher.deliver([int(str(row["id"])) for row in rows])
    [row] = await fetch(application, "SELECT state, reason FROM delivery")
    assert row == {"state": "cancelled", "reason": "overtaken"}


async def test_every_other_form_refuses_what_a_mail_program_sends(portal: Portal) -> None:
    """Without a session it is led to the sign-in page, or refused; nothing is changed by it."""
    ids = {"case_id": 1, "appointment_id": 1, "document_id": 1, "token": "A" * 32}
    for place in places():
        if "POST" not in place.methods or place.path in TAKES_NO_TOKEN:
            continue
        answer = await pressed(portal, f"/en{place.path.format_map(ids)}")
        assert answer.status_code in {303, 400, 403}, place.path
        if answer.status_code == 303:
            assert answer.headers["Location"] in {"/en/login", "/en/session-ended"}, place.path


async def test_the_profile_says_what_holds(portal: Portal, parent: int) -> None:
    """And leads to where it is changed."""
    browser = await portal.signed_in(parent)
    for said in ("Activados", "Desactivados"):
        page = Page((await browser.get("/es/profile")).text)
        assert f"Recordatorios de citas por correo electrónico{said}" in page.words
        assert page.all("a", href="/es/profile/reminders")
        await pressed(portal, path_of(portal, parent))
