"""Accounts of those who apply, from the form to the first page behind the door, and back in."""

import re
from collections.abc import Mapping
from typing import Final

import httpx
import pytest

from engine.communications.frozen_facts import FACTS
from engine.i18n import Language
from tests.applicants import PASSWORD
from tests.database_rows import fetch
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
