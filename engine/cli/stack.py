"""`connect demo` and `connect run`: the whole system on one machine."""

import asyncio
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from engine.bootstrap import open_application
from engine.clock import pacific_date, system_clock
from engine.logs import configure_logs, log_file
from engine.settings import Settings, load_settings
from engine.stack.closing_table import command_on
from engine.stack.demo import Plan, load_sample, run_demo
from engine.stack.stack import Stack, running_stack

Workers = Annotated[int, typer.Option(min=1, max=64, help="worker processes")]
PortalPort = Annotated[int, typer.Option(help="the portal's port")]
MailboxPort = Annotated[int, typer.Option(help="the mailbox page's port; 0 takes a free one")]

_WATCH_SECONDS = 1.0
_SAMPLE = 200
_TABLE_WIDTH = 100


def demo(  # noqa: PLR0917  typer makes options of them
    participants: Annotated[int, typer.Option(min=1, help="how many sample participants")] = 1000,
    seed: Annotated[int, typer.Option(help="the same seed gives the same caseload")] = 2026,
    workers: Workers = 2,
    portal_port: PortalPort = 8010,
    mailbox_port: MailboxPort = 0,
    data_dir: Annotated[
        Path | None, typer.Option(help="replaces what an earlier one left; default DATA_DIR/demo")
    ] = None,
) -> None:
    """Run the main job on a sample caseload: every email delivered, every letter mailed."""
    # Every parent of the demonstration asks from one network address, within a minute.
    settings = load_settings(
        data_dir=data_dir or load_settings().data_dir / "demo",
        forgot_pin_rate="100000/minute",
        quiet_hours="",
        soft_bounce_retry_hours=0.0005,
        database_url=None,
        redis_url=None,
        smtp_url=None,
        print_env="test",
        print_drop_url=None,
        vendor_certificate=None,
        print_signing_key=None,
    )
    plan = Plan(participants, seed, workers, portal_port, mailbox_port)
    console = Console()
    if not console.is_terminal:
        console.width = _TABLE_WIDTH
    run_demo(settings, plan, console)


def run(
    workers: Workers = 2,
    portal_port: PortalPort = 8000,
    mailbox_port: MailboxPort = 8025,
) -> None:
    """Start servers, print vendor, portal and workers, and keep them up until Ctrl-C."""
    settings = load_settings()
    configure_logs(log_file(settings.data_dir, "run"))
    with running_stack(settings, portal_port, mailbox_port, workers) as stack:
        try:
            person = asyncio.run(_sample_person(stack.settings))
            _announce(stack, person)
            while True:
                stack.supervisor.check()
                time.sleep(_WATCH_SECONDS)
        except SystemExit:
            typer.echo("Stopping…")
    typer.echo("Everything that was started has been stopped.")


async def _sample_person(settings: Settings) -> tuple[str, str, str]:
    """Load a small caseload where there is none; somebody to sign in as."""
    async with open_application(settings) as application:
        return await load_sample(application, _SAMPLE, pacific_date(system_clock()))


def _announce(stack: Stack, person: tuple[str, str, str]) -> None:
    first, last, participant_id = person
    folder = stack.settings.data_dir
    typer.echo(
        f"portal    {stack.portal_url}/\n"
        f"mailbox   {stack.servers.mailbox_url}\n"
        f"vendor    {stack.settings.print_drop_url or folder / 'drop'}\n"
        f"logs      {stack.supervisor.logs}\n"
        f"Ask for a PIN as {first} {last}, Participant ID {participant_id},\n"
        "and watch the mailbox.\n"
        "In another terminal, call the phone line, which takes that PIN too:\n"
        f"  {command_on(folder, f'phone call --url {stack.portal_url}')}\n"
        "Close the day's letters, and see what the vendor says of them:\n"
        f"  {command_on(folder, 'batch close')}\n"
        f"  {command_on(folder, 'batch list')}\n"
        "Its answers are picked up every minute, or at once by `batch collect`.\n"
        "Ctrl-C stops everything."
    )
