"""How commands speak: lines that are never folded, so that a name can be copied, and tables; what
comes from a person or a vendor is never read as markup."""

from datetime import datetime
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.clock import PACIFIC

_WIDE: Final = 250
"""Columns of a file or a pipe: a table there is read by a program, or scrolled."""


def say(console: Console, line: str, style: str = "") -> None:
    """Print one line, or several, as they are."""
    console.print(Text(line, style=style), soft_wrap=True)


def new_table(title: str, style: str = "") -> Table:
    """An empty table without lines."""
    return Table(
        title=Text(title, style=style),
        title_justify="left",
        box=box.SIMPLE,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_edge=False,
        caption_justify="left",
    )


def add_row(table: Table, *cells: str, style: str = "") -> None:
    """Add a row of plain text."""
    table.add_row(*(Text(cell) for cell in cells), style=style)


def show_table(console: Console, table: Table) -> None:
    """Print a table: at the terminal's width, or as wide as it needs where there is none."""
    wide = console if console.is_terminal else Console(width=_WIDE, file=console.file)
    wide.print(table)


def moment(at: datetime | None) -> str:
    """A moment in Pacific time, to the minute; a dash for none."""
    return "–" if at is None else f"{at.astimezone(PACIFIC):%Y-%m-%d %H:%M}"


def number(value: int | None) -> str:
    """A number, or a dash for none."""
    return "–" if value is None else str(value)
