"""A portal over this run's own PostgreSQL and Redis, and browsers to visit it with."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application, open_application
from engine.clock import PACIFIC
from engine.portal.app import create_app
from engine.settings import Settings

MONDAY_NOON = datetime(2026, 11, 23, 12, tzinfo=PACIFIC)
"""In office hours: email is due on Tuesday the 24th, mail on Tuesday, December 8."""

PARTICIPANT = {"first_name": "María José", "last_name": "Núñez", "participant_id": "1234567890"}
NOBODY = {"first_name": "Nadie", "last_name": "Ninguno", "participant_id": "9999999999"}


@dataclass
class Portal:
    """A portal that is being served inside this process."""

    application: Application
    browsers: list[httpx.AsyncClient] = field(default_factory=list)
    app: object = None

    def __post_init__(self) -> None:
        self.app = create_app(self.application)

    def browser(self, address: str = "192.0.2.7", **headers: str) -> httpx.AsyncClient:
        """A new browser at `address`, with no cookies yet."""
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, client=(address, 50_000)),  # type: ignore[arg-type]  # FastAPI is an ASGI app
            base_url="http://portal.example",
            headers=headers,
        )
        self.browsers.append(client)
        return client

    async def recorded(self) -> int:
        """How many PIN requests were taken down."""
        async with self.application.engine.connect() as connection:
            return int(await connection.scalar(text("SELECT count(*) FROM pin_request")) or 0)


def form_token(page: str) -> str:
    """The hidden token in a page with a form."""
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found
    return found[1]


async def post_form(
    browser: httpx.AsyncClient, language: str = "en", **fields: str
) -> httpx.Response:
    """Fetch the form and post it, as a browser does."""
    page = await browser.get(f"/{language}/forgot-pin")
    typed = PARTICIPANT | {"method": "email"} | fields
    return await browser.post(
        f"/{language}/forgot-pin", data=typed | {"form_token": form_token(page.text)}
    )


@pytest.fixture
def portal_settings(postgres_url: str, redis_url: str) -> Settings:
    """Settings over this run's servers; no mail server is needed to take a request down."""
    return Settings(
        database_url=SecretStr(postgres_url),
        redis_url=SecretStr(redis_url),
        smtp_url=SecretStr("smtp://127.0.0.1:9"),
    )


@asynccontextmanager
async def portal_over(settings: Settings) -> AsyncIterator[Portal]:
    """A portal with `settings`, at noon on a Monday."""
    async with open_application(settings, lambda: MONDAY_NOON) as application:
        portal = Portal(application)
        yield portal
        for browser in portal.browsers:
            await browser.aclose()


@pytest.fixture
async def portal(
    portal_settings: Settings, database: AsyncEngine, redis: "Redis[bytes]"
) -> AsyncIterator[Portal]:
    """A portal whose database knows one participant."""
    async with database.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO participant (external_id, first_name, last_name, language)"
                " VALUES (:participant_id, :first_name, :last_name, 'es')"
            ),
            PARTICIPANT,
        )
    async with portal_over(portal_settings) as portal:
        yield portal


Told = Callable[[], list[str]]
