"""A portal whose database knows one participant, and a browser to visit it with."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from playwright.async_api import Browser
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.settings import Settings
from tests import people
from tests.portal.browsing import Windows, chromium_started
from tests.portal.portal_server import PARTICIPANT, Portal, portal_over
from tests.portal.world import World, populate


@pytest.fixture
async def portal(settings: Settings, database: AsyncEngine, redis: Redis) -> AsyncIterator[Portal]:
    """The portal over this run's own PostgreSQL and Redis."""
    await people.add(database, PARTICIPANT)
    async with portal_over(settings) as opened:
        yield opened


@pytest.fixture
async def world(portal: Portal) -> World:
    """The small caseload, beside the one participant."""
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


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Debian's browser, once for the whole run; every test has windows of its own."""
    async with chromium_started() as browser:
        yield browser


@pytest.fixture
async def windows(chromium: Browser, portal: Portal, address: str) -> AsyncIterator[Windows]:
    """The windows of one test, onto its portal."""
    opened = Windows(chromium, portal, address)
    yield opened
    await opened.close()
