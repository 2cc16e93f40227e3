"""Words of the application site: each from the catalogue, and each in the language it says."""

from collections.abc import AsyncIterator, Iterable
from typing import Final

import httpx
import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.applications.accounts import Applicant
from engine.applications.drafts import Draft
from engine.applications.flow import steps
from engine.caseload.columns import COUNTIES
from engine.portal import layout
from engine.portal.apply.rooms import apply_places
from engine.settings import Settings
from engine.stack.visitors import hidden_fields
from tests.applicants import USERNAME, add_applicant, signed_in_applicant
from tests.applications.filled import AFRAID, SAFE, fill
from tests.portal.filled_forms import without_limits
from tests.portal.portal_server import Portal, portal_over
from tests.portal.test_lang_attributes import NAMES, Spoken
from tests.portal.test_pseudo_locale import Pseudo, bypassing

_FILES: Final = (".pdf", ".csv", ".ics")
_ENDINGS: Final = ("/discard", "/remove")
"""What is done with them leaves nothing to see."""
_NO_TOKEN: Final = "A" * 43
_NOT_THERE: Final = (_NO_TOKEN, "/documents/1", "/documents/1/remove", "/confirmation")
"""What an application without documents lacks until it is submitted, and links that are dead."""
_REMARKS: Final = "She starts school in August.\nThank you."
_TYPED: Final = (
    USERNAME, "Inés", "Peña-Ibáñez", "Example", "St", "Apt", "Sacramento", "ca", "CA", "example",
    "com", "Alameda", "Superior Court", *_REMARKS.splitlines(), "other",
)  # fmt: skip
"""What an applicant wrote stands on pages as it was written."""


async def two_applications(portal: Portal, applicant: Applicant) -> list[Draft]:
    """One that was submitted, and one that is answered whole, by somebody who is afraid."""
    drafts = []
    for chosen in (SAFE, AFRAID):
        async with portal.engine.begin() as connection:
            owner = applicant.participant_id
            drafts.append(await fill(portal.application, connection, owner, "open", chosen))
    browser = await signed_in_applicant(portal, applicant)
    review = f"/en/apply/applications/{drafts[0].id}/review"
    form = hidden_fields((await browser.get(review)).text) | {"true": "yes"}
    assert (await browser.post(review, data=form)).status_code == 303
    return drafts


async def pages_of(
    portal: Portal, applicant: Applicant, language: str
) -> AsyncIterator[tuple[str, httpx.Response]]:
    """Every page, signed out and in, filled in and with every field left out."""
    drafts = await two_applications(portal, applicant)
    signed_in = await signed_in_applicant(portal, applicant)
    forms: list[tuple[httpx.AsyncClient, str, dict[str, str]]] = []
    slots = [step.slot for step in steps(drafts[-1].told)]
    for place in apply_places():
        if "GET" not in place.methods or place.path.endswith(_FILES):
            continue
        for path in _filled_in(place.path, drafts, slots):
            for browser in (signed_in, portal.browser()):
                page = await browser.get(f"/{language}{path}")
                if page.status_code == 303 or "text/html" not in page.headers["content-type"]:
                    continue
                away = path.endswith(_NOT_THERE) or f"/{drafts[0].id}/" in path
                assert page.status_code == 200 or away, path
                yield path, page
                if "POST" in place.methods and not path.endswith(_ENDINGS):
                    forms.append((browser, path, hidden_fields(page.text)))
    # Last: what may be left out is saved as left out.
    for browser, path, hidden in forms:
        again = await browser.post(f"/{language}{path}", data=hidden)
        if again.status_code != 303:
            yield f"{path} with nothing in it", again


def _filled_in(path: str, drafts: Iterable[Draft], slots: Iterable[str]) -> Iterable[str]:
    for draft in drafts:
        mine = path.replace("{draft_id}", str(draft.id)).replace("{token}", _NO_TOKEN)
        mine = mine.replace("{upload_id}", "1").replace("{number}", "1")
        for slot in slots if "{slot}" in mine else [""]:
            yield mine.replace("{slot}", slot)


@pytest.mark.parametrize("language", ["en", "es"])
async def test_no_word_bypasses_the_catalogue(
    settings: Settings,
    database: AsyncEngine,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
) -> None:
    """In a made-up language, whatever is not what its reader wrote stands between marks."""
    without_limits(monkeypatch)
    monkeypatch.setattr(layout, "translations", lambda _language: Pseudo())
    known = {*_TYPED, *COUNTIES, settings.agency.site}
    for each in ("en", "es"):
        known |= {settings.agency.name(each), settings.agency.programme(each)}
    found, seen = {}, set()
    async with portal_over(settings) as portal:
        applicant = await add_applicant(portal.application.engine)
        async for path, page in pages_of(portal, applicant, language):
            seen.add(path)
            if words := bypassing(page.text, known):
                found[path] = words
    assert found == {}
    assert len(seen) > 80


@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_switch_of_language_says_so(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """What an applicant wrote freely is of no known language, each language's own name is in that
    language, and everything else in the page's."""
    without_limits(monkeypatch)
    applicant = await add_applicant(portal.application.engine)
    heard: set[str] = set()
    async for path, page in pages_of(portal, applicant, language):
        spoken = Spoken(page.text)
        for words, tongue in NAMES.items():
            assert {said for text, said in spoken.texts if text == words} <= {tongue}, path
        heard |= {text for text, said in spoken.texts if said == ""}
        switched = [
            text for text, said in spoken.texts if said not in {language, ""} and text not in NAMES
        ]
        assert switched == [], path
    assert heard == {_REMARKS}
