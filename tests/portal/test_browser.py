"""The portal in a real browser: what it fetches, what its policy forbids, and how its pages fit a
small screen, large letters, and text that is set wider apart."""

from typing import Final

import pytest
from playwright.async_api import ConsoleMessage, Page, Request

from tests.portal.browsing import DESKTOP, FULL, OVERFLOW, PHONE, Windows
from tests.portal.page_reader import Page as Source
from tests.portal.portal_server import Portal
from tests.portal.views import AS_THEY_COME, SOME_OR_ALL, Gallery, View, furnish
from tests.portal.world import World

pytestmark = pytest.mark.needs("chromium")

# WCAG 2.1, 1.4.12: nothing may be lost when a reader sets text as far apart as this.
SPACED: Final = """
* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
p { margin-bottom: 2em !important; }
"""
TWICE: Final = DESKTOP // 2
"""What is left of a 1280-pixel window at 200 % zoom (WCAG 2.1, 1.4.4)."""
# Text that leaves a box which cuts it off or is drawn around it, fields too low for a line, and
# pieces of text that lie over one another.
CLIPPED: Final = """
() => {
  const clipped = [];
  const pieces = [];
  const holds = (element) => {
    const style = getComputedStyle(element);
    return style.display !== "inline" && (style.overflowX !== "visible"
      || style.overflowY !== "visible" || parseFloat(style.borderTopWidth) > 0
      || !["rgba(0, 0, 0, 0)", "transparent"].includes(style.backgroundColor));
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    const said = node.textContent.trim();
    if (!said || !node.parentElement.checkVisibility()
        || node.parentElement.closest("select, .usa-sr-only")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter((box) => box.width && box.right > 0);
    for (const box of boxes) pieces.push([said, box, node]);
    for (let at = node.parentElement; at !== document.body; at = at.parentElement) {
      if (!holds(at)) continue;
      const around = at.getBoundingClientRect();
      if (boxes.some((box) => box.left < around.left - 1 || box.right > around.right + 1
          || box.top < around.top - 1 || box.bottom > around.bottom + 1)) clipped.push(said);
    }
  }
  for (const [said, box, node] of pieces)
    for (const [other, beside, its] of pieces)
      if (node !== its && Math.min(box.right, beside.right) - Math.max(box.left, beside.left) > 3
          && Math.min(box.bottom, beside.bottom) - Math.max(box.top, beside.top) > box.height / 2)
        clipped.push(`${said} over ${other}`);
  for (const field of document.querySelectorAll("input, select, textarea")) {
    const style = getComputedStyle(field);
    if (field.checkVisibility() && !["radio", "hidden"].includes(field.type)
        && field.clientHeight < 1.15 * parseFloat(style.fontSize)) clipped.push(field.name);
  }
  return clipped;
}
"""
# What is wrong with a table that should be cards: a head that is shown, cells beside one another, a
# cell without its label. A row's own head may be the heading of its card, and a total has none.
NO_CARDS: Final = """
() => [...document.querySelectorAll("main table")].flatMap((table) => {
  const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent.trim());
  const wrong = table.tHead.checkVisibility() ? ["the head is shown"] : [];
  for (const row of table.tBodies[0].rows) {
    const cells = [...row.cells];
    if (new Set(cells.map((cell) => cell.getBoundingClientRect().top)).size === 1)
      wrong.push(`${row.innerText} is a row`);
    if (cells.some((cell) => cell.colSpan > 1)) continue;
    for (const cell of cells) {
      const label = getComputedStyle(cell, "::before");
      const shown = label.content === `"${cell.dataset.label}"` && label.display !== "none";
      if (cell.dataset.label !== heads[cell.cellIndex] || !(shown || cell.tagName === "TH"))
        wrong.push(`${cell.innerText}: ${cell.dataset.label}`);
    }
  }
  return wrong;
})
"""
# What is wrong with a table that should be one: a head that is missing, labels, cells that are not
# beside one another.
NO_TABLE: Final = """
() => [...document.querySelectorAll("main table")].flatMap((table) => {
  const wrong = table.tHead.checkVisibility() ? [] : ["no head"];
  for (const row of table.tBodies[0].rows) {
    const tops = new Set([...row.cells].map((cell) => cell.getBoundingClientRect().top));
    if (tops.size > 1) wrong.push(`${row.innerText} is not a row`);
    for (const cell of row.cells) {
      const { content } = getComputedStyle(cell, "::before");
      if (!["none", "normal"].includes(content)) wrong.push(`${cell.innerText} shows ${content}`);
    }
  }
  return wrong;
})
"""
TABLES: Final = ("/home", "/payments", "/payments/all", "/cases/{case_id}", "/documents")


