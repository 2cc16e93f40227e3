"""The end of a session, as whoever sits before it meets it: warned of at thirteen minutes, put off
by one key, and over at fifteen. Server and browser have one clock here, which the test moves."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import pytest
from playwright.async_api import Page, expect
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.caseload.personal import MESSAGE
from engine.settings import Settings
from tests import people
from tests.database_rows import execute, fetch
from tests.portal.browsing import DESKTOP, FULL, PHONE, Keys, Windows, path_of
from tests.portal.portal_server import MONDAY_NOON, PARTICIPANT, Portal, portal_over
from tests.portal.world import World

pytestmark = pytest.mark.needs("chromium")

WARNED, OVER = timedelta(minutes=13), timedelta(minutes=15)
MOMENT: Final = timedelta(seconds=2)
"""The page looks at its clock every second."""
DIALOG: Final = "#session-dialog"
LISTEN: Final = """
() => new BroadcastChannel("session")
  .addEventListener("message", () => { window.heard = true; })
"""


@dataclass
class Hours:
    """The hour it is."""

    now: datetime = MONDAY_NOON

    def __call__(self) -> datetime:
        """As the portal asks for it."""
        return self.now

    async def pass_in(self, page: Page, time: timedelta) -> None:
        """Let `time` pass, at the portal and in every window of the browser, which look at their
        clocks once it is over."""
        self.now += time
        await page.clock.fast_forward(int(time.total_seconds() * 1000))


@pytest.fixture
def hours() -> Hours:
    """Noon on a Monday."""
    return Hours()


@pytest.fixture
async def portal(
    settings: Settings, database: AsyncEngine, redis: Redis, hours: Hours
) -> AsyncIterator[Portal]:
    """A portal whose clock the test moves."""
    await people.add(database, PARTICIPANT)
    async with portal_over(settings, hours) as opened:
        yield opened


async def opened(windows: Windows, world: World, path: str, width: int = DESKTOP) -> Page:
    """A page that stands still until the test lets time pass."""
    page = await windows.open(world.participants["payer"], width=width)
    await page.clock.install(time=MONDAY_NOON - timedelta(minutes=1))
    await page.clock.pause_at(MONDAY_NOON)
    await page.goto(path)
    return page


async def keep(page: Page, key: str = "Enter") -> None:
    """Press a key; the server has heard that its reader is still there."""
    async with page.expect_response("**/session/keep") as answered:
        await page.keyboard.press(key)
    assert (await answered.value).status == 204
    await expect(page.locator(DIALOG)).to_be_hidden()


@pytest.mark.parametrize(
    ("path", "width"),
    [
        pytest.param("/en/home", DESKTOP, marks=FULL),
        ("/es/profile/email", PHONE),
    ],
)
async def test_the_dialog_warns_two_minutes_ahead(
    windows: Windows, world: World, hours: Hours, path: str, width: int
) -> None:
    """Not before; then with the focus within it, under a name, saying how much is left, and saying
    it anew in the last minute."""
    page = await opened(windows, world, path, width)
    dialog = page.get_by_role("dialog")
    await hours.pass_in(page, WARNED - MOMENT)
    await expect(dialog).to_have_count(0)
    await hours.pass_in(page, 2 * MOMENT)
    await expect(dialog).to_be_visible()
    await expect(dialog).to_have_accessible_name(re.compile(r"\w"))
    assert await page.evaluate(f"document.activeElement.closest('{DIALOG}') !== null")
    live = dialog.locator("[aria-live]")
    two = await live.inner_text()
    assert "2" in two
    await hours.pass_in(page, timedelta(minutes=1))
    await expect(live).not_to_have_text(two)


async def test_the_focus_stays_within_the_dialog(
    windows: Windows, world: World, hours: Hours
) -> None:
    """While it is open, nothing behind it can be reached by keyboard."""
    page = await opened(windows, world, "/en/home")
    await hours.pass_in(page, WARNED + MOMENT)
    for key in ("Tab", "Tab", "Shift+Tab", "Shift+Tab", "Shift+Tab"):
        await page.keyboard.press(key)
        assert await page.evaluate(
            f"document.activeElement === document.body || "
            f"document.activeElement.closest('{DIALOG}') !== null"
        )


@pytest.mark.parametrize(
    "key", ["Enter", pytest.param("Space", marks=FULL), pytest.param("Escape", marks=FULL)]
)
async def test_one_key_keeps_the_session_and_what_was_typed(
    portal: Portal, windows: Windows, world: World, hours: Hours, key: str
) -> None:
    """The writer goes on in the field they were in, has another thirteen minutes, and the message
    is sent when the session would long have been over."""
    page = await opened(windows, world, "/en/messages")
    keys = Keys(page)
    await keys.to("#case")
    await keys.press("ArrowDown")
    await keys.write("body", "When is ")
    await hours.pass_in(page, WARNED + MOMENT)
    await keep(page, key)
    await keys.are_on("#body")
    assert await page.input_value("#body") == "When is "
    await page.keyboard.type("my payment due?")
    await hours.pass_in(page, WARNED - MOMENT)
    await expect(page.locator(DIALOG)).to_be_hidden()
    await keys.onward("main form button[type=submit]", "/en/messages")
    rows = await fetch(
        portal.application,
        f"SELECT {MESSAGE.read()} AS body FROM caseworker_message ORDER BY id DESC LIMIT 1",
    )
    assert rows == [{"body": "When is my payment due?"}]


async def test_at_the_end_nothing_is_shown_any_more(
    windows: Windows, world: World, hours: Hours
) -> None:
    """The browser is at a page that says so, and going back to the portal leads to sign-in."""
    page = await opened(windows, world, "/es/payments")
    await hours.pass_in(page, WARNED + MOMENT)
    await hours.pass_in(page, OVER - WARNED)
    await page.wait_for_url("**/es/session-ended")
    held = {cookie.get("name") for cookie in await page.context.cookies()}
    assert "session" not in held
    await page.goto("/es/payments")
    assert path_of(page) == "/es/login"


async def test_keeping_it_in_one_window_keeps_it_in_all(
    windows: Windows, world: World, hours: Hours
) -> None:
    """Both are warned; a key in one shuts the dialog of the other, which has its time anew."""
    first = await opened(windows, world, "/en/home")
    second = await first.context.new_page()
    await second.goto("/en/payments")
    await hours.pass_in(first, WARNED + MOMENT)
    for page in (first, second):
        await expect(page.locator(DIALOG)).to_be_visible()
    await keep(second)
    await expect(first.locator(DIALOG)).to_be_hidden()
    await hours.pass_in(first, WARNED - MOMENT)
    await expect(first.locator(DIALOG)).to_be_hidden()
    await hours.pass_in(first, 2 * MOMENT)
    await expect(first.locator(DIALOG)).to_be_visible()


async def test_a_page_opened_in_another_window_keeps_it_too(
    windows: Windows, world: World, hours: Hours
) -> None:
    """Reading elsewhere is being there."""
    first = await opened(windows, world, "/en/home")
    second = await first.context.new_page()
    await hours.pass_in(first, WARNED - MOMENT)
    await first.evaluate(LISTEN)
    await second.goto("/en/payments")
    await first.wait_for_function("() => window.heard")
    await hours.pass_in(first, OVER - WARNED)
    await expect(first.locator(DIALOG)).to_be_hidden()
    assert path_of(first) == "/en/home"


async def test_a_session_that_is_over_cannot_be_kept(
    portal: Portal, windows: Windows, world: World, hours: Hours
) -> None:
    """It was ended elsewhere: the key leads to the page that says so."""
    page = await opened(windows, world, "/en/home")
    await execute(portal.application, "UPDATE portal_session SET ended_at = $1", MONDAY_NOON)
    await hours.pass_in(page, WARNED + MOMENT)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/en/session-ended")


async def test_a_connection_that_is_away_loses_nothing(
    windows: Windows, world: World, hours: Hours
) -> None:
    """The dialog stays; when the connection is back, the key works."""
    page = await opened(windows, world, "/en/home")
    await hours.pass_in(page, WARNED + MOMENT)
    await page.context.set_offline(True)
    async with page.expect_event("requestfailed"):
        await page.keyboard.press("Enter")
    await expect(page.locator(DIALOG)).to_be_visible()
    await page.context.set_offline(False)
    await keep(page)


async def test_twelve_hours_end_a_session_however_often_it_is_kept(
    portal: Portal, windows: Windows, world: World, hours: Hours
) -> None:
    """Kept at thirteen minutes, with seven left of the twelve hours: its reader is warned before
    those are over, and what they type meanwhile is not lost without a word."""
    page = await opened(windows, world, "/en/messages")
    left = timedelta(minutes=20)
    await execute(portal.application, "UPDATE portal_session SET ends_at = $1", MONDAY_NOON + left)
    await hours.pass_in(page, WARNED + MOMENT)
    await keep(page)
    await hours.pass_in(page, left - (OVER - WARNED) - WARNED)
    await expect(page.locator(DIALOG)).to_be_visible()
    await hours.pass_in(page, OVER - WARNED)
    await page.wait_for_url("**/en/session-ended")
