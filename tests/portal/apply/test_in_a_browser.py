"""The account's pages in a real browser: what axe finds, with a keyboard alone, without a script,
and in a hurry."""

import asyncio
import socket
from typing import Any, Final

import pytest
import uvicorn
from playwright.async_api import Browser, Page, expect
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.security.sessions import Stage
from engine.settings import Settings
from tests.applicants import PASSWORD, add_applicant
from tests.database_rows import fetch
from tests.portal.apply.test_accounts import TYPED, latest_link
from tests.portal.browsing import DESKTOP, OVERFLOW, PHONE, Keys, Windows, path_of
from tests.portal.portal_server import GENEROUS, Portal, portal_over
from tests.portal.test_accessibility import AXE, RUN, TOO_FAINT, TOO_SMALL

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.full]

PUBLIC: Final = (
    *("", "/register", "/register/sent", "/sign-in", "/forgot-password", "/forgot-password/sent"),
    *("/session-ended", "/nowhere"),
)
SIGNED_IN: Final = ("/home", "/account")
EXIT: Final = "https://elsewhere.example/"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Of a portal that can be visited as often as a test likes."""
    return settings.model_copy(
        update=GENEROUS | {"register_rate": "1000/minute", "quick_exit_url": EXIT}
    )


async def window(windows: Windows, portal: Portal, width: int, *, signed_in: bool = False) -> Page:
    """A window in which an applicant is signed in, or nobody; what is elsewhere is there too."""
    page = await windows.open(width=width)
    await page.context.route(EXIT, lambda route: route.fulfill(body="<title>Elsewhere</title>"))
    if signed_in:
        application = portal.application
        applicant = await add_applicant(application.engine)
        async with application.engine.begin() as connection:
            session = await application.applicant_sessions.open(
                connection, applicant.participant_id, Stage.APPLICANT
            )
        cookie: Any = {"name": "applicant", "value": session.token, "url": windows.address}
        await page.context.add_cookies([cookie])
    return page


async def faults_of(page: Page) -> list[str]:
    """What is wrong with a page as it stands."""
    await page.evaluate(AXE.read_text())
    found: list[str] = await page.evaluate(RUN)
    found += await page.evaluate(TOO_FAINT)
    found += await page.evaluate(TOO_SMALL)
    return found + [f"{await page.evaluate(OVERFLOW)} px too wide"] * (
        await page.evaluate(OVERFLOW) > 0
    )


@pytest.mark.parametrize(("language", "width"), [("es", PHONE), ("en", DESKTOP)])
async def test_axe_finds_nothing(
    windows: Windows, portal: Portal, language: str, width: int
) -> None:
    """On any page, as it comes and with faults, in both languages, at 320 px and on a desk."""
    found: dict[str, list[str]] = {}
    for signed_in, paths in ((False, PUBLIC), (True, SIGNED_IN)):
        page = await window(windows, portal, width, signed_in=signed_in)
        for path in paths:
            await page.goto(f"/{language}/apply{path}")
            found[path] = await faults_of(page)
            if await page.locator("main form").count():
                await page.click("main form button[type=submit]")
                await page.wait_for_selector(".summary")
                found[f"{path} sent empty"] = await faults_of(page)
    assert {path: faults for path, faults in found.items() if faults} == {}


async def test_escape_three_times_leaves_nothing_behind(windows: Windows, portal: Portal) -> None:
    """Another page stands in this one's place, in the history too: going back does not come back;
    and the session is over."""
    page = await window(windows, portal, DESKTOP, signed_in=True)
    await page.goto("/en/apply/account")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    assert path_of(page) == "/en/apply/account"
    async with page.expect_request("**/apply/leave"):
        await page.keyboard.press("Escape")
    await page.wait_for_url(EXIT)
    assert await page.evaluate("history.length") == 2
    await page.go_back()
    assert page.url == "about:blank"
    await page.goto("/en/apply/home")
    assert path_of(page) in {"/en/apply/sign-in", "/en/apply/session-ended"}


async def test_the_button_leaves_without_a_script(windows: Windows, portal: Portal) -> None:
    """It is a link; whoever goes back finds a session that is over, and nothing of the page."""
    page = await windows.open(width=PHONE, java_script_enabled=False)
    await page.context.route(EXIT, lambda route: route.fulfill(body="<title>Elsewhere</title>"))
    application = portal.application
    applicant = await add_applicant(application.engine)
    async with application.engine.begin() as connection:
        session = await application.applicant_sessions.open(
            connection, applicant.participant_id, Stage.APPLICANT
        )
    cookie: Any = {"name": "applicant", "value": session.token, "url": windows.address}
    await page.context.add_cookies([cookie])
    await page.goto("/es/apply/account")
    await page.click("a[data-quick-exit]")
    await page.wait_for_url(EXIT)
    assert await fetch(application, "SELECT FROM portal_session WHERE ended_at IS NULL") == []
    await page.go_back()
    assert "river.stone" not in await page.content()


async def test_an_account_is_opened_with_a_keyboard_alone(windows: Windows, portal: Portal) -> None:
    """From the front page to the first page behind the door, and out again; the password is shown
    by its button, and hidden again."""
    page = await window(windows, portal, PHONE)
    keys = Keys(page)
    await page.goto("/en/")
    await keys.onward("a[href='/en/apply']", "/en/apply")
    await keys.onward("main a[href='/en/apply/register']", "/en/apply/register")
    for name, words in TYPED.items():
        await keys.write(name, words)
    await keys.to("button[name=show]")
    await keys.press("Enter")
    await expect(page.locator("#password")).to_have_attribute("type", "text")
    await keys.press("Enter")
    await expect(page.locator("#password")).to_have_attribute("type", "password")
    await keys.to("main button:not([name])", "Shift+Tab")
    async with page.expect_navigation(url="**/register/sent"):
        await keys.press("Enter")
    await page.goto(await latest_link(portal, "confirm"))
    await keys.write("password", PASSWORD)
    async with page.expect_navigation(url="**/en/apply/home"):
        await keys.press("Enter")
    await keys.to("header form button")
    async with page.expect_navigation(url="**/en/apply"):
        await keys.press("Enter")
    await expect(page.get_by_text("You are logged out.")).to_be_visible()


async def test_a_form_that_is_left_alone_at_a_kiosk_starts_again(
    settings: Settings, chromium: Browser, database: AsyncEngine, redis: Redis
) -> None:
    """What somebody typed and walked away from is not there for the next person; while they
    type, it waits."""
    async with portal_over(settings.model_copy(update={"kiosk": True})) as portal:
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(portal.app, access_log=False, log_config=None))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        windows = Windows(chromium, portal, f"http://127.0.0.1:{listener.getsockname()[1]}")
        page = await windows.open()
        await page.clock.install()
        await page.goto("/en/apply/register")
        await page.clock.fast_forward(200_000)
        await page.press("#first_name", "R")
        await page.clock.fast_forward(200_000)
        assert path_of(page) == "/en/apply/register"
        async with page.expect_navigation(url="**/en/apply"):
            await page.clock.fast_forward(101_000)
        await windows.close()
        server.should_exit = True
        await serving
