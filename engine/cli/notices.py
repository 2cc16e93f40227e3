"""`connect remind` and `connect announce-payments`: what the cron table does, by hand."""

from datetime import datetime
from typing import Annotated, Final

import typer
from rich.console import Console

from engine.bootstrap import Application
from engine.caseload.reminders import Reminded
from engine.cli.opening import with_application
from engine.cli.plain import say

_console: Final = Console()


def remind() -> None:
    """Record the reminders of this day; run again, it tells nobody twice."""

    async def act(application: Application) -> Reminded:
        return await application.reminders.run()

    done = with_application(act)
    say(_console, f"{done.emails} reminders by email and {done.letters} by mail are recorded.")
    if done.overtaken:
        say(
            _console,
            f"{done.overtaken} deliveries are stopped: their appointment was moved, cancelled or "
            "is past, or its reader wants no reminders.",
        )
    if done.night:
        say(_console, "It is night in California: emails are recorded from 8:00 to 21:00.")
    if done.unreached:
        say(_console, f"{done.unreached} appointments reach nobody unless somebody telephones.")
        say(_console, "See whose: connect appointment unreached")
    if done.emails or done.letters:
        say(_console, "They go out as soon as a worker runs: connect worker")


def announce_payments(
    since: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="the first day of payments")
    ],
) -> None:
    """Record a payment notice for every payment on or after a day; twice tells nobody twice."""

    async def act(application: Application) -> int:
        return await application.notices.payments_since(since.date())

    count = with_application(act)
    typer.echo(f"{count} new payment notices recorded. They go out as soon as a worker runs.")