@pytest.mark.parametrize(("width", "wrong"), [(PHONE, NO_CARDS), (DESKTOP, NO_TABLE)])
async def test_a_table_is_cards_on_a_phone(
    portal: Portal, world: World, windows: Windows, width: int, wrong: str
) -> None:
    """There each cell says what it is, in the words that stand above its column on a desktop."""
    await furnish(portal, world)
    page = await windows.open(world.participants["payer"], width=width)
    for path in TABLES:
        await page.goto(f"/es{path.format(case_id=world.cases['payer'])}")
        assert await page.locator("main tbody tr").count() > 0
        assert await page.evaluate(wrong) == [], page.url


@pytest.mark.parametrize(
    ("style", "width"),
    [
        ("", TWICE),
        (SPACED, PHONE),
        pytest.param(SPACED, DESKTOP, marks=FULL),
        pytest.param("", PHONE, marks=FULL),
    ],
)
@SOME_OR_ALL
async def test_text_can_be_set_wider_or_larger(
    portal: Portal,
    world: World,
    windows: Windows,
    *,
    views: dict[str, View],
    style: str,
    width: int,
) -> None:
    """No word is cut off or covered, and nothing scrolls sideways."""
    await furnish(portal, world)
    found: dict[str, list[str]] = {}

    async def look(name: str, page: Page) -> None:
        await page.add_style_tag(content=f"/* as a reader sets it */ {style}")
        wrong = [*await page.evaluate(CLIPPED)]
        if (over := await page.evaluate(OVERFLOW)) > 0:
            wrong.append(f"scrolls sideways by {over} px")
        if wrong:
            found[name] = wrong

    gallery = Gallery(windows, world, "es", {"width": width, "bypass_csp": True})
    await gallery.walk(views, look)
    assert found == {}


@pytest.mark.full
async def test_nothing_is_fetched_from_elsewhere(
    portal: Portal, world: World, windows: Windows
) -> None:
    """Every page loads from its own server alone, breaks no rule of its policy, brings no script,
    style or event handler within it, and no script of ours fails."""
    await furnish(portal, world)
    asked: list[str] = []
    complaints: list[str] = []

    async def listen(page: Page) -> None:
        page.on("request", lambda request: asked.append(request.url))
        page.on("requestfailed", failed)
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(error.message))

    def failed(request: Request) -> None:
        # A picture that is not there yet when its page is left is given up, and that is no fault.
        if request.failure != "net::ERR_ABORTED":
            complaints.append(f"{request.url}: {request.failure}")

    def heard(message: ConsoleMessage) -> None:
        # Chromium's advice to password managers is told at a level that nobody sees.
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    async def look(name: str, page: Page) -> None:
        source = Source(await (await page.request.get(page.url)).text())
        assert not source.all("style"), name
        assert all(script.attributes.get("src") for script in source.all("script")), name
        handlers = [
            (element.tag, attribute)
            for element in source.elements
            for attribute in element.attributes
            if attribute == "style" or attribute.startswith("on")
        ]
        assert handlers == [], name

    await Gallery(windows, world, "es", {}, listen).walk(AS_THEY_COME, look)
    assert complaints == []
    assert all(url.startswith(windows.address) for url in asked)
    assert any("public-sans" in url for url in asked)
