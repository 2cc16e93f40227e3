"""`connect mail check-address`: what would print of an address, and why a letter would be held."""

from typing import Annotated

import typer

from engine.cli.jsonl import answer_lines
from engine.mail.addresses.answers import answer


def check_address(
    *,
    jsonl: Annotated[
        bool,
        typer.Option(
            "--jsonl",
            help="Answer lines of structured fields on standard input, one each, in order.",
        ),
    ] = False,
) -> None:
    """Check mail addresses, one JSON object a line.

    The fields are name, urbanization, addr1, addr2, city, state, zip5, zip4 (or zip) and country,
    as text; confidential, substitute and returned_before, true or false; and window_lines, 3 where
    our barcode is drawn. Each is answered with its lines as they will print, and its flags; no
    flags means that a letter may go there.
    """
    if not jsonl:
        raise typer.BadParameter("give --jsonl, and the addresses on standard input")
    answer_lines(answer)
