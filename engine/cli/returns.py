"""`connect bounce serve` and `connect bounce read`: what comes back by email, taken in."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated, Final

import typer
import uvloop
from rich.console import Console

from engine.bootstrap import Application, open_application
from engine.cli.opening import with_application
from engine.cli.plain import say
from engine.email.incoming.maildir import Read, read_maildir
from engine.email.incoming.receiver import serve_returns
from engine.logs import configure_logs
from engine.migrations.grants import WORKER
from engine.migrations.logins import require_own_login
from engine.settings import Settings, load_settings
from engine.stack.servers import served

_console: Final = Console()


def serve(
    host: Annotated[str, typer.Option(help="the address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="the port; 0 takes a free one")] = 8026,
    *,
    lmtp: Annotated[
        bool, typer.Option("--lmtp", help="speak LMTP, as a mail system does to a mailbox")
    ] = False,
) -> None:
    """Take in bounces and complaints over SMTP, until SIGTERM; and raise the alarm while no worker
    is at work."""
    configure_logs()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(served(load_settings()), host, port, lmtp=lmtp))


async def _serve(settings: Settings, host: str, port: int, *, lmtp: bool) -> None:
    async with open_application(settings) as application:
        await require_own_login(settings, application.engine, WORKER)
        told = asyncio.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, told.set)
        receiver = await serve_returns(
            application.returns, settings.complaints_address, host=host, port=port, lmtp=lmtp
        )
        looking = asyncio.create_task(application.worker_watch.keep_looking())
        await told.wait()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await receiver.stop()


def read(
    folder: Annotated[
        Path | None, typer.Argument(help="A Maildir; BOUNCE_MAILDIR when none is given.")
    ] = None,
) -> None:
    """Take in the new messages of a Maildir, and move them to its `cur/`."""

    async def act(application: Application) -> Read:
        maildir = folder or application.settings.bounce_maildir
        if maildir is None:
            raise typer.BadParameter("give a Maildir, or set BOUNCE_MAILDIR")
        return await read_maildir(application.returns, maildir)

    result = with_application(act)
    say(
        _console,
        f"{result.messages} message(s): {result.new} told something new, "
        f"{result.no_bounce} were no bounce, {result.untraced} were of no message of ours.",
    )
    if result.new:
        say(_console, "What is still owed, and what is at risk: connect deadlines")
