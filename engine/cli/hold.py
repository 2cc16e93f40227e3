"""`connect hold`: legal holds, by participant or by case."""

from typing import Annotated, Final

import typer
from rich.console import Console

from engine.bootstrap import Application
from engine.cli.opening import with_application
from engine.cli.plain import add_row, moment, new_table, say, show_table
from engine.cli.signing import By, Why
from engine.errors import InputError
from engine.retention.holds import Hold, Subject

app = typer.Typer(
    help="Legal holds: nothing about a participant, or the parties of a case, is removed.",
    no_args_is_help=True,
)
_console: Final = Console()

Participant = Annotated[str | None, typer.Option(metavar="ID", help="A Participant ID Number.")]
Case = Annotated[
    str | None, typer.Option(metavar="NUMBER", help="A case number: all its parties are held.")
]


@app.callback()
def hold() -> None:
    """Legal holds: nothing about a participant, or the parties of a case, is removed."""


@app.command()
def place(by: By, why: Why, participant: Participant = None, case: Case = None) -> None:
    """Keep everything about a participant, or the parties of a case, until it is lifted."""
    subject = _subject(participant, case)
    if not by or not why.strip():
        raise InputError("--by and --why are on record: neither may be empty")

    async def act(application: Application) -> None:
        await application.holds.place(subject, by, why)

    with_application(act)
    say(_console, f"Under hold: {subject.kind} {subject.number}")


@app.command()
def lift(by: By, participant: Participant = None, case: Case = None) -> None:
    """Let the ordinary periods hold again."""
    subject = _subject(participant, case)
    if not by:
        raise InputError("say who you are: --by NAME")

    async def act(application: Application) -> None:
        await application.holds.lift(subject, by)

    with_application(act)
    say(_console, f"Lifted: {subject.kind} {subject.number}")


@app.command("list")
def list_(
    *, lifted: Annotated[bool, typer.Option("--lifted", help="And those that were lifted.")] = False
) -> None:
    """The holds that stand, oldest first."""

    async def act(application: Application) -> list[Hold]:
        return await application.holds.listed(lifted=lifted)

    holds = with_application(act)
    if not holds:
        say(_console, "Nothing is under hold.")
        return
    table = new_table("Legal holds")
    for heading in ("of", "number", "placed", "by", "why", "lifted", "by"):
        table.add_column(heading, overflow="fold")
    for each in holds:
        placed = (moment(each.placed_at), each.placed_by, each.why)
        ended = (moment(each.lifted_at), each.lifted_by or "–")
        add_row(table, each.subject.kind, each.subject.number, *placed, *ended)
    show_table(_console, table)


def _subject(participant: str | None, case: str | None) -> Subject:
    if participant is not None and case is None:
        return Subject("participant", participant)
    if case is not None and participant is None:
        return Subject("case", case)
    raise InputError("name either --participant ID or --case NUMBER")
