"""An application by a clock that tests put forward."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.settings import Settings
from tests.acting import opened_in_parts
from tests.inbox.hours import Hours


@pytest.fixture
def hours() -> Hours:
    """Noon on a Monday."""
    return Hours()


@pytest.fixture
async def application(
    settings: Settings, database: AsyncEngine, redis: Redis, hours: Hours
) -> AsyncIterator[Application]:
    """The whole application, by this clock."""
    async with opened_in_parts(settings, hours) as opened:
        yield opened
