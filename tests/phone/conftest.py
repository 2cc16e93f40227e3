"""A phone line whose database knows a few callers, and telephones to call it with."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.settings import Settings
from tests.phone.line import PhoneLine, line_over


@pytest.fixture
async def line(settings: Settings, database: AsyncEngine, redis: Redis) -> AsyncIterator[PhoneLine]:
    """The line at noon of a Monday, when agents are in."""
    async with line_over(settings) as opened:
        yield opened


@pytest.fixture
async def served(line: PhoneLine) -> AsyncIterator[str]:
    """Where the line is served by a real web server."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(line.app, access_log=False, log_config=None))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await serving
