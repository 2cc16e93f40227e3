"""The two doors: what was opened at one is worth nothing at the other."""

import httpx
import pytest

from engine.portal.doors import APPLICATION_SITE, PORTAL
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
