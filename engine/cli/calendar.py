"""`connect calendar`: the business day by which something is due, for a person or for a program."""

from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from engine.calendar.deadlines import Counted, due_by, explain
from engine.cli.jsonl import answer_lines
from engine.errors import InputError

app = typer.Typer(help="Business days of the California state government.", no_args_is_help=True)


@app.callback()
def calendar() -> None:
    """Business days of the California state government."""


@app.command()
def due(
    requested_at: Annotated[
        str | None,
        typer.Option(
            "--from", help="When it was asked for, with its offset: 2026-11-25T16:59-08:00."
        ),
    ] = None,
    days: Annotated[int | None, typer.Option(help="How many business days are allowed.")] = None,
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl",
            help='Answer lines of {"from": …, "days": …} on standard input, one each, in order.',
        ),
    ] = False,
) -> None:
    """Say by which business day something is due, and which closed days were stepped over."""
    if jsonl:
        if answer_lines(_answer):
            raise typer.Exit(1)
        return
    if requested_at is None or days is None:
        raise typer.BadParameter("give both --from and --days, or --jsonl")
    _print(explain(_moment(requested_at), days))


def _answer(asked: dict[str, Any]) -> dict[str, str]:
    if not {"from", "days"} <= asked.keys():
        raise InputError('a line must be an object with "from" and "days"')
    if not isinstance(asked["from"], str):
        raise InputError('"from" must be a string, like "2026-11-25T16:59-08:00"')
    return {"due": due_by(_moment(asked["from"]), asked["days"]).isoformat()}


def _moment(given: str) -> datetime:
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        raise InputError(
            "the moment must be ISO 8601 with an offset, like 2026-11-25T16:59-08:00"
        ) from None


def _print(counted: Counted) -> None:
    console = Console(highlight=False)
    late = ", because it was asked after 17:00" if counted.after_hours else ""
    console.print(f"Due [bold]{counted.due:%A} {counted.due}[/bold]")
    console.print(f"Counted from {counted.counted_from:%A} {counted.counted_from}{late}")
    if not counted.stepped_over:
        console.print("No closed day was stepped over")
        return
    table = Table("Stepped over", "", "Because of", box=None, header_style="dim")
    for closure in counted.stepped_over:
        table.add_row(str(closure.day), f"{closure.day:%a}", closure.name("en"))
    console.print(table)
