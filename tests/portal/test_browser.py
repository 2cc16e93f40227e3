"""The portal in a real browser, with scripts turned off: keyboard, narrow screens, colours."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright

from tests.portal.portal_server import PARTICIPANT, Portal

pytestmark = pytest.mark.needs("chromium")

NARROW = {"width": 320, "height": 640}
"""What is left of a 1280-pixel window at 400 % zoom (WCAG 2.1, 1.4.10)."""

# The contrast of every piece of text against the nearest background behind it (WCAG 2.1, 1.4.3);
# large text, of 24 px or bold of 18.66 px, needs 3:1, other text 4.5:1.
TOO_FAINT = """
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
    if (!said) continue;
    const element = texts.currentNode.parentElement;
    const style = getComputedStyle(element);
    const [light, dark] = [luminance(style.color), luminance(behind(element))].sort().reverse();
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if ((light + 0.05) / (dark + 0.05) < (large ? 3 : 4.5)) faint.push(said);
  }
  return faint;
}
"""
TOO_SMALL = """
() => [...document.querySelectorAll(
    ".button, .language, .wordmark, .numbers a, input[type=text], .usa-button, .usa-radio__label, .onward a")]
  .filter((element) => element.getBoundingClientRect().height < 43.9)
  .map((element) => element.outerHTML)
"""
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
async def address(portal: Portal) -> AsyncIterator[str]:
    """Where the portal is served by a real web server."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(portal.app, access_log=False, log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """Debian's browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        await browser.close()


async def narrow_page(chromium: Browser) -> Page:
    """A page of a small screen, on which no script runs."""
    context = await chromium.new_context(viewport=NARROW, java_script_enabled=False)  # type: ignore[arg-type]  # a plain dict is a ViewportSize
    return await context.new_page()


async def focused(page: Page) -> str:
    """The id or class of what the keyboard is on."""
    return str(await page.evaluate("document.activeElement.id || document.activeElement.className"))


async def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until `wanted` is reached, as someone without a mouse does."""
    for _ in range(30):
        if await focused(page) == wanted:
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{wanted} cannot be reached by keyboard")


async def test_request_by_keyboard_alone_in_spanish(
    portal: Portal, address: str, chromium: Browser
) -> None:
    """From the front door to the promised date with the keyboard, in Spanish, with no script."""
    page = await narrow_page(chromium)
    await page.goto(f"{address}/")
    await tab_to(page, "language")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/es/")
    await tab_to(page, "hero-link")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/es/forgot-pin")
    await tab_to(page, "first_name")
    await page.keyboard.type(PARTICIPANT.first_name)
    await page.keyboard.press("Enter")

    await page.wait_for_selector(".summary")
    assert (await page.title()).startswith("Error: ")
    assert "summary" in await focused(page)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    assert await focused(page) == "last_name"
    await page.keyboard.type(PARTICIPANT.last_name)
    await tab_to(page, "participant_id")
    await page.keyboard.type("123 456 7890")
    await tab_to(page, "method-email")
    await page.keyboard.press("Space")
    await tab_to(page, "usa-button")
    await page.keyboard.press("Enter")

    await page.wait_for_url("**/es/forgot-pin/sent")
    assert "martes, 24 de noviembre de 2026" in await page.inner_text("main")
    assert await portal.recorded() == 1


@pytest.mark.parametrize("language", ["en", "es"])
async def test_pages_fit_a_narrow_screen_and_can_be_read(
    address: str, chromium: Browser, language: str
) -> None:
    """At 320 px nothing scrolls sideways, what is pressed is at least 44 px high, and every word
    stands out from its background: also with faults, and on error pages."""
    page = await narrow_page(chromium)

    async def looked_at() -> None:
        assert await page.evaluate(OVERFLOW) == 0, page.url
        assert await page.evaluate(TOO_SMALL) == [], page.url
        assert await page.evaluate(TOO_FAINT) == [], page.url

    for path in ("/", "/forgot-pin", "/nowhere"):
        await page.goto(f"{address}/{language}{path}")
        await looked_at()
    await page.goto(f"{address}/{language}/forgot-pin")
    await page.fill("#first_name", "Maximiliana" * 12)
    await page.click("button[type=submit]")
    await page.wait_for_selector(".summary")
    await looked_at()
    await page.fill("#last_name", "Núñez")
    await page.fill("#participant_id", "1234567890")
    await page.click("label[for=method-mail]")
    await page.click("button[type=submit]")
    await page.wait_for_url("**/forgot-pin/sent")
    await looked_at()


async def test_nothing_is_fetched_from_elsewhere(address: str, chromium: Browser) -> None:
    """A page loads from its own server alone, breaks no rule of its policy, and runs no script."""
    context = await chromium.new_context()
    page = await context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    await page.goto(f"{address}/es/", wait_until="networkidle")
    await page.goto(f"{address}/es/forgot-pin", wait_until="networkidle")
    assert complaints == []
    assert all(url.startswith(address) for url in asked)
    assert any("public-sans" in url for url in asked)
