"""How a command gets at the application: settings, servers, and an up-to-date schema."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from engine.bootstrap import Application, open_application
from engine.errors import InputError
from engine.logs import configure_logs, log_file
from engine.migrations.run import upgrade
from engine.settings import load_settings
from engine.stack.servers import servers_for

T = TypeVar("T")


def with_application(act: Callable[[Application], Awaitable[T]], *, recovering: bool = False) -> T:
    """Run `act` on the application; embedded servers are joined, or started for as long.

    Raises InputError where there is no database yet: a command that only works on what there is
    must not make an empty one in whatever folder it was called from. Only `recovering` opens a
    database that was restored or is held.
    """
    given = load_settings()
    if given.database_url is None and not (given.data_dir / "postgres" / "PG_VERSION").exists():
        raise InputError(
            f"there is no database in {given.data_dir.resolve()}: set DATA_DIR or DATABASE_URL, or "
            "load a caseload first"
        )
    configure_logs(log_file(given.data_dir, "commands"))
    with servers_for(given) as settings:
        if settings.profile == "development" and settings.database_url is not None:
            upgrade(settings.database_url.get_secret_value())

        async def run() -> T:
            async with open_application(settings, recovering=recovering) as application:
                done = await act(application)
                if not recovering:
                    # What a person did is remembered outside the database too.
                    await application.mark.try_to_beat()
                return done

        return asyncio.run(run())
