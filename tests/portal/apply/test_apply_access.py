"""Who may see what on the application site, against the written table."""

import re
from pathlib import Path
from typing import Final

import pytest

from engine.portal.apply.rooms import apply_places
from engine.portal.places import Access
from tests.applicants import add_applicant, signed_in_applicant
from tests.portal.portal_server import Portal
from tests.portal.test_access import answer_of

_TABLE: Final = Path(__file__).parents[3] / "docs" / "portal-access.md"
_ROW: Final = re.compile(r"^\| `(/[^`]*)` \|(.*)\|$", re.MULTILINE)
KINDS: Final = ("signed out", "participant", "applicant")


def written() -> dict[str, list[str]]:
    """Path → what each kind of visitor is answered."""
    site = _TABLE.read_text(encoding="utf-8").partition("\n# The application site\n")[2]
    return {path: [cell.strip() for cell in cells.split("|")] for path, cells in _ROW.findall(site)}


@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_page_answers_as_the_table_says(portal: Portal, language: str) -> None:
    """Signed out, with a PIN, and as an applicant."""
    applicant = await add_applicant(portal.application.engine)
    found: dict[str, list[str]] = {path: [] for path in written()}
    for kind in KINDS:
        for path, row in found.items():
            browser = portal.browser()
            if kind == "participant":
                browser = await portal.signed_in(1)
            elif kind == "applicant":
                browser = await signed_in_applicant(portal, applicant)
            asked = path.replace("{token}", "A" * 43)
            row.append(answer_of(await browser.get(f"/{language}{asked}"), language))
    assert found == written()


async def test_whatever_asks_for_an_applicant_lets_in_nobody_else(portal: Portal) -> None:
    """Every place of the site, by GET and by POST: who is signed out, or signed in with a PIN, is
    led to its sign-in page."""
    signed_in = await portal.signed_in(1)
    private = [place for place in apply_places() if place.access is not Access.PUBLIC]
    assert {place.access for place in private} == {Access.APPLICANT}
    for browser in (portal.browser(), signed_in):
        for place in private:
            path = re.sub(r"{\w+(:\w+)?}", "1", place.path)
            for method in place.methods:
                kind = {"Content-Type": "application/x-www-form-urlencoded"}
                answer = await browser.request(method, f"/en{path}", headers=kind)
                assert answer.headers.get("Location") == "/en/apply/sign-in", (method, path)
