"""Pages on paper, with their styles off, and with no script: all of it is there, and works."""

from datetime import date
from itertools import pairwise
from typing import Any, Final

import pytest
from playwright.async_api import Page

from engine.caseload.personal import FIELDS
from engine.i18n import full_date, long_date
from tests.database_rows import fetch
from tests.portal.browsing import DESKTOP, FULL, PHONE, SUBMIT, Windows, on_paper, path_of
from tests.portal.portal_server import MONDAY_NOON, PARTICIPANT, Portal, give_pin
from tests.portal.views import FAULTS, SOME_OR_ALL, Gallery, View, furnish, pin_asked_for
from tests.portal.world import PAYER, World

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.full]

PIN: Final = "481902"
BARE: Final = "8px"
"""The margin that a browser gives a page of which no style sheet says anything."""
TODAY: Final = full_date(MONDAY_NOON.date(), "en")
# What has no use on paper.
WORKED: Final = """
() => [...document.querySelectorAll("nav, button, form, input, select, textarea, summary, dialog")]
  .filter((each) => each.checkVisibility()).map((each) => each.outerHTML.slice(0, 160))
"""
PRINT_ONLY: Final = """
() => [...document.querySelectorAll(".print-only")].map((each) => each.checkVisibility())
"""
LEVELS: Final = """
() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .filter((each) => each.checkVisibility()).map((each) => Number(each.tagName[1]))
"""
# Fields that a label does not stand before, or, at a radio button, right after.
UNLABELLED: Final = """
() => [...document.querySelectorAll("main input:not([type=hidden]), main select, main textarea")]
  .filter((field) => {
    const [label] = field.labels;
    if (!label || !label.textContent.trim()) return true;
    const after = field.compareDocumentPosition(label) & Node.DOCUMENT_POSITION_FOLLOWING;
    return field.type === "radio" ? !after : after;
  }).map((field) => field.outerHTML)
"""
# Words that nobody sees, though nothing folds them away, and pictures too big for a phone.
LOST: Final = """
() => {
  const lost = [...document.images].filter((each) => each.clientWidth > 100)
    .map((each) => each.outerHTML);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim()) continue;
    if (element.closest("dialog:not([open]), option")) continue;
    if (element.closest("details:not([open])") && !element.closest("summary")) continue;
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const box = range.getBoundingClientRect();
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
        || box.width === 0 || box.left < 0) lost.push(texts.currentNode.textContent);
  }
  return lost;
}
"""


async def prints_well(page: Page) -> None:
    """On paper there is nothing to press, and what is for paper alone is there."""
    assert not any(await page.evaluate(PRINT_ONLY))
    await page.emulate_media(media="print")
    assert await page.evaluate(WORKED) == []
    assert all(await page.evaluate(PRINT_ONLY))
    assert await page.locator("h1").is_visible()


async def test_the_participant_home_page_on_paper(
    portal: Portal, world: World, windows: Windows
) -> None:
    """What an office asks for: the name, the number, the day, the cases and their balances."""
    page = await windows.open(world.participants["payer"])
    await page.goto("/en/home")
    await prints_well(page)
    assert await page.query_selector(".print-only")
    paper = await on_paper(page)
    agency = portal.application.settings.agency.name("en")
    for words in (PAYER.first_name, PAYER.last_name, PAYER.external_id, TODAY, agency):
        assert words in paper
    assert paper.count("$1,042.00") == 2
    assert "PLACE-OF-payer" in paper


@pytest.mark.parametrize("width", [PHONE, pytest.param(DESKTOP, marks=FULL)])
async def test_the_whole_history_on_paper(
    portal: Portal, world: World, windows: Windows, width: int
) -> None:
    """Every payment is a row, from a phone too; name, number and day say whose it is and when."""
    payer = world.participants["payer"]
    page = await windows.open(payer, width=width)
    await page.goto("/en/payments/all")
    await prints_well(page)
    assert await page.query_selector(".print-only")
    paper = await on_paper(page)
    heads = " ".join(await page.locator("thead th").all_text_contents())
    for words in (PAYER.first_name, PAYER.last_name, PAYER.external_id, TODAY, heads):
        assert words in paper
    paid: list[dict[str, Any]] = await fetch(
        portal.application,
        "SELECT paid_on, amount_cents FROM payment WHERE participant_id = $1 ORDER BY paid_on DESC",
        payer,
    )
    assert len(paid) == 45
    place = 0
    for row in paid:
        place = paper.index(long_date(row["paid_on"], "en"), place)
        place = paper.index(f"${row['amount_cents'] / 100:.2f}", place)
    assert f"${sum(row['amount_cents'] for row in paid) / 100:,.2f}" in paper[place:]


