"""A phone line whose database knows a few callers, and telephones to call it with."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.settings import Settings
from tests.phone.line import PhoneLine, line_over


@pytest.fixture
async def line(settings: Settings, database: AsyncEngine, redis: Redis) -> AsyncIterator[PhoneLine]:
    """The line at noon of a Monday, when agents are in."""
    async with line_over(settings) as opened:
        yield opened
