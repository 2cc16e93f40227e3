"""A file from the vendor: what its name says, and how its content is read."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from pydantic import ValidationError

from engine.errors import ConnectError, InputError
from engine.mail.contract import BatchName, Record
from engine.mail.vendor.answers import STATUS_COLUMNS, Ack, FinalReport, StatusRow

MOST_BYTES: Final = 64 * 1024 * 1024
"""The most a file may hold, once decrypted."""

Kind = Literal["ack", "status", "final"]

_NAME: Final = re.compile(
    r"(?P<batch>.+)\.(?:(?P<ack>ack)\.json|status\.(?P<status>[0-9]{3})\.csv|(?P<final>final)\.json)"
    r"\.pgp",
    re.ASCII,
)
_BAD_NAME: Final = "its name is not one of the contract's"
_FAULTS_SHOWN: Final = 5
_R = TypeVar("_R", bound=Record)


class RefusedFileError(ConnectError):
    """Something is off in a file from the vendor: nothing of it is applied, it is kept apart, and
    the reason goes back to the vendor."""


@dataclass(frozen=True, slots=True)
class FileName:
    """Which answer a file is: to which batch, and of the statuses the how-manieth."""

    batch: str
    kind: Kind
    number: int | None = None

    @classmethod
    def parse(cls, name: str) -> "FileName":
        """Read a name; RefusedFileError when it is none of the contract's."""
        match = _NAME.fullmatch(name)
        if match is None:
            raise RefusedFileError(_BAD_NAME)
        try:
            batch = str(BatchName.parse(match["batch"]))
        except InputError:
            raise RefusedFileError(_BAD_NAME) from None
        if match["status"] is not None:
            return cls(batch, "status", int(match["status"]))
        return cls(batch, "ack" if match["ack"] else "final")


def read_ack(content: bytes) -> Ack:
    """An ack, by its schema; RefusedFileError says what is off and where, and no value."""
    return _record(Ack, content)


def read_final(content: bytes) -> FinalReport:
    """A final, by its schema; RefusedFileError says what is off and where, and no value."""
    return _record(FinalReport, content)


def read_statuses(content: bytes) -> list[StatusRow]:
    """The rows of a status file, each by its schema; RefusedFileError names row and column."""
    try:
        text = content.decode("utf-8")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise RefusedFileError("not a CSV file in UTF-8") from None
    if not rows or tuple(rows[0]) != STATUS_COLUMNS:
        raise RefusedFileError(f"the header is not {','.join(STATUS_COLUMNS)}")
    read, faults = [], []
    for number, cells in enumerate(rows[1:], 2):
        if len(cells) != len(STATUS_COLUMNS):
            faults.append(f"line {number}: {len(cells)} cells, not {len(STATUS_COLUMNS)}")
            continue
        try:
            read.append(StatusRow.model_validate(dict(zip(STATUS_COLUMNS, cells, strict=True))))
        except ValidationError as error:
            faults.append(f"line {number}: {_said(error)}")
    if faults:
        raise RefusedFileError(shortened(faults))
    return read


def shortened(faults: list[str]) -> str:
    """The first few of `faults` in one line, and how many more there are."""
    more = f"; and {len(faults) - _FAULTS_SHOWN} more" if len(faults) > _FAULTS_SHOWN else ""
    return "; ".join(faults[:_FAULTS_SHOWN]) + more


def _record(kind: type[_R], content: bytes) -> _R:
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise RefusedFileError(_said(error)) from None


def _said(error: ValidationError) -> str:
    """What is wrong and where; a value that was given is never repeated."""
    faults: Iterable[str] = (
        f"{'.'.join(str(part) for part in fault['loc']) or 'the whole'}: "
        f"{fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors(include_input=False, include_context=False, include_url=False)
    )
    return shortened([fault.removeprefix("the whole: ") for fault in faults])
