"""Serving every door: one uvicorn process, which finishes its requests when it is told to stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Generator
from typing import Final

import uvicorn
from starlette.routing import Mount
from starlette.types import ASGIApp

from engine.api.app import api_door
from engine.bootstrap import Application, open_application
from engine.caseload.personal import CONTACT, NAMES
from engine.long_lived import settle
from engine.migrations.grants import PORTAL
from engine.migrations.logins import require_own_login
from engine.phone.door import phone_door
from engine.portal.app import create_app
from engine.security.resealing import require_keys
from engine.settings import Settings

GRACE_SECONDS: Final = 5


class _Server(uvicorn.Server):
    """A server that leaves the signals to us: uvicorn raises them again when it has stopped, and
    the process would end before the rest of it could."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


async def serve_until_told(app: ASGIApp, listener: socket.socket) -> None:
    """Serve `app` on `listener` until SIGTERM or SIGINT; requests under way get five seconds."""
    server = _Server(
        uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )

    def stop() -> None:
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop)
    await server.serve(sockets=[listener])


def doors(application: Application) -> list[Mount]:
    """The doors that the application has open beside the portal's pages, each under its path."""
    open_ones = (phone_door(application), api_door(application))
    return [door for door in open_ones if door is not None]


async def serve_portal(settings: Settings, host: str, port: int, *, shared: bool) -> None:
    """Serve the portal, and the doors beside it, until SIGTERM or SIGINT; several processes may
    share a port, and each takes its part of the visits."""
    async with open_application(settings) as application:
        await require_own_login(settings, application.engine, PORTAL)
        await require_keys(application.engine, (NAMES, CONTACT), tuple(settings.sealing_keys))
        listener = socket.create_server((host, port), reuse_port=shared)
        app = create_app(application, doors(application))
        settle()
        await serve_until_told(app, listener)
