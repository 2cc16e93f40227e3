"""`index.csv`: one row a piece, in the contract's columns."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final

from engine.errors import InputError
from engine.mail.letters import LetterLanguage


class RefusedCellError(InputError):
    """A cell would be taken for a formula, or breaks its row; its piece is held, and nothing of
    the cell is changed."""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A piece. The fields stand in the order of the columns; what does not apply is empty.

    `address_flags` are joined by a space. `sheet_mark` is the mark on the piece's first sheet.
    """

    seq: int
    piece_id: str
    part_file: str
    first_page: int
    page_count: int
    sheet_count: int
    template_id: str
    template_version: str
    lang: LetterLanguage
    mail_class: str
    name: str
    urbanization: str
    addr1: str
    addr2: str
    city: str
    state: str
    zip5: str
    zip4: str
    address_flags: str
    imb31: str
    sheet_mark: str


COLUMNS: Final = tuple(field.name for field in fields(IndexRow))
_FORMULA: Final = ("=", "+", "-", "@")


def write_index(rows: Iterable[IndexRow]) -> bytes:
    """The file's bytes: a header, then the rows (UTF-8, RFC 4180).

    Raises RefusedCellError for a cell that a spreadsheet would take for a formula: it is refused
    and not escaped, because an escaped name is another name.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        if column := refused_cell(row):
            raise RefusedCellError(f"index.csv, piece {row.piece_id}: {column} may not stand there")
        writer.writerow(getattr(row, column) for column in COLUMNS)
    return text.getvalue().encode()


def refused_cell(row: IndexRow) -> str | None:
    """The first column of `row` whose cell may not stand in the file, or None."""
    return next((column for column in COLUMNS if refused(str(getattr(row, column)))), None)


def refused(cell: str) -> bool:
    """Whether a spreadsheet would take `cell` for a formula, or a control character is in it."""
    return cell[:1] in _FORMULA or any(ord(character) < 0x20 for character in cell)
