"""`connect deadlines`: what is due today and tomorrow, what is at risk, and why."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from engine.bootstrap import Application
from engine.calendar.business_days import business_days_between
from engine.cli.opening import with_application
from engine.cli.plain import add_row, new_table, say, show_table
from engine.communications.deadline_watch import Due, Endangered, Outlook

_console: Final = Console()


def deadlines(
    most: Annotated[
        int, typer.Option("--most", min=1, help="How many lines each list has at the most.")
    ] = 50,
) -> None:
    """Say what is due today and tomorrow, what is at risk and why, and what is overdue."""

    async def act(application: Application) -> Outlook:
        return await application.deadlines.outlook()

    outlook = with_application(act)
    if outlook.due:
        show_table(_console, _due_table(outlook))
    else:
        say(
            _console,
            f"Nothing that is still owed is due today, {outlook.today}, or on the next business "
            f"day, {outlook.tomorrow}.",
        )
    for title, found in (("At risk", outlook.at_risk), ("Overdue", outlook.overdue)):
        if found:
            show_table(_console, _list(title, found[:most], outlook.today))
            if len(found) > most:
                say(_console, f"… and {len(found) - most} more: --most {len(found)}")
    if not outlook.at_risk and not outlook.overdue:
        say(_console, "Nothing is at risk, and nothing is overdue.")
    elif any(item.given_to for item in (*outlook.at_risk, *outlook.overdue)):
        say(_console, "What waits for a person: connect mail held")


def _due_table(outlook: Outlook) -> Table:
    table = new_table("Still owed")
    for name in ("due", "notice", "by", "owed", "of them held"):
        table.add_column(name, justify="right" if name in {"owed", "of them held"} else "left")
    for due in outlook.due:
        add_row(table, *_due_cells(due, outlook.today))
    return table


def _due_cells(due: Due, today: date) -> tuple[str, ...]:
    when = f"today, {due.day}" if due.day == today else f"next business day, {due.day}"
    return when, due.notice, due.channel, str(due.number), str(due.held or "")


def _list(title: str, found: Sequence[Endangered], today: date) -> Table:
    table = new_table(f"{title}, soonest due first")
    for name in ("id", "notice", "by", "due by", "days left", "why", "whose task"):
        table.add_column(name, overflow="fold", justify="right" if name == "days left" else "left")
    for item in found:
        left = business_days_between(today, item.due_by)
        add_row(
            table,
            str(item.communication_id),
            item.notice,
            item.channel,
            str(item.due_by),
            str(left) if left >= 0 else f"{-left} late",
            item.why,
            item.given_to or "",
            style="red" if left < 0 else "",
        )
    return table
