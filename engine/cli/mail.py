"""`connect mail`: what the mail room checks for a person, or for a program by the thousand."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from engine.bootstrap import Application
from engine.cli.check_address import check_address
from engine.cli.jsonl import answer_lines
from engine.cli.opening import with_application
from engine.cli.plain import add_row, new_table, say, show_table
from engine.cli.signing import By, Why
from engine.clock import pacific_date
from engine.communications.held import Held
from engine.errors import InputError
from engine.mail.acts import Signed
from engine.mail.barcode import encode
from engine.mail.returned_list import Returned

app = typer.Typer(help="Barcodes, addresses, and what waits for a person.", no_args_is_help=True)
_console: Final = Console()

app.command("check-address")(check_address)

_FIELDS: Final = ("tracking", "routing")


@app.callback()
def mail() -> None:
    """Barcodes, addresses, and what waits for a person."""


@app.command()
def barcode(
    tracking: Annotated[
        str | None,
        typer.Option(help="20 digits: barcode identifier, service type, mailer id, serial number."),
    ] = None,
    routing: Annotated[str, typer.Option(help="A ZIP Code of 5, 9 or 11 digits, or nothing.")] = "",
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl",
            help='Answer lines of {"tracking": …, "routing": …} on standard input, '
            "one each, in order.",
        ),
    ] = False,
) -> None:
    """Say which bars an Intelligent Mail barcode has.

    They are 65, left to right: F full, A ascender, D descender, T tracker.
    """
    if jsonl:
        answer_lines(_bars)
        return
    if tracking is None:
        raise typer.BadParameter("give --tracking, or --jsonl")
    print(encode(tracking, routing))


def _bars(asked: dict[str, Any]) -> dict[str, str]:
    for field in _FIELDS:
        if not isinstance(asked.get(field), str):
            raise InputError(f'"{field}" must be there, and be a string of digits')
    return {"bars": encode(asked["tracking"], asked["routing"])}


@app.command()
def returned(
    file: Annotated[
        Path,
        typer.Argument(
            help="One letter a line: what the scanner reads of its sheet mark, or its piece id, or "
            "the digits of our barcode; then a comma and an address code, where it is known.",
        ),
    ],
    why: Why,
    by: By,
) -> None:
    """Take in a list of letters that came back: nothing more is posted to those addresses."""

    async def act(application: Application) -> Returned:
        return await application.returned_mail.apply(file, Signed(by, why))

    result = with_application(act)
    say(
        _console,
        f"{file.name}: {result.lines} line(s), {result.returned} letter(s) came back, "
        f"{result.known} known already.",
    )
    if result.by_email:
        say(_console, f"{result.by_email} go on by email.")
    if result.returned > result.by_email:
        say(_console, "The others are a caseworker's task: connect mail held")


@app.command()
def held() -> None:
    """What waits for a person: why, whose task it is, and how long there is left."""

    async def act(application: Application) -> tuple[list[Held], date]:
        return await application.held.tasks(), pacific_date(application.clock())

    tasks, today = with_application(act)
    if not tasks:
        say(_console, "Nothing is held.")
        return
    show_table(_console, _held_table(tasks, today))
    say(_console, "When it is mended: connect mail send-on ID… --why …, or --all for everything")


@app.command("send-on")
def send_on(
    why: Why,
    by: By,
    communications: Annotated[
        list[int] | None, typer.Argument(help="As `connect mail held` numbers them.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that is held.")] = False,
) -> None:
    """Try again what a person has mended, on the channel on which it stopped."""
    if bool(communications) == everything:
        raise typer.BadParameter("give the numbers of communications, or --all")

    async def act(application: Application) -> int:
        return await application.by_hand.send_on(
            application.held, None if everything else communications, Signed(by, why)
        )

    say(
        _console,
        f"{with_application(act)} communication(s) go on. What was not mended is held again: "
        "connect mail held",
    )


def _held_table(tasks: Sequence[Held], today: date) -> Table:
    table = new_table("Held, soonest due first")
    for name in ("id", "notice", "by", "why", "whose task", "due by", "days left"):
        table.add_column(name, overflow="fold", justify="right" if name == "days left" else "left")
    for task in tasks:
        left = (task.due_by - today).days
        add_row(
            table,
            str(task.communication_id),
            task.notice,
            task.channel,
            task.reason or "",
            task.given_to or "",
            str(task.due_by),
            str(left) if left >= 0 else f"{-left} late",
            style="red" if left < 0 else "",
        )
    return table
