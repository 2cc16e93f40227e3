"""The machine API over a small caseload."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.settings import Settings
from tests.api.api_site import ApiSite, api_over, populate


@pytest.fixture
async def api(settings: Settings, database: AsyncEngine, redis: Redis) -> AsyncIterator[ApiSite]:
    """The doors over this run's own PostgreSQL and Redis."""
    async with api_over(settings) as site:
        await populate(site.application)
        yield site
