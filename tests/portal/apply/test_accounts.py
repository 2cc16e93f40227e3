"""Accounts of those who apply, from the form to the first page behind the door, and back in."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

import httpx
import pytest

from engine.communications.frozen_facts import FACTS
from engine.i18n import Language
from engine.stack.visitors import hidden_fields
from tests.applicants import PASSWORD
from tests.database_rows import fetch
from tests.portal.page_reader import Page
from tests.portal.portal_server import Portal, post_form

TYPED: Final = {
    "first_name": "Rosa",
    "last_name": "Peña",
    "email": "rosa@example.com",
    "username": "tulip.field",
    "password": PASSWORD,
}
SIGN_IN: Final = "/en/apply/sign-in"
_MAILS: Final = """
SELECT id, notice, facts ->> 'what' AS what, language FROM communication ORDER BY id
"""

_LATEST: Final = f"""
SELECT {FACTS} AS facts FROM communication WHERE facts ->> 'what' = $1 ORDER BY id DESC LIMIT 1
"""


async def register(
    portal: Portal, typed: Mapping[str, str] = TYPED, language: Language = "en"
) -> httpx.Response:
    """What is answered to somebody who opens an account."""
    return await post_form(portal.browser(), f"/{language}/apply/register", **typed)


async def latest_link(portal: Portal, purpose: str) -> str:
    """The link in the facts of the latest mail, as its templates say it."""
    rows = await fetch(
        portal.application,
        _LATEST,
        purpose,
    )
    found = re.search(r'"token": ?"([\w-]+)"', str(rows[0]["facts"]))
    assert found
    return f"/en/apply/{purpose}/{found[1]}"


async def confirmed(portal: Portal, **typed: str) -> httpx.AsyncClient:
    """A browser in which somebody has opened an account and confirmed it."""
    await register(portal, TYPED | typed)
    browser = portal.browser()
    password = (TYPED | typed)["password"]
    answer = await post_form(browser, await latest_link(portal, "confirm"), password=password)
    assert answer.headers["Location"] == "/en/apply/home"
    return browser


async def sign_in(portal: Portal, name: str, password: str) -> httpx.Response:
    """What is answered at the door."""
    return await post_form(portal.browser(), SIGN_IN, username=name, password=password)


@pytest.mark.parametrize("language", ["en", "es"])
async def test_an_account_is_opened_confirmed_and_signed_in_to(
    portal: Portal, language: Language
) -> None:
    """In the language it is opened in; by username or email address, in any case; the trail says
    what was done, and names, address, username and token stand nowhere in the clear."""
    answer = await register(portal, language=language)
    assert answer.headers["Location"] == f"/{language}/apply/register/sent"
    assert (await sign_in(portal, "tulip.field", PASSWORD)).status_code == 422
    browser = portal.browser()
    path = await latest_link(portal, "confirm")
    answer = await post_form(browser, path, password=PASSWORD)
    assert answer.headers["Location"] == "/en/apply/home"
    assert (await browser.get("/en/apply/home")).status_code == 200
    for name in ("Tulip.Field", "ROSA@example.com"):
        assert (await sign_in(portal, name, PASSWORD)).headers["Location"] == "/en/apply/home"
    [mail] = await fetch(portal.application, _MAILS)
    assert (mail["notice"], mail["what"], mail["language"]) == (
        "applicant_account",
        "confirm",
        language,
    )
    acts = await fetch(portal.application, "SELECT act FROM audit_entry ORDER BY id")
    assert [row["act"] for row in acts] == [
        "applicant.registered",
        "sign_in.failed",
        "applicant.confirmed",
        "sign_in.succeeded",
        "sign_in.succeeded",
    ]
    token = path.rpartition("/")[2]
    for table in ("participant", "contact_point", "applicant", "applicant_link", "communication"):
        rows = str(await fetch(portal.application, f"SELECT * FROM {table}"))
        for secret in ("Peña", "rosa@", "tulip", token, PASSWORD):
            assert secret not in rows, table


async def test_nothing_is_said_of_who_has_an_account(portal: Portal) -> None:
    """Registering anew with the same address and username, in one or both, is answered as it was
    the first time; only whoever holds the mailbox and the password learns of it."""
    await confirmed(portal)
    fresh = await register(portal, TYPED | {"email": "no@example.com", "username": "none.such"})
    again = await register(portal)
    assert again.status_code == fresh.status_code == 303
    assert again.headers["Location"] == fresh.headers["Location"]
    assert dict(again.headers).keys() == dict(fresh.headers).keys()
    page = await post_form(
        portal.browser(), await latest_link(portal, "confirm"), password=PASSWORD
    )
    assert page.status_code == 409
    assert "You have an account already" in page.text
    forgotten = [
        await post_form(portal.browser(), "/en/apply/forgot-password", email=email)
        for email in ("rosa@example.com", "nobody@example.com")
    ]
    assert len({(each.status_code, each.headers["Location"]) for each in forgotten}) == 1
    resets = [row for row in await fetch(portal.application, _MAILS) if row["what"] == "reset"]
    assert len(resets) == 1


async def test_a_username_in_use_is_chosen_anew_behind_the_link(portal: Portal) -> None:
    """It is said to whoever proved a mailbox of their own; the first owner keeps theirs."""
    await confirmed(portal)
    await register(portal, TYPED | {"email": "other@example.com", "username": "TULIP.field"})
    browser, path = portal.browser(), await latest_link(portal, "confirm")
    taken = await post_form(browser, path, password=PASSWORD)
    assert taken.status_code == 422
    assert "this one is in use" in taken.text
    fields = hidden_fields(taken.text) | {"username": "second.field", "password": PASSWORD}
    assert (await browser.post(path, data=fields)).headers["Location"] == "/en/apply/home"
    assert (await sign_in(portal, "second.field", PASSWORD)).status_code == 303
    assert (await sign_in(portal, "tulip.field", PASSWORD)).status_code == 303


async def test_nobody_confirms_what_somebody_else_registered(portal: Portal) -> None:
    """Who gets a mail about an account they did not open has not its password, and who opened it
    with another's address has not the link: the account stays shut, and the address free."""
    theirs = "a long password of theirs"
    await register(portal, TYPED | {"password": theirs})
    path = await latest_link(portal, "confirm")
    wrong = await post_form(portal.browser(), path, password=PASSWORD)
    assert wrong.status_code == 422
    assert "applicant" not in wrong.cookies
    await confirmed(portal)
    late = await post_form(portal.browser(), path, password=theirs)
    assert late.status_code == 409


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"password": "fourteen chars"}, "at least 15 characters"),
        ({"password": "x" * 257}, "at most 256 characters"),
        ({"password": "passwordpassword"}, "harder to guess"),
        ({"password": "tulip.field2026!!"}, "harder to guess"),
        ({"password": "Cliente Conectado"}, "harder to guess"),
        ({"username": "rosa@example.com"}, "letters and digits"),
        ({"username": "ros"}, "4 to 64"),
        ({"first_name": " "}, "Enter your first name"),
        ({"last_name": "Pe\u202ea\x00"}, "plain text"),
        ({"email": "rosa@"}, "like name@example.com"),
    ],
)
async def test_what_cannot_be_taken_is_said_and_the_rest_kept(
    portal: Portal, typed: dict[str, str], said: str
) -> None:
    """By its field; a password is never drawn again, and nothing is taken down."""
    answer = await register(portal, TYPED | typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert PASSWORD not in answer.text
    assert typed.get("password", PASSWORD) not in answer.text
    assert await fetch(portal.application, "SELECT FROM applicant") == []


async def test_a_password_is_taken_as_it_is_meant(portal: Portal) -> None:
    """64 characters and more, spaces, any script, and however a keyboard composes its letters
    (SP 800-63B-4, 3.1.1.2: NFC)."""
    password = "una contraseña larguísima con llave 鍵 y sin prisa, " * 2
    composed, apart = (unicodedata.normalize(form, password) for form in ("NFC", "NFD"))
    assert composed != apart
    await confirmed(portal, password=apart)
    for form in (composed, apart):
        assert (await sign_in(portal, "tulip.field", form)).status_code == 303
    assert (await sign_in(portal, "tulip.field", composed[:64])).status_code == 422


async def test_failures_in_a_row_lock_and_another_password_ends_it(portal: Portal) -> None:
    """By username and by address together; the owner is told, and the link that is mailed lets
    them in at once, ends every session, works once, and is dead afterwards."""
    session = await confirmed(portal)
    for name in ("tulip.field", "rosa@example.com", "tulip.field", "Tulip.Field", "tulip.field"):
        assert (await sign_in(portal, name, "a wrong one, typed")).status_code == 422
    assert (await sign_in(portal, "tulip.field", PASSWORD)).status_code == 422
    await post_form(portal.browser(), "/en/apply/forgot-password", email="rosa@example.com")
    path = await latest_link(portal, "reset")
    short = await post_form(portal.browser(), path, password="too short")
    assert short.status_code == 422
    new = "quiet rivers under seven bridges"
    done = await post_form(portal.browser(), path, password=new)
    assert done.headers["Location"] == SIGN_IN
    assert (await portal.browser().get(path)).status_code == 404
    assert (await session.get("/en/apply/home")).headers["Location"] == "/en/apply/session-ended"
    assert (await sign_in(portal, "tulip.field", PASSWORD)).status_code == 422
    assert (await sign_in(portal, "tulip.field", new)).status_code == 303
    mails = [row["what"] for row in await fetch(portal.application, _MAILS)]
    assert mails == ["confirm", "locked", "reset", "password"]


async def test_a_password_is_changed_by_whoever_knows_it(portal: Portal) -> None:
    """The session goes on, under another token; every other one is over, and the owner is told."""
    browser = await confirmed(portal)
    other = portal.browser()
    await post_form(other, SIGN_IN, username="tulip.field", password=PASSWORD)
    token = browser.cookies["applicant"]
    new = "quiet rivers under seven bridges"
    for typed, said in (
        ({"current_password": "not the one", "password": new}, "password you use now"),
        ({"current_password": PASSWORD, "password": PASSWORD}, "not the one you have now"),
        ({"current_password": PASSWORD, "password": "tulip.field tulip.field"}, "harder to guess"),
    ):
        answer = await post_form(browser, "/en/apply/account", **typed)
        assert answer.status_code == 422
        assert said in answer.text
    answer = await post_form(browser, "/en/apply/account", current_password=PASSWORD, password=new)
    assert answer.headers["Location"] == "/en/apply/home"
    assert browser.cookies["applicant"] != token
    assert (await browser.get("/en/apply/home")).status_code == 200
    assert (await other.get("/en/apply/home")).headers["Location"] == "/en/apply/session-ended"
    mails = [row["what"] for row in await fetch(portal.application, _MAILS)]
    assert mails == ["confirm", "password"]


async def test_a_password_can_be_seen_without_a_script(portal: Portal) -> None:
    """Its button sends the form, which comes back with what was typed but the password, and a
    field that hides nothing; nothing is taken down."""
    browser = portal.browser()
    fields = hidden_fields((await browser.get("/en/apply/register")).text)
    answer = await browser.post("/en/apply/register", data=fields | TYPED | {"show": "1"})
    assert answer.status_code == 200
    [field] = Page(answer.text).all("input", id="password")
    assert (field.attributes["type"], field.attributes["value"]) == ("text", "")
    assert Page(answer.text).all("input", id="email", value="rosa@example.com")
    assert await fetch(portal.application, "SELECT FROM applicant") == []
