"""`connect alarms`: what a person must look at, since when, and what to do."""

from collections.abc import Sequence
from typing import Final, cast

from rich.console import Console
from rich.table import Table

from engine.alarms.book import StandingAlarm
from engine.alarms.kinds import KINDS, AlarmKind
from engine.bootstrap import Application
from engine.cli.opening import with_application
from engine.cli.plain import add_row, moment, new_table, say, show_table

_console: Final = Console()


def alarms() -> None:
    """Say which alarms stand, since when, and what to do about each."""

    async def act(application: Application) -> tuple[list[StandingAlarm], list[str]]:
        told = [destination.name for destination in application.teller.destinations]
        return await application.alarms.standing(), told

    standing, told = with_application(act)
    if standing:
        show_table(_console, alarm_table(standing))
        for kind in dict.fromkeys(alarm.kind for alarm in standing):
            if known := KINDS.get(cast("AlarmKind", kind)):
                say(_console, f"{kind}: {known.means}. Do: {known.act}")
    else:
        say(_console, "No alarm stands.")
    if told:
        say(_console, f"Told of each, once: {', '.join(told)}")
    else:
        say(_console, "Nobody is told of alarms: set OPERATOR_EMAIL or ALARM_WEBHOOK_URL.")


def alarm_table(alarms: Sequence[StandingAlarm]) -> Table:
    """The alarms that stand, one a row."""
    table = new_table("Alarms", style="red")
    for name in ("no.", "since", "alarm", "of", "what"):
        table.add_column(name, overflow="fold", no_wrap=name == "of")
    for alarm in alarms:
        add_row(
            table,
            str(alarm.id),
            moment(alarm.raised_at),
            alarm.kind,
            alarm.subject,
            alarm.detail,
        )
    return table
