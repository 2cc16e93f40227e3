"""A portal whose database knows one participant."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.settings import Settings
from tests import people
from tests.portal.portal_server import PARTICIPANT, Portal, portal_over


@pytest.fixture
async def portal(settings: Settings, database: AsyncEngine, redis: Redis) -> AsyncIterator[Portal]:
    """The portal over this run's own PostgreSQL and Redis."""
    await people.add(database, PARTICIPANT)
    async with portal_over(settings) as opened:
        yield opened
