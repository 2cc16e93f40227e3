"""Every page in every state, for everyone: axe finds nothing, at both widths, in both languages.

What axe can see is perhaps half of WCAG 2.1; the rest is in test_browser.py, test_keyboard.py,
test_session_dialog.py, test_paper_and_plain.py and in people's eyes.
"""

from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Page

from engine.assets import TEMPLATES
from engine.portal.app import places
from engine.portal.layout import Layout
from engine.settings import Settings
from tests.portal.browsing import DESKTOP, OVERFLOW, PHONE, Windows
from tests.portal.portal_server import GENEROUS, Portal
from tests.portal.views import FAULTS, VIEWS, Gallery, furnish
from tests.portal.world import World

AXE: Final = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RUN: Final = """
async () => (await axe.run({ resultTypes: ["violations"] })).violations.map((violation) =>
  `${violation.id}: ${violation.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`)
"""
# The contrast of every piece of text against the nearest background behind it (WCAG 2.1, 1.4.3);
# large text, of 24 px or bold of 18.66 px, needs 3:1, other text 4.5:1.
TOO_FAINT: Final = """
() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).slice(0, 3).map((v) => v / 255)
      .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((channels(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const faint = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const said = texts.currentNode.textContent.trim();
    const element = texts.currentNode.parentElement;
    if (!said || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [light, dark] = [luminance(style.color), luminance(behind(element))].sort().reverse();
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if ((light + 0.05) / (dark + 0.05) < (large ? 3 : 4.5)) faint.push(said);
  }
  return faint;
}
"""
# Buttons, fields, menus and telephone numbers are 44 px high (2.5.5); links among words need not.
TOO_SMALL: Final = """
() => [...document.querySelectorAll("button, summary, select, textarea, input, label, header a,"
    + " nav a, .numbers a, .onward a")]
  .filter((each) => each.checkVisibility()
    && !["radio", "checkbox", "hidden"].includes(each.type)
    && !(each.matches("label") && !["radio", "checkbox"].includes(each.control.type))
    && each.getBoundingClientRect().height < 43.9)
  .map((each) => each.outerHTML.slice(0, 160))
"""
FILES: Final = (".pdf", ".csv", ".ics")
BASES: Final = {"private.html", "contact_form.html"}
"""Templates that pages are made from, and that are no pages themselves."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Of a portal that can be visited as often as a test likes."""
    return settings.model_copy(update=GENEROUS)


async def with_axe(page: Page) -> None:
    """Put axe into every page before its own scripts, which the portal's policy does not mind."""
    await page.add_init_script(path=AXE)


async def set_width(page: Page, width: int) -> None:
    """Make a page's window so many pixels wide, as somebody does who turns a phone."""
    size = page.viewport_size
    assert size
    await page.set_viewport_size({"width": width, "height": size["height"]})


async def faults(page: Page) -> list[str]:
    """What axe finds, words that are too faint, what is too small to press, whether the page
    scrolls sideways, and where the focus is not that should be at what is wrong."""
    found: list[str] = await page.evaluate(RUN)
    found += [f"too faint: {words}" for words in await page.evaluate(TOO_FAINT)]
    found += [f"too small: {element}" for element in await page.evaluate(TOO_SMALL)]
    if await page.evaluate(OVERFLOW) > 0:
        found.append("scrolls sideways")
    focused = "document.activeElement.matches"
    if await page.query_selector(FAULTS) and not await page.evaluate(f"{focused}('{FAULTS}')"):
        found.append("the summary has no focus")
    return found


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.needs("chromium")
@pytest.mark.parametrize("language", ["es", "en"])
async def test_axe_finds_nothing_on_any_page(
    portal: Portal,
    world: World,
    windows: Windows,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
) -> None:
    """Signed out and in, with its rows and without, after a save, with an error summary, which has
    the focus, and with the session dialog open, at both widths; nothing scrolls sideways. No
    template of a page is left out."""
    drawn: set[str] = set()
    draw = Layout.page

    def noted(self: Layout, spoken: Any, template: str, *rest: Any, **values: Any) -> Any:
        drawn.add(template)
        return draw(self, spoken, template, *rest, **values)

    monkeypatch.setattr(Layout, "page", noted)
    await furnish(portal, world)
    found: dict[str, list[str]] = {}

    async def look(name: str, page: Page) -> None:
        for width in (DESKTOP, PHONE):
            await set_width(page, width)
            if wrong := await faults(page):
                found[f"{name} at {width}"] = wrong

    gallery = Gallery(windows, world, language, {"width": PHONE}, with_axe)
    await gallery.walk(VIEWS, look)
    assert found == {}
    assert drawn == page_templates()


def page_templates() -> set[str]:
    """The templates of whole pages."""
    return {
        path.name
        for path in (TEMPLATES / "portal").glob("*.html")
        if "{% extends" in path.read_text() and path.name not in BASES
    }


def test_every_place_is_looked_at() -> None:
    """A new page is looked at by axe from its first day."""
    looked_at = {view.seen_at({"case_id": 1, "appointment_id": 1}) for view in VIEWS.values()} | {
        "/forgot-pin/sent"
    }
    ids = {"case_id": 1, "appointment_id": 1, "document_id": 1, "token": "A" * 43}
    for place in places():
        if "GET" in place.methods and not place.path.endswith(FILES):
            assert place.path.format_map(ids) in looked_at
