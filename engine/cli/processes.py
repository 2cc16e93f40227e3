"""`connect migrate`, `portal`, `worker`: one process each, for a machine of one's own making."""

import asyncio
import os
import sys
from typing import Annotated

import typer
import uvloop

from engine.logs import configure_logs
from engine.migrations.run import upgrade
from engine.serving import serve_portal
from engine.settings import load_settings
from engine.stack.keeping import keep_servers
from engine.stack.servers import served, servers_for


def migrate() -> None:
    """Bring the database to the newest schema."""
    with servers_for(load_settings()) as settings:
        assert settings.database_url is not None  # noqa: S101  servers_for fills it in
        upgrade(settings.database_url.get_secret_value())
    typer.echo("The schema is up to date.")


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


def worker() -> None:
    """Deliver what is owed, until SIGTERM: a process of its own, start as many as you like."""
    # Nothing in `engine` imports `jobs`: the worker replaces this process.
    os.execv(sys.executable, [sys.executable, "-m", "jobs"])  # noqa: S606  our own interpreter  # nosec B606


def servers(
    mailbox_port: Annotated[int, typer.Option(help="of the mailbox page; 0 takes a free one")] = 0,
) -> None:
    """Keep the embedded PostgreSQL, Redis and mailbox of the data folder, until SIGTERM."""
    configure_logs()
    keep_servers(load_settings(), mailbox_port)
