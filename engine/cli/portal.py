"""`connect portal`: one process of the portal, for a machine of one's own making."""

import asyncio
from typing import Annotated

import typer
import uvloop

from engine.logs import configure_logs
from engine.serving import serve_portal
from engine.settings import load_settings
from engine.stack.servers import served


def portal(
    host: Annotated[str, typer.Option(help="the address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="the port; 0 takes a free one")] = 8000,
    *,
    shared: Annotated[
        bool, typer.Option("--shared", help="share the port with other portal processes")
    ] = False,
) -> None:
    """Serve the portal until SIGTERM; start one process for each core, with --shared."""
    configure_logs()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve_portal(served(load_settings()), host, port, shared=shared))
