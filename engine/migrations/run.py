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
from engine.migrations import roles
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
    """Migrate the database at `url` to the newest schema, and grant each role what it needs there;
    safe to call from many processes."""

    def act(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        before = _revision(connection)
        roles.become_migrator(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        changed = _revision(connection) != before or not roles.granted(connection)
        if changed and roles.made(connection):
            roles.grant(connection)

    _on(url, act)


def make_roles(url: str) -> None:
    """Make the database roles that are missing, with their grants; `url` is a superuser's."""

    def act(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        roles.make_roles(connection)
        if _revision(connection) is not None:
            roles.become_migrator(connection)
            roles.grant(connection)

    _on(url, act)


def make_embedded_roles(url: str) -> None:
    """Of an embedded server, or a test's: the roles, and a login for each."""

    def act(connection: Connection) -> None:
        roles.make_roles(connection)
        roles.make_logins(connection)

    _on(url, act)


def role_faults(url: str) -> list[str]:
    """How the grants of the database at `url` differ from those declared; a line each."""
    found = _on(url, roles.faults)
    assert isinstance(found, list)  # noqa: S101  narrows the type of what `faults` returned
    return found


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def downgrade(url: str, revision: str) -> None:
    """Take the database at `url` back to `revision`; `base` is before the first one."""

    def act(connection: Connection) -> None:
        roles.become_migrator(connection)
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
