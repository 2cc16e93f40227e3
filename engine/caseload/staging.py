"""How a caseload file is staged: as it is read, but for what is personal, which is sealed before it
reaches the database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.caseload import personal
from engine.caseload.cells import Value
from engine.caseload.columns import CaseloadFile
from engine.caseload.personal import LINE_FIELDS
from engine.caseload.reading import Row
from engine.security.sealed_columns import Personal

Cells = Mapping[str, Value | None]
Staged = tuple[Value | Personal | None, ...]


@dataclass(frozen=True, slots=True)
class Staging:
    """The columns of a file's staging table, name → type, and how a row is put into it."""

    file: CaseloadFile
    columns: Mapping[str, str]
    take: Callable[[Row], Staged]


def _names(cells: Cells) -> Personal | None:
    if not all((cells["participant_id"], cells["first_name"], cells["last_name"])):
        return None
    return personal.names(
        str(cells["participant_id"]), str(cells["first_name"]), str(cells["last_name"])
    )


def _contact(cells: Cells) -> Personal | None:
    if not (cells["participant_id"] and cells["kind"]):
        return None
    return personal.contact(
        str(cells["participant_id"]),
        str(cells["kind"]),
        cells,
        substitute=bool(cells["substitute"]),
    )


_SEALED: Final[Mapping[str, tuple[frozenset[str], Callable[[Cells], Personal | None]]]] = {
    "participants.csv": (frozenset({"first_name", "last_name"}), _names),
    "contact_points.csv": (frozenset(LINE_FIELDS), _contact),
}


def staging(file: CaseloadFile) -> Staging:
    """How `file` is staged; what is sealed of it is its last column, `personal`."""
    types = {column.name: column.rule.sql_type for column in file.columns}
    if file.name not in _SEALED:
        return Staging(file, types, lambda row: row)
    sealed, seal = _SEALED[file.name]
    kept = [number for number, name in enumerate(types, 1) if name not in sealed]

    def take(row: Row) -> Staged:
        cells = dict(zip(types, row[1:], strict=True))
        return (row[0], *(row[number] for number in kept), seal(cells))

    columns = {name: str(sql) for name, sql in types.items() if name not in sealed}
    return Staging(file, columns | {"personal": "json"}, take)
