"""`connect servers`: what a stack starts first."""

from typing import Annotated

import typer

from engine.logs import configure_logs
from engine.settings import load_settings
from engine.stack.keeping import keep_servers


def servers(
    mailbox_port: Annotated[int, typer.Option(help="of the mailbox page; 0 takes a free one")] = 0,
) -> None:
    """Keep the embedded PostgreSQL, Redis and mailbox of the data folder, until SIGTERM."""
    configure_logs()
    keep_servers(load_settings(), mailbox_port)