@pytest.mark.parametrize("method", ["email", pytest.param("mail", marks=FULL)])
async def test_the_confirmation_on_paper(windows: Windows, method: str) -> None:
    """The day by which a PIN should arrive, and the number to call if it does not."""
    page = await windows.open()
    await page.goto("/en/forgot-pin")
    await pin_asked_for(method)(page)
    await prints_well(page)
    paper = await on_paper(page)
    due = date(2026, 11, 24) if method == "email" else date(2026, 12, 9)
    assert full_date(due, "en") in paper
    assert "1-866-901-3212" in paper


async def test_the_print_button_is_there_for_whoever_has_a_script(
    world: World, windows: Windows
) -> None:
    """It prints; without a script there is none, and the page says how to print."""
    page = await windows.open(world.participants["payer"])
    await page.add_init_script("window.print = () => { window.printed = true; };")
    await page.goto("/en/payments/all")
    await page.click("[data-print]")
    assert await page.evaluate("window.printed")
    plain = await windows.open(world.participants["payer"], java_script_enabled=False)
    await plain.goto("/en/payments/all")
    assert await plain.locator("[data-print]").is_hidden()


@SOME_OR_ALL
async def test_pages_can_be_read_with_their_styles_off(
    portal: Portal, world: World, windows: Windows, views: dict[str, View]
) -> None:
    """Headings are in order, every label stands by its field, and every word is seen."""
    await furnish(portal, world)
    found: dict[str, list[str]] = {}

    async def look(name: str, page: Page) -> None:
        assert await page.evaluate("getComputedStyle(document.body).margin") == BARE
        levels: list[int] = await page.evaluate(LEVELS)
        wrong = [*await page.evaluate(UNLABELLED), *await page.evaluate(LOST)]
        if levels.count(1) != 1:
            wrong.append(f"{levels.count(1)} headings of the first level")
        # A summary or an alert may stand, as a second-level heading, before the first.
        if any(after > before + 1 for before, after in pairwise(levels)):
            wrong.append(f"headings skip a level: {levels}")
        if wrong:
            found[name] = wrong

    gallery = Gallery(windows, world, "en", {"width": PHONE, "styles": False})
    await gallery.walk(views, look)
    assert found == {}


async def test_a_pin_is_asked_for_with_styles_off(portal: Portal, windows: Windows) -> None:
    """Past a slip, whose summary leads to the field."""
    page = await windows.open(width=PHONE, styles=False)
    await page.goto("/es/")
    await page.click("main a[href='/es/forgot-pin']")
    await page.fill("#first_name", PARTICIPANT.first_name)
    await page.fill("#last_name", PARTICIPANT.last_name)
    await page.check("#method-mail")
    await page.click(SUBMIT)
    await page.click(f"{FAULTS} a[href='#participant_id']")
    await page.keyboard.type(PARTICIPANT.external_id)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/es/forgot-pin/sent")
    assert await portal.recorded() == 1


@pytest.mark.parametrize("options", [{"java_script_enabled": False}, {"styles": False}])
async def test_the_main_tasks_with_no_script_or_no_styles(
    portal: Portal, world: World, windows: Windows, options: dict[str, Any]
) -> None:
    """Sign in, find payments, turn a page, change the phone number, log out."""
    payer = world.participants["payer"]
    await give_pin(portal.application, payer, PIN)
    page = await windows.open(**options)
    await page.goto("/es/login")
    await page.fill("#participant_id", PAYER.external_id)
    await page.fill("#pin", PIN)
    await page.click(SUBMIT)
    await page.click("a[href='/es/payments']:visible")
    if not await page.locator("#from").is_visible():
        await page.click("details:has(#from) > summary")
    await page.fill("#from", "1/1/2025")
    await page.click(SUBMIT)
    await page.click("main a[href*='page=2']")
    assert await page.locator("tbody tr").count() > 0
    await page.click("a[href='/es/profile']:visible")
    await page.click("main a[href='/es/profile/phone']")
    await page.fill("#phone", "916 555 0199")
    await page.click("label[for=safe-yes]")
    if await page.locator("#tell_old-yes").count():
        await page.click("label[for=tell_old-yes]")
    await page.click(SUBMIT)
    await page.wait_for_url("**/es/profile")
    await page.click("form[action$='/log-out'] button")
    await page.wait_for_url("**/es/")
    assert await fetch(
        portal.application,
        f"SELECT {FIELDS} AS fields,"
        " (SELECT count(*) FROM portal_session WHERE ended_at IS NULL) AS sessions"
        " FROM contact_point WHERE participant_id = $1 AND kind = 'phone'"
        " AND superseded_at IS NULL",
        payer,
    ) == [{"fields": {"phone": "+19165550199"}, "sessions": 0}]
    await page.goto("/es/home")
    assert path_of(page) == "/es/login"
