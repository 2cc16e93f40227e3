"""What the tests of commands share."""

from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.settings import Settings, load_settings
from tests.cli.terminal import Terminal


@pytest.fixture
def machine(
    database: AsyncEngine, redis: Redis, postgres_url: str, redis_url: str, data_folder: Path
) -> Terminal:
    """A terminal over empty tables, without a mail server."""
    settings: Settings = load_settings(
        database_url=postgres_url,
        redis_url=redis_url,
        smtp_url="smtp://127.0.0.1:9",
        data_dir=data_folder,
    )
    return Terminal(settings)
