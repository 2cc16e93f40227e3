"""An application in a real browser: each page of it under axe, on a phone, in both languages."""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import FilePayload, Page

from engine.applications.accounts import Applicant
from engine.applications.questions import PAGES
from engine.portal.doors import APPLICATION_SITE
from tests.applicants import add_applicant, signed_in_applicant
from tests.applications import files
from tests.applications.filled import AFRAID, SAFE, typed_page
from tests.portal.browsing import DESKTOP, PHONE, Windows
from tests.portal.portal_server import Portal
from tests.portal.test_accessibility import faults, with_axe

pytestmark = [pytest.mark.full, pytest.mark.needs("chromium")]
_PAGES = {page.key: page for page in PAGES}
_PICTURES = os.environ.get("APPLICATION_PICTURES")


async def signed_in(portal: Portal, windows: Windows, applicant: Applicant, **options: Any) -> Page:
    """A window in which an applicant is signed in, with axe in it."""
    page = await windows.open(**options)
    visitor = await signed_in_applicant(portal, applicant)
    cookie: Any = {
        "name": APPLICATION_SITE.cookie,
        "value": visitor.cookies[APPLICATION_SITE.cookie],
        "url": windows.address,
    }
    await page.context.add_cookies([cookie])
    await with_axe(page)
    return page


async def press(page: Page, what: str) -> None:
    """Press what leads to a page, be it this one again, and wait until that is there whole."""
    async with page.expect_navigation():
        await page.click(what)


async def look(page: Page, name: str) -> None:
    """Nothing is wrong with a page, and it does not scroll sideways."""
    if _PICTURES:
        await page.screenshot(path=Path(_PICTURES) / f"{name}.png", full_page=True)
    assert await faults(page) == [], name


@pytest.mark.parametrize(
    ("language", "width", "chosen"),
    [("es", PHONE, AFRAID), ("en", DESKTOP, SAFE)],
)
async def test_an_application_is_made_in_a_browser(
    portal: Portal, windows: Windows, language: str, width: int, chosen: dict[str, str]
) -> None:
    """From the start to the confirmation: on each page nothing fails axe, empty, with its faults,
    and filled in; a document is sent; what is submitted has a number."""
    applicant = await add_applicant(portal.application.engine)
    page = await signed_in(portal, windows, applicant, width=width)
    await page.goto(f"/{language}/apply/start")
    await look(page, f"{language}-{width}-start")
    await page.click("label[for='kind-open']")
    await press(page, "main form button[type=submit]")
    while not page.url.endswith("/documents"):
        slot = page.url.rpartition("/")[2]
        asked = _PAGES.get(slot.partition(".")[0])
        required = asked is None or any(question.required for question in asked.questions)
        if required:
            await press(page, "main form button[type=submit]")
            await look(page, f"{language}-{width}-{slot}")
        for name, text in (typed_page(asked, chosen) if asked else {"more": "no"}).items():
            await _fill(page, name, text)
        await press(page, "main form button[type=submit]")
    await page.select_option("#kind", "court_order")
    await page.set_input_files(
        "#file", files=FilePayload(name="x.png", mimeType="image/png", buffer=files.png())
    )
    await press(page, "main form button[type=submit]")
    await look(page, f"{language}-{width}-documents")
    await press(page, "main a[href$='/review']")
    await look(page, f"{language}-{width}-review")
    await page.click("label[for='true']")
    await press(page, "main form button[type=submit]")
    assert page.url.endswith("/confirmation")
    await look(page, f"{language}-{width}-confirmation")
    await page.goto(f"/{language}/apply/home")
    await look(page, f"{language}-{width}-home")


async def _fill(page: Page, name: str, text: str) -> None:
    """Answer one field as its kind asks for it."""
    if not text:
        return
    field = page.locator(f"[name='{name}']").first
    kind = await field.evaluate("(each) => each.type")
    if kind == "radio":
        await page.click(f"label[for='{name}-{text}']")
    elif kind == "checkbox":
        await page.click(f"label[for='{name}']")
    elif kind == "select-one":
        await field.select_option(text)
    else:
        await field.fill(text)
