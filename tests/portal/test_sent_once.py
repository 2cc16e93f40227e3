"""The page's own script keeps a form from being sent twice; without it the portal does."""

import asyncio

import pytest
from playwright.async_api import Request, Route

from tests.database_rows import fetch
from tests.portal.browsing import SUBMIT, Windows
from tests.portal.portal_server import Portal
from tests.portal.world import World

pytestmark = pytest.mark.needs("chromium")


async def test_a_form_on_its_way_is_not_sent_again(
    portal: Portal, world: World, windows: Windows
) -> None:
    """However often its button is pressed; back at the page it can be sent once more."""
    page = await windows.open(world.participants["payee"])
    asked, answered = asyncio.Event(), asyncio.Event()
    sent: list[Request] = []

    async def held(route: Route) -> None:
        if route.request.method == "POST":
            sent.append(route.request)
            asked.set()
            await answered.wait()
        await route.continue_()

    await page.route("**/en/messages", held)
    await page.goto("/en/messages")
    await page.fill("#body", "First")
    await page.locator(SUBMIT).click(no_wait_after=True)
    await asked.wait()
    await page.evaluate(f"document.querySelector('{SUBMIT}').click()")
    answered.set()
    await page.wait_for_selector(".usa-alert--success")
    assert len(sent) == 1
    await page.go_back()
    await page.fill("#body", "Second")
    await page.click(SUBMIT)
    await page.wait_for_selector(".usa-alert--success")
    bodies = "SELECT body FROM caseworker_message WHERE participant_id = $1 ORDER BY id DESC"
    rows = await fetch(portal.application, bodies, world.participants["payee"])
    assert [row["body"] for row in rows[:2]] == ["Second", "First"]
