"""Leaving the application site in a hurry."""

from typing import Final

import pytest

from engine.portal.apply.rooms import apply_places
from tests.applicants import add_applicant, signed_in_applicant
from tests.database_rows import fetch
from tests.portal.page_reader import Page
from tests.portal.portal_server import Portal

EXIT: Final = "https://www.weather.gov/"
WORDS: Final = {"en": "Leave this site now", "es": "Salir de este sitio ahora"}
_LIVE: Final = "SELECT FROM portal_session WHERE ended_at IS NULL"


@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_page_can_be_left_at_once(portal: Portal, language: str) -> None:
    """By a link, which needs no script, on every page of the site and on its errors too."""
    browser = await signed_in_applicant(portal, await add_applicant(portal.application.engine))
    paths = [place.path for place in apply_places() if "GET" in place.methods]
    seen = 0
    for path in (*(path for path in paths if "{" not in path), "/apply/nowhere"):
        answer = await browser.get(f"/{language}{path}")
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            continue
        if answer.status_code not in {200, 404}:
            continue
        [link] = Page(answer.text).all("a", href=f"/{language}/apply/leave")
        assert link.attributes["data-quick-exit"] == EXIT, path
        assert WORDS[language] in answer.text, path
        seen += 1
    assert seen >= 8


async def test_leaving_ends_the_session_and_no_other_site_can_end_it(portal: Portal) -> None:
    """The link on a page of ours; one on another's page, or a program that looks ahead, leads to
    the same place and ends nothing."""
    browser = await signed_in_applicant(portal, await add_applicant(portal.application.engine))
    for site in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}, {}):
        answer = await browser.get("/en/apply/leave", headers=site)
        assert (answer.status_code, answer.headers["Location"]) == (303, EXIT)
        assert len(await fetch(portal.application, _LIVE)) == 1
    answer = await browser.get("/en/apply/leave", headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.headers["Location"]) == (303, EXIT)
    assert await fetch(portal.application, _LIVE) == []
    assert "applicant" not in browser.cookies
    [entry] = await fetch(portal.application, "SELECT act FROM audit_entry")
    assert entry["act"] == "left_quickly"
