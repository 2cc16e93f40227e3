"""`connect applications`: what waits for the case system, and handing it over as JSON."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from engine.applications.exporting import Exported, Waiting
from engine.applications.numbers import as_typed, written
from engine.bootstrap import Application
from engine.cli.opening import with_application
from engine.cli.plain import moment, say
from engine.cli.signing import By
from engine.errors import InputError

app = typer.Typer(
    help="Applications for services: what waits, and handing it to the case system.",
    no_args_is_help=True,
)
_console: Final = Console()


@app.command("waiting")
def waiting() -> None:
    """How many were submitted, and how many wait to be handed over; no name, no number."""

    async def count(application: Application) -> Waiting:
        return await application.exports.standing()

    found = with_application(count)
    since = f", the oldest since {moment(found.oldest)}" if found.oldest else ""
    say(_console, f"{found.submitted:,} submitted; {found.waiting:,} wait{since}.")


@app.command("export")
def export(
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="A folder of the case system.")],
    by: By,
    *,
    number: Annotated[
        str | None, typer.Option("--number", help="Only the application of this number.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="One that was handed over before, once more.")
    ] = False,
) -> None:
    """Write what waits into one file of the folder, its documents beside it, and mark it as handed
    over. docs/applications.md says what is in it."""
    if not by:
        raise InputError("say who you are: --by NAME")
    asked = None if number is None else as_typed(number)
    if number is not None and asked is None:
        raise InputError("--number: 12 digits; one of these is wrong, or missing")

    async def act(application: Application) -> Exported:
        return await application.exports.export(to, by, number=asked, again=again)

    done = with_application(act)
    if done.file is None:
        say(_console, "Nothing waits.")
        return
    for each in done.numbers:
        say(_console, written(each))
    say(_console, f"{len(done.numbers):,} handed over: {done.file}")
