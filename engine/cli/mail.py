"""`connect mail`: what the mail room checks for a person, or for a program by the thousand."""

from typing import Annotated, Any, Final

import typer

from engine.cli.check_address import check_address
from engine.cli.jsonl import answer_lines
from engine.errors import InputError
from engine.mail.barcode import encode

app = typer.Typer(help="Barcodes, addresses and returned letters.", no_args_is_help=True)

app.command("check-address")(check_address)

_FIELDS: Final = ("tracking", "routing")


@app.callback()
def mail() -> None:
    """Barcodes, addresses and returned letters."""


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
