"""The two doors: what was opened at one is worth nothing at the other."""

import httpx
import pytest

from engine.portal.doors import APPLICATION_SITE, PORTAL
from engine.stack.visitors import hidden_fields
from tests.applicants import add_applicant, signed_in_applicant
from tests.portal.portal_server import Portal


def with_cookie(portal: Portal, name: str, of: httpx.AsyncClient, cookie: str) -> httpx.AsyncClient:
    """A browser that shows the session of another under the other door's name."""
    browser = portal.browser()
    browser.cookies.set(name, of.cookies[cookie], domain="portal.example")
    return browser


async def test_an_applicant_comes_to_the_application_site_alone(portal: Portal) -> None:
    """Nor does their token open the portal when it is shown there."""
    theirs = await signed_in_applicant(portal, await add_applicant(portal.application.engine))
    assert (await theirs.get("/es/apply/home")).status_code == 200
    assert (await theirs.get("/es/home")).headers["Location"] == "/es/login"
    smuggled = with_cookie(portal, PORTAL.cookie, theirs, APPLICATION_SITE.cookie)
    assert (await smuggled.get("/es/home")).headers["Location"] == "/es/session-ended"
    assert (await smuggled.get("/es/session-ended")).status_code == 200


@pytest.mark.parametrize("language", ["en", "es"])
async def test_a_pin_opens_no_application(portal: Portal, language: str) -> None:
    """Nor does its session's token, shown as an applicant's."""
    theirs = await portal.signed_in(1)
    assert (await theirs.get(f"/{language}/home")).status_code == 200
    asked = f"/{language}/apply/home"
    assert (await theirs.get(asked)).headers["Location"] == f"/{language}/apply/sign-in"
    smuggled = with_cookie(portal, APPLICATION_SITE.cookie, theirs, PORTAL.cookie)
    ended = f"/{language}/apply/session-ended"
    assert (await smuggled.get(asked)).headers["Location"] == ended


@pytest.mark.parametrize("language", ["en", "es"])
async def test_a_session_is_kept_and_ended_at_its_own_door(portal: Portal, language: str) -> None:
    """Its dialog asks the application site, which answers how long it lasts; who logs out is told
    so where applications begin, and a PIN session in the same browser goes on."""
    browser = await portal.signed_in(1)
    theirs = await signed_in_applicant(portal, await add_applicant(portal.application.engine))
    token = theirs.cookies[APPLICATION_SITE.cookie]
    browser.cookies.set(APPLICATION_SITE.cookie, token, domain="portal.example")
    page = await browser.get(f"/{language}/apply/account")
    assert f'data-keep="/{language}/apply/session/keep"' in page.text
    assert f'data-ended="/{language}/apply/session-ended"' in page.text
    fields = hidden_fields(page.text)
    kept = await browser.post(f"/{language}/apply/session/keep", data=fields)
    assert (kept.status_code, kept.headers["Session-Seconds"]) == (204, "900")
    ended = await browser.post(f"/{language}/apply/log-out", data=fields)
    assert ended.headers["Location"] == f"/{language}/apply"
    assert (await browser.get(f"/{language}/home")).status_code == 200
    gone = await theirs.get(f"/{language}/apply/home")
    assert gone.headers["Location"] == f"/{language}/apply/session-ended"
