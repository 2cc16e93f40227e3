"""Serving the portal: one uvicorn process, which finishes its requests when it is told to stop."""

import uvicorn

from engine.bootstrap import open_application
from engine.portal.app import create_app
from engine.settings import Settings


async def serve_portal(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are given five seconds."""
    async with open_application(settings) as application:
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(application),
                host=host,
                port=port,
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=5,
            )
        )
        await server.serve()
