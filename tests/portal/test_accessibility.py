"""Every page, for everyone: axe finds nothing, at both widths, in both languages.

What axe can see is perhaps half of WCAG 2.1; the rest is in test_browser.py and in people's eyes.
"""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.portal.app import places
from engine.security.sessions import Stage
from engine.settings import Settings
from tests.portal.portal_server import Portal, portal_over
from tests.portal.world import World, populate

pytestmark = pytest.mark.needs("chromium")

AXE: Final = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
RUN: Final = """
async (tags) => (await axe.run(document, { runOnly: tags })).violations.map((violation) =>
  `${violation.id}: ${violation.nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`)
"""
OVERFLOW: Final = (
    "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
)
PHONE, DESKTOP = 320, 1280
FILES: Final = (".pdf", ".csv", ".ics")
MATRIX: Final = [
    pytest.param("es", PHONE),
    pytest.param("es", DESKTOP, marks=pytest.mark.full),
    pytest.param("en", PHONE, marks=pytest.mark.full),
    pytest.param("en", DESKTOP, marks=pytest.mark.full),
]
"""The quickest look is at a phone in Spanish; the fuller tier takes the others."""
FAULTY: Final = (
    "/login", "/forgot-pin", "/profile/email", "/profile/phone", "/profile/address",
    "/profile/pin", "/profile/other-party", "/messages",
)  # fmt: skip
"""Forms that complain when they are sent empty."""


@pytest.fixture
async def portal(settings: Settings, database: AsyncEngine, redis: Redis) -> AsyncIterator[Portal]:
    """A portal over the small caseload."""
    generous = {"sign_in_rate": "1000/minute", "forgot_pin_rate": "1000/minute"}
    async with portal_over(settings.model_copy(update=generous)) as opened:
        yield opened


@pytest.fixture
async def world(portal: Portal) -> World:
    """Who is there."""
    return await populate(portal.application)


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


async def window(
    chromium: Browser, portal: Portal, address: str, width: int, participant: int | None
) -> BrowserContext:
    """A window of the browser in which `participant` is signed in, or nobody."""
    context = await chromium.new_context(
        viewport={"width": width, "height": 900}, bypass_csp=True, reduced_motion="reduce"
    )
    if participant is not None:
        async with portal.application.engine.begin() as connection:
            sessions = portal.application.sessions
            session = await sessions.open(connection, participant, Stage.FULL)
        cookie: Any = {"name": "session", "value": session.token, "url": address}
        await context.add_cookies([cookie])
    return context


async def faults(page: Page) -> list[str]:
    """What axe finds, and whether the page scrolls sideways."""
    await page.add_script_tag(path=AXE)
    found: list[str] = await page.evaluate(RUN, TAGS)
    if await page.evaluate(OVERFLOW) > 0:
        found.append("scrolls sideways")
    return found


def pages_of(access: str, world: World) -> list[str]:
    """The paths of all pages of one kind, with the payer's ids."""
    ids = {
        "case_id": world.cases["payer"],
        "appointment_id": world.appointments["payer"],
        "document_id": 1,
        "token": "A" * 43,
    }
    return [
        place.path.format_map({name: str(value) for name, value in ids.items()})
        for place in places()
        if "GET" in place.methods and place.access == access and not place.path.endswith(FILES)
    ]


@pytest.mark.parametrize(("language", "width"), MATRIX)
async def test_axe_finds_nothing_on_any_page(
    portal: Portal, world: World, address: str, chromium: Browser, *, language: str, width: int
) -> None:
    """Signed out and signed in, on every page; and nothing scrolls sideways."""
    found: dict[str, list[str]] = {}
    for access, participant in (("public", None), ("private", world.participants["payer"])):
        context = await window(chromium, portal, address, width, participant)
        page = await context.new_page()
        for path in [*pages_of(access, world), "/nowhere"]:
            await page.goto(f"{address}/{language}{path}")
            if path != "/session-ended":
                assert page.url.endswith((path, "/forgot-pin")), page.url
            if wrong := await faults(page):
                found[path] = wrong
        await context.close()
    assert found == {}


@pytest.mark.parametrize(("language", "width"), MATRIX)
async def test_axe_finds_nothing_where_something_is_wrong(
    portal: Portal, world: World, address: str, chromium: Browser, *, language: str, width: int
) -> None:
    """With an error summary showing, which has the focus, and with the session dialog open."""
    context = await window(chromium, portal, address, width, world.participants["payer"])
    page = await context.new_page()
    found: dict[str, list[str]] = {}
    for path in FAULTY:
        await page.goto(f"{address}/{language}{path}")
        await page.evaluate(
            "() => { for (const field of document.querySelectorAll('main input:not([type=hidden])"
            ":not([type=radio]), main textarea')) field.value = ''; }"
        )
        await page.click("main form button[type=submit]")
        await page.wait_for_selector(".summary")
        focused = await page.evaluate("document.activeElement.classList.contains('summary')")
        if wrong := [*await faults(page), *([] if focused else ["the summary has no focus"])]:
            found[path] = wrong
    await page.goto(f"{address}/{language}/home")
    await page.evaluate("document.getElementById('session-dialog').showModal()")
    if wrong := await faults(page):
        found["session dialog"] = wrong
    await context.close()
    assert found == {}
