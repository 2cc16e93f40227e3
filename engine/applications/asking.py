"""What an application asks, as data: a question says how it is typed, read and shown again.

The words of each, and the reason for its being asked, are under its key in
templates/portal/apply/application_words.html. A Social Security Number is not asked for and not
kept: one that is typed anyway is refused (the glossary's reading of PUB 302).
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Literal

from engine.caseload.cells import Rule

Control = Literal["line", "lines", "day", "one", "many", "select"]
"""A line of text, several, a date in three parts, one of a few, several of a few, one of a list."""
Value = str | list[str]
Values = Mapping[str, Value]
DAY_PARTS: Final = ("month", "day", "year")
LINES_MOST: Final = 1_000
_FIRST_YEAR: Final = 1900
_SSN: Final = re.compile(r"(?<![0-9])[0-9]{3}[- .][0-9]{2}[- .][0-9]{4}(?![0-9])")


class Fault(StrEnum):
    """What is wrong with an answer; templates/portal/apply/application_words.html has the words."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    CHOOSE = "choose"
    DAY_WRONG = "day_wrong"
    DAY_TO_COME = "day_to_come"
    PHONE_WRONG = "phone_wrong"
    EMAIL_WRONG = "email_wrong"
    STATE_WRONG = "state_wrong"
    ZIP_WRONG = "zip_wrong"
    AGE_WRONG = "age_wrong"
    DOLLARS_WRONG = "dollars_wrong"
    NUMBER_WRONG = "number_wrong"
    SSN = "ssn"
    """Looks like a Social Security Number."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `reason` is the key of the words that say why it is asked, where that is not
    its own: the parts of an address have one reason between them; `written` writes a kept line as
    people do."""

    key: str
    control: Control = "line"
    rule: Rule | None = None
    wrong: Fault = Fault.UNREADABLE
    required: bool = True
    choices: tuple[str, ...] = ()
    reason: str = ""
    autocomplete: str = "off"
    inputmode: str = ""
    width: str = "xl"
    written: Callable[[str], str] = str

    @property
    def why(self) -> str:
        """The key of its reason."""
        return self.reason or self.key

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of its form fields: a date has three, a list of boxes one for each."""
        if self.control == "day":
            return tuple(f"{self.key}_{part}" for part in DAY_PARTS)
        if self.control == "many":
            return tuple(f"{self.key}_{choice}" for choice in self.choices)
        return (self.key,)

    def typed(self, value: Value | None) -> dict[str, str]:
        """A kept answer as its form fields hold it."""
        if self.control == "day":
            year, month, day = str(value or "--").split("-")
            return dict(zip(self.fields, (month, day, year), strict=True))
        if self.control == "many":
            chosen = value or []
            return {
                field: "yes" if choice in chosen else ""
                for field, choice in zip(self.fields, self.choices, strict=True)
            }
        return {self.key: self.written(str(value or ""))}

    def read(self, typed: Mapping[str, str], today: date) -> Value | Fault | None:
        """The answer in the form's fields: a value, what is wrong with it, or None for none."""
        if self.control == "many":
            chosen = [c for c in self.choices if typed.get(f"{self.key}_{c}") == "yes"]
            return chosen or (Fault.CHOOSE if self.required else None)
        texts = [_tidy(typed.get(field, "")) for field in self.fields]
        if not any(texts):
            if not self.required:
                return None
            return Fault.CHOOSE if self.choices else Fault.MISSING
        if self.control == "day":
            return _day(texts, today)
        return self._text(texts[0])

    def _text(self, text: str) -> Value | Fault:
        if self.choices:
            return text if text in self.choices else Fault.CHOOSE
        if _SSN.search(text):
            return Fault.SSN
        if self.control == "lines":
            return text if _is_prose(text) else Fault.UNREADABLE
        value = self.rule.read(text) if self.rule else text
        return self.wrong if value is None else str(value)


Together = Callable[[Mapping[str, Value]], Mapping[str, Fault]]


def nothing(_values: Values) -> Mapping[str, Fault]:
    return {}


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a page's form: the values, and question → fault."""

    values: dict[str, Value]
    faults: dict[str, Fault]


def read_answers(
    questions: tuple[Question, ...],
    typed: Mapping[str, str],
    today: date,
    together: Together = nothing,
) -> Read:
    """Every answer and every fault at once; `together` is asked when each stands by itself."""
    read = Read({}, {})
    for question in questions:
        match question.read(typed, today):
            case Fault() as fault:
                read.faults[question.key] = fault
            case None:
                pass
            case value:
                read.values[question.key] = value
    if not read.faults:
        read.faults.update(together(read.values))
    return read


def _tidy(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()


def _is_prose(text: str) -> bool:
    return len(text) <= LINES_MOST and all(
        mark in "\n\t" or unicodedata.category(mark) not in {"Cc", "Cs", "Cf"} for mark in text
    )


def _day(texts: list[str], today: date) -> Value | Fault:
    month, day, year = texts
    whole = all(part.isascii() and part.isdigit() for part in texts) and len(year) == 4
    if not whole or max(len(month), len(day)) > 2:
        return Fault.DAY_WRONG
    try:
        value = date(int(year), int(month), int(day))
    except ValueError:
        return Fault.DAY_WRONG
    if value.year < _FIRST_YEAR:
        return Fault.DAY_WRONG
    return Fault.DAY_TO_COME if value > today else value.isoformat()
