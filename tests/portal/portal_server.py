"""A portal inside the test's process, and browsers to visit it with."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import httpx
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.clock import PACIFIC, Clock
from engine.migrations.grants import OPERATOR
from engine.portal.app import create_app
from engine.security.sessions import Stage
from engine.settings import Settings
from engine.stack.visitors import hidden_fields
from tests import people
from tests.acting import parts
from tests.database_rows import execute, fetch

MONDAY_NOON: Final = datetime(2026, 11, 23, 12, tzinfo=PACIFIC)
"""In office hours: email is due on Tuesday, November 24, mail on Wednesday, December 9."""

PARTICIPANT: Final = people.Person(
    external_id="1234567890", first_name="María José", last_name="Núñez"
)
TYPED: Final = {
    "first_name": PARTICIPANT.first_name,
    "last_name": PARTICIPANT.last_name,
    "participant_id": PARTICIPANT.external_id,
    "method": "email",
}
NOBODY: Final = {"first_name": "Nadie", "last_name": "Ninguno", "participant_id": "9999999999"}


GENEROUS: Final = {
    "sign_in_rate": "1000/minute",
    "forgot_pin_rate": "1000/minute",
    "forgot_pin_rate_per_participant": "1000/minute",
}
"""Settings for a test that comes to the same form many times from one address."""


@dataclass
class Portal:
    """A portal being served, and who visits it."""

    application: Application
    app: FastAPI
    engine: AsyncEngine
    """Its pages' own connections; those of `application` are the owner's."""
    visitors: list[httpx.AsyncClient] = field(default_factory=list)

    def browser(self, address: str = "192.0.2.7", **headers: str) -> httpx.AsyncClient:
        """A new browser at `address`, without cookies."""
        visitor = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=(address, 50_000)),
            base_url="http://portal.example",
            headers=headers,
        )
        self.visitors.append(visitor)
        return visitor

    async def signed_in(
        self, participant_id: int, stage: Stage = Stage.FULL, address: str = "192.0.2.7"
    ) -> httpx.AsyncClient:
        """A new browser in which this participant is signed in."""
        async with self.application.engine.begin() as connection:
            session = await self.application.sessions.open(connection, participant_id, stage)
        browser = self.browser(address)
        browser.cookies.set("session", session.token, domain="portal.example")
        return browser

    async def recorded(self) -> int:
        """How many PIN requests were taken down."""
        return len(await fetch(self.application, "SELECT FROM pin_request"))


async def give_pin(
    application: Application, participant_id: int, pin: str, kind: str = "chosen"
) -> None:
    """Give a participant a PIN, of their own choice or a `temporary` one of today."""
    now = application.clock()
    await execute(
        application,
        "INSERT INTO pin_credential (participant_id, kind, hash, issued_at, expires_at)"
        " VALUES ($1, $2, $3, $4, $5)",
        participant_id,
        kind,
        application.chosen_pins.checker.hasher.hash(pin),
        now,
        now + timedelta(days=1) if kind == "temporary" else None,
    )


@asynccontextmanager
async def portal_over(
    settings: Settings, clock: Clock = lambda: MONDAY_NOON
) -> AsyncIterator[Portal]:
    """A portal with `settings`, at noon on a Monday unless its `clock` says another hour."""
    async with parts(settings, clock, OPERATOR) as opened:
        portal = Portal(opened.whole, create_app(opened.portal), opened.portal.engine)
        yield portal
        for visitor in portal.visitors:
            await visitor.aclose()


def form_token(page: str) -> str:
    """The hidden token of a page with a form."""
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found
    return found[1]


async def post_form(
    browser: httpx.AsyncClient, path: str, to: str | None = None, **typed: str
) -> httpx.Response:
    """Fetch the page at `path`, and post its form, to `to` where that is another path."""
    page = await browser.get(path)
    assert page.status_code == 200, (page.status_code, page.headers.get("location"))
    return await browser.post(to or path, data=hidden_fields(page.text) | typed)


async def send_form(
    browser: httpx.AsyncClient, language: str = "en", **typed: str
) -> httpx.Response:
    """Fetch the form and post it, as a browser does."""
    page = await browser.get(f"/{language}/forgot-pin")
    fields = TYPED | typed | {"form_token": form_token(page.text)}
    return await browser.post(f"/{language}/forgot-pin", data=fields)
