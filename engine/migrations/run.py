"""Bring a database to the newest schema, or say how the models and the schema differ."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from engine.database import create_engine
from engine.models import METADATA

_MIGRATION_LOCK = 4_107_302
"""Advisory lock key: several processes may start at once, one of them migrates."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def _on(url: str, act: Callable[[Connection], object]) -> object:
    async def run() -> object:
        engine = create_engine(url)
        async with engine.begin() as connection:
            result = await connection.run_sync(act)
        await engine.dispose()
        return result

    return asyncio.run(run())


def upgrade(url: str) -> None:
    """Migrate the database at `url` to the newest schema; safe to call from many processes."""

    def act(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    _on(url, act)


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` back to `revision`; `base` is before the first one."""

    def act(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)

    _on(url, act)


def revise(url: str, message: str) -> None:
    """Write a new migration from the difference between the models and the database at `url`."""

    def act(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.revision(config, message, autogenerate=True)

    _on(url, act)


def differences(url: str) -> list[object]:
    """What the models say and the migrated database at `url` does not, or the reverse."""

    def act(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))

    found = _on(url, act)
    assert isinstance(found, list)  # noqa: S101  narrows the type of what `act` returned
    return found
