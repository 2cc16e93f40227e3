"""A real browser at the portal: its windows, and someone who has a keyboard and no mouse."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import pypdfium2
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from engine.security.sessions import Stage
from tests.portal.portal_server import Portal

PHONE: Final = 320
"""What is left of a 1280-pixel window at 400 % zoom (WCAG 2.1, 1.4.10)."""
DESKTOP: Final = 1280
HEIGHT: Final = 900
PATIENCE: Final = 60_000
"""Milliseconds after which what was waited for is said to be missing."""

UNSEEN: Final = "WebUIOmniboxPopup,WebUIOmniboxAimPopup"
"""Pages of its own that Chromium opens with every window, for an address bar that nobody sees."""
FULL: Final = pytest.mark.full
"""Of a case whose like the quicker tier has looked at."""
SUBMIT: Final = "main form button[type=submit]"
OVERFLOW: Final = (
    "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
)
_ON: Final = "(wanted) => document.activeElement.matches(wanted)"
_FOLDED: Final = """
(wanted) => ![...document.querySelectorAll(wanted)].some((each) => each.checkVisibility())
  && document.querySelector(`details:not([open]):has(${wanted}) > summary`) !== null
"""
_STOPS_MOST: Final = 90
"""More places than any page has for the keyboard to stop at."""


@asynccontextmanager
async def chromium_started() -> AsyncIterator[Browser]:
    """Debian's browser, without a window."""
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[
                *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
                f"--disable-features={UNSEEN}",
            ],
        )
        yield browser
        await browser.close()


@dataclass
class Windows:
    """Windows onto one portal; paths are enough to go somewhere in them."""

    chromium: Browser
    portal: Portal
    address: str
    opened: list[BrowserContext] = field(default_factory=list)

    async def open(
        self,
        participant: int | None = None,
        *,
        width: int = DESKTOP,
        stage: Stage = Stage.FULL,
        styles: bool = True,
        **options: Any,
    ) -> Page:
        """A page of a browser of its own in which `participant` is signed in, or nobody; without
        `styles` no style sheet comes."""
        settings = {"viewport": {"width": width, "height": HEIGHT}, "reduced_motion": "reduce"}
        context = await self.chromium.new_context(base_url=self.address, **{**settings, **options})
        context.set_default_timeout(PATIENCE)
        self.opened.append(context)
        if not styles:
            await context.route("**/*.css", lambda route: route.abort())
        if participant is not None:
            visitor = await self.portal.signed_in(participant, stage)
            cookie: Any = {
                "name": "session",
                "value": visitor.cookies["session"],
                "url": self.address,
            }
            await context.add_cookies([cookie])
        return await context.new_page()

    async def close(self) -> None:
        """Close them all."""
        for context in self.opened:
            await context.close()


def path_of(page: Page) -> str:
    """Where a page is, without its server and its query."""
    return urlsplit(page.url).path


def words_of(pdf: bytes) -> str:
    """The words on all sheets of a PDF, with single spaces."""
    document = pypdfium2.PdfDocument(pdf)
    sheets = [sheet.get_textpage().get_text_bounded() for sheet in document]
    document.close()
    return " ".join(" ".join(sheets).split())


async def on_paper(page: Page) -> str:
    """The words of a page as it is printed."""
    return words_of(await page.pdf(format="Letter"))


@dataclass(frozen=True, slots=True)
class Keys:
    """Someone at a page with a keyboard alone: nothing is clicked, filled or focused by script."""

    page: Page

    async def are_on(self, wanted: str) -> None:
        """The focus is on what the selector `wanted` names, or comes there by itself."""
        await expect(self.page.locator(wanted)).to_be_focused()

    async def to(self, wanted: str, key: str = "Tab") -> None:
        """Press Tab, or another key, until the focus is on what the selector `wanted` names; what
        is folded away is unfolded first."""
        if await self.page.evaluate(_FOLDED, wanted):
            await self.to(f"details:not([open]):has({wanted}) > summary")
            await self.press("Enter")
        for _ in range(_STOPS_MOST):
            if await self.page.evaluate(_ON, wanted):
                return
            await self.page.keyboard.press(key)
        raise AssertionError(f"{wanted} cannot be reached by {key} on {path_of(self.page)}")

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            await self.page.keyboard.press(key)

    async def write(self, field: str, words: str) -> None:
        """Write into the field of this id, in place of what it holds."""
        await self.to(f"#{field}")
        await self.press("ControlOrMeta+A")
        await self.page.keyboard.type(words)

    async def choose(self, name: str, value: str) -> None:
        """Choose a radio button: by the arrows where one is chosen, else by Space."""
        await self.to(f"input[type=radio][name={name}]")
        await self.to(f"#{name}-{value}", "ArrowDown")
        await self.press("Space")

    async def onward(self, wanted: str, lands: str, key: str = "Enter") -> None:
        """Go to what `wanted` names, press Enter on it, and be at `lands`."""
        await self.to(wanted)
        async with self.page.expect_navigation(url=f"**{lands}"):
            await self.press(key)
