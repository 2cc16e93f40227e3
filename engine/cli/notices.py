"""`connect remind` and `connect announce-payments`: what the cron table does, by hand."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from engine.bootstrap import Application
from engine.cli.opening import with_application


def remind(
    days: Annotated[int, typer.Option(min=1, help="appointments in this many days ahead")] = 7,
) -> None:
    """Record a reminder for every appointment in the days ahead; twice tells nobody twice."""

    async def act(application: Application) -> int:
        ahead = timedelta(days=days)
        return await application.notices.reminders(ahead, ahead)

    count = with_application(act)
    typer.echo(f"{count} new reminders recorded. They go out as soon as a worker runs.")


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
