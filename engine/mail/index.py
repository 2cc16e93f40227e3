"""`index.csv`: one row a piece, in the contract's columns."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from engine.errors import InputError
from engine.mail.contract import UUID_PATTERN
from engine.mail.letters import LetterLanguage


class RefusedCellError(InputError):
    """A cell would be taken for a formula, or breaks its row; its piece is held, and nothing of
    the cell is changed."""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A piece. The fields stand in the order of the columns; what does not apply is empty.

    `address_flags` is empty or `CONFIDENTIAL`. `sheet_mark` is the mark on the piece's first sheet.
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
_NUMBER: Final = "^[1-9][0-9]*$"
_CELL: Final = r"^([^=+\-@\x00-\x1f][^\x00-\x1f]*)?$"
_FILLED: Final = r"^[^=+\-@\x00-\x1f][^\x00-\x1f]*$"
_PATTERNS: Final = {
    "seq": _NUMBER,
    "piece_id": UUID_PATTERN,
    "part_file": r"^part-[0-9]{3}\.pdf$",
    "first_page": "^([1-9][0-9]*)?[13579]$",
    "page_count": "^([2468]|[1-9][0-9]*[02468])$",
    "template_id": _FILLED,
    "template_version": _FILLED,
    "sheet_count": _NUMBER,
    "lang": "^(en|es|both)$",
    "mail_class": "^first_class$",
    "name": _FILLED,
    "addr1": _FILLED,
    "city": _FILLED,
    "state": "^[A-Z]{2}$",
    "zip5": "^[0-9]{5}$",
    "zip4": "^([0-9]{4})?$",
    "address_flags": "^(CONFIDENTIAL)?$",
    "imb31": "^([0-9]{20}|[0-9]{25}|[0-9]{29}|[0-9]{31})?$",
    "sheet_mark": r"^1\|[a-z0-9_]+\|[1-9][0-9]*\|1\|[1-9][0-9]*$",
}
_FORMULA: Final = ("=", "+", "-", "@")


def row_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a row, by column, as the text that stands in its cells."""
    return {
        "title": "IndexRow",
        "description": "One row of index.csv; every cell is text.",
        "type": "object",
        "properties": {
            column: {"type": "string", "pattern": _PATTERNS.get(column, _CELL)}
            for column in COLUMNS
        },
        "required": list(COLUMNS),
        "additionalProperties": False,
    }


class IndexFile:
    """The file as it grows: a header, then the rows (UTF-8, RFC 4180)."""

    def __init__(self) -> None:
        self._content = bytearray(_lines([COLUMNS]))

    def add(self, rows: Sequence[IndexRow]) -> None:
        """Write more rows.

        Raises RefusedCellError for a cell that a spreadsheet would take for a formula: it is
        refused and not escaped, because an escaped name is another name.
        """
        for row in rows:
            if column := refused_cell(row):
                raise RefusedCellError(
                    f"index.csv, piece {row.piece_id}: {column} may not stand there"
                )
        self._content += _lines([getattr(row, column) for column in COLUMNS] for row in rows)

    def content(self) -> bytes:
        """The file's bytes."""
        return bytes(self._content)


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def refused_cell(row: IndexRow) -> str | None:
    """The first column of `row` whose cell may not stand in the file, or None."""
    return next((column for column in COLUMNS if refused(str(getattr(row, column)))), None)


def refused(cell: str) -> bool:
    """Whether a spreadsheet would take `cell` for a formula, or a control character is in it."""
    return cell[:1] in _FORMULA or any(ord(character) < 0x20 for character in cell)
