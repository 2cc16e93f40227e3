"""How a command gets at the application: settings, servers, and an up-to-date schema."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from engine.bootstrap import Application, open_application
from engine.logs import configure_logs
from engine.migrations.run import upgrade
from engine.settings import load_settings
from engine.stack.servers import servers_for

T = TypeVar("T")


def with_application(act: Callable[[Application], Awaitable[T]]) -> T:
    """Run `act` on the application; embedded servers are joined, or started for as long."""
    configure_logs()
    with servers_for(load_settings()) as settings:
        if settings.profile == "development" and settings.database_url is not None:
            upgrade(settings.database_url.get_secret_value())

        async def run() -> T:
            async with open_application(settings) as application:
                return await act(application)

        return asyncio.run(run())
