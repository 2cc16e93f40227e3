"""The file that says whom to tell what: a participant's number a row, and the notice's facts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import AwareDatetime, ValidationError
from pydantic.fields import FieldInfo

from engine.caseload.cells import DAY, MOMENT, Rule, Value, digits, words, written
from engine.caseload.columns import CaseloadFile, Column, Rules
from engine.caseload.reading import Fault, Reading
from engine.communications.catalogue import MONTHLY_STATEMENT, LegalClass, Notice, Urgency
from engine.errors import InputError

PARTICIPANT: Final = "participant_id"
_OWN_FACTS: Final = frozenset({"payment_notice", "document_ready"})
CENTS_MOST: Final = 10**12
"""An amount is smaller than this."""
_WRITTEN_MOST: Final = 200

StagedRow = tuple[int, str, str]
"""A line, the participant's number on it, and the facts but for the name, as JSON."""


def refusal(notice: Notice) -> str | None:
    """Why `notice` is not told to many from a file; None where it may be."""
    if notice.carries_secret:
        return "it carries a secret, which is made for one participant at a time"
    if notice.legal is LegalClass.COURT:
        return "it is about a hearing, and is recorded with the hearing"
    if notice is MONTHLY_STATEMENT:
        return "its payments are the caseload's own: connect statements records it"
    if notice.urgency is Urgency.URGENT or notice.key not in _OWN_FACTS:
        return "it tells of what became of one participant, and is recorded with that"
    return None


def query_file(name: str, notice: Notice, rules: Rules) -> CaseloadFile:
    """What a file for `notice` holds: the number, and a column for each fact but the name.

    Raises InputError, which says why, for a notice that is not told to many from a file.
    """
    if reason := refusal(notice):
        raise InputError(f"{notice.key} is not told from a file: {reason}")
    facts = {key: each for key, each in notice.facts.model_fields.items() if key != "name"}
    columns = [
        Column(PARTICIPANT, digits(rules.participant_id_digits), "the Participant ID Number"),
        *(Column(key, fact_rule(key, each, rules), "a fact") for key, each in facts.items()),
    ]
    return CaseloadFile(name, f"whom to tell {notice.key}", (PARTICIPANT,), tuple(columns))


@dataclass(slots=True)
class QueryFile:
    """A file being read. Once `rows` has run dry, `faults` names every bad cell."""

    path: Path
    notice: Notice
    rules: Rules
    _reading: Reading = field(init=False)
    _unfit: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Raises InputError for a notice that is not told from a file, and where there is none."""
        self._reading = Reading(query_file(self.path.name, self.notice, self.rules), self.path)
        if not self.path.is_file():
            raise InputError(f"{self.path.name} cannot be read")

    @property
    def faults(self) -> list[Fault]:
        """What is wrong, in the order of the lines."""
        return sorted([*self._reading.faults, *self._unfit], key=lambda fault: fault.line)

    @property
    def share_read(self) -> float:
        """How much of the file is behind us, from 0 to 1."""
        return self._reading.bytes_read / max(1, self.path.stat().st_size)

    def rows(self) -> Iterator[StagedRow]:
        """Each row that has no fault of its own."""
        names = self._reading.file.header[1:]
        for row in self._reading.rows():
            line, number, *values = row
            if number is None or None in values:
                continue
            facts = self._facts(int(str(line)), dict(zip(names, values, strict=True)))
            if facts is not None:
                yield int(str(line)), str(number), facts

    def _facts(self, line: int, values: Mapping[str, Value | None]) -> str | None:
        try:
            facts = self.notice.facts.model_validate({"name": "–", **values})
        except ValidationError as error:
            self._unfit += [
                Fault(self.path.name, line, str(each["loc"][0]), each["type"].replace("_", " "))
                for each in error.errors(include_input=False, include_url=False)
            ]
            return None
        return facts.model_dump_json(exclude={"name"})


def _cents(cell: str) -> int | None:
    if not (cell.isascii() and cell.isdigit()):
        return None
    return int(cell) if 0 < int(cell[:16]) < CENTS_MOST and len(cell) < 16 else None


CENTS: Final = Rule("a whole number of cents above zero, such as 48250", "bigint", _cents)


def fact_rule(name: str, info: FieldInfo, rules: Rules) -> Rule:
    """What the fact `name` of a notice may be."""
    kind: Any = info.annotation
    if name == "case_number":
        return digits(rules.case_number_digits)
    if get_origin(kind) is Literal:
        return words(*get_args(kind))
    if kind is date:
        return DAY
    if kind is AwareDatetime:
        return MOMENT
    return CENTS if kind is int else written(_WRITTEN_MOST)
