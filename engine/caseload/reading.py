"""Reading one caseload file: a stream of checked rows, and a fault for every cell that is wrong."""

import csv
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, Final

from engine.caseload.cells import Value
from engine.caseload.columns import CaseloadFile
from engine.errors import ConnectError

_BOM: Final = b"\xef\xbb\xbf"
_LONGEST_LINE: Final = 64 * 1024
_MOST_LINES: Final = 100
"""A row that runs on for longer has lost a quote."""
_REPLACED: Final = "\ufffd"
"""Stands where an earlier conversion lost a letter."""
_UNPRINTABLE: Final = (
    "holds a character that does not print (a control, line-break or direction mark, an unusual"
    " space, bytes that are not UTF-8, or the mark of a letter lost before)"
)
_UNREADABLE: Final = (
    "cannot be read as RFC 4180 from here on: look for a quote without its pair, or a bare carriage"
    " return"
)
_TOO_LONG: Final = f"is longer than {_LONGEST_LINE // 1024} KiB: nothing from here on was read"

Arrange = Callable[[list[str]], tuple[str, ...]]
Row = tuple[Value | None, ...]
"""The line a row begins on, then its values in the documented order, None where empty or wrong."""


def _legible(cell: str) -> bool:
    return cell.isprintable() and _REPLACED not in cell


class UnreadableFileError(ConnectError):
    """The rest of a file cannot be told into rows; what was read of it is not loaded."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where. It never repeats what a cell held.

    `line` counts from 1 as an editor does, and is where the row begins; 0 stands for the whole
    file. `column` is a name, or `#7` for a seventh cell that has none, or empty for a whole row.
    """

    file: str
    line: int
    column: str
    reason: str


@dataclass(slots=True)
class Reading:
    """One file being read. Once `rows` has run dry, the counts and faults are complete.

    `whole` is False where a row could not even be staged, so that what refers to this file
    cannot be judged. Memory is bounded by the faults found.
    """

    file: CaseloadFile
    path: Path
    faults: list[Fault] = field(default_factory=list)
    rows_read: int = 0
    bytes_read: int = 0
    start: int = 1
    whole: bool = True
    _expected: int = 0

    def rows(self) -> Iterator[Row]:
        """Every row that has the right number of cells, checked cell by cell."""
        with self.path.open("rb") as handle:
            reader = csv.reader(self._lines(handle), strict=True)
            try:
                arrange = self._arranged(next(reader, None))
                self.start = reader.line_num + 1
                if arrange is None:
                    return
                for cells in reader:
                    if cells:
                        yield from self._row(self.start, cells, arrange)
                    self.start = reader.line_num + 1
            except csv.Error:
                self._stop(self.start, _UNREADABLE)
            except UnreadableFileError as error:
                self._stop(self.start, str(error))

    def _lines(self, handle: BinaryIO) -> Iterator[str]:
        for number in count(1):
            raw = handle.readline(_LONGEST_LINE)
            if not raw:
                return
            self.bytes_read += len(raw)
            if len(raw) == _LONGEST_LINE and not raw.endswith(b"\n"):
                raise UnreadableFileError(_TOO_LONG)
            if number - self.start > _MOST_LINES:
                raise UnreadableFileError(_UNREADABLE)
            # A byte that is not UTF-8 becomes a surrogate, which does not print: the cell that
            # holds it is refused by name.
            yield (raw.removeprefix(_BOM) if number == 1 else raw).decode(
                "utf-8", "surrogateescape"
            )

    def _stop(self, line: int, reason: str) -> None:
        self.whole = False
        self._fault(line, "", reason)

    def _fault(self, line: int, column: str, reason: str) -> None:
        self.faults.append(Fault(self.file.name, line, column, reason))

    def _arranged(self, header: list[str] | None) -> Arrange | None:
        """How to bring the cells of a row into the documented order; None for a bad header."""
        if not header:
            self._stop(1, "the first line must name the columns")
            return None
        before = len(self.faults)
        for position, name in enumerate(header, 1):
            if name not in self.file.header:
                self._fault(1, f"#{position}", "the header does not name a documented column here")
            elif name in header[: position - 1]:
                self._fault(1, name, "the header names this column twice")
        for column in self.file.columns:
            if column.name not in header and not column.may_lack:
                self._fault(1, column.name, "the header lacks this column")
        if len(self.faults) > before:
            self.whole = False
            return None
        self._expected = len(header)
        # A column that the file lacks is read from the empty cell put after every row's last.
        places = {name: position for position, name in enumerate(header)}
        return itemgetter(*(places.get(name, len(header)) for name in self.file.header))

    def _row(self, line: int, cells: list[str], arrange: Arrange) -> Iterator[Row]:
        expected = self._expected
        self.rows_read += 1
        if len(cells) != expected:
            self.whole = False
            column = f"#{min(len(cells), expected) + 1}"
            self._fault(line, column, f"the row has {len(cells)} cells, the header {expected}")
            return
        yield (line, *self._values(line, arrange([*cells, ""])))

    def _values(self, line: int, cells: tuple[str, ...]) -> list[Value | None]:
        joined = "".join(cells)
        legible, plain = _legible(joined), joined.isascii()
        before = len(self.faults)
        values: list[Value | None] = []
        for column, cell in zip(self.file.columns, cells, strict=True):
            value = None
            if not legible and not _legible(cell):
                self._fault(line, column.name, _UNPRINTABLE)
            elif kept := cell.strip(" "):
                value = column.rule.read(kept if plain else unicodedata.normalize("NFC", kept))
                if value is None:
                    self._fault(line, column.name, f"must be {column.rule.allowed}")
            elif column.required:
                self._fault(line, column.name, "must not be empty")
            values.append(value)
        if self.file.check and len(self.faults) == before:
            row = dict(zip(self.file.header, values, strict=True))
            for name, reason in self.file.check(row):
                self._fault(line, name, reason)
        return values
