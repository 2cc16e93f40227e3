"""What *Forgot PIN?* was sent: every fault of it found at once."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Self, get_args

from engine.caseload.pin_requests import Method

METHODS: Final[tuple[Method, ...]] = get_args(Method)
NAME_MOST: Final = 200
GROUPING: Final = re.compile(r"[\s\-\u2010-\u2015\u2212]+")
"""People group a long number as it is printed: with spaces, hyphens or dashes."""

Field = Literal["first_name", "last_name", "participant_id", "method"]
FIELDS: Final[tuple[Field, ...]] = get_args(Field)


class Fault(StrEnum):
    """What is wrong with a form; templates/portal/forgot_pin.html has the words."""

    FIRST_NAME_MISSING = "first_name_missing"
    FIRST_NAME_UNREADABLE = "first_name_unreadable"
    LAST_NAME_MISSING = "last_name_missing"
    LAST_NAME_UNREADABLE = "last_name_unreadable"
    PARTICIPANT_ID_MISSING = "participant_id_missing"
    PARTICIPANT_ID_WRONG = "participant_id_wrong"
    METHOD_MISSING = "method_missing"
    FORM_EXPIRED = "form_expired"


@dataclass(frozen=True, slots=True)
class PinRequestForm:
    """The form as it was typed; shown again when something is wrong with it."""

    first_name: str = ""
    last_name: str = ""
    participant_id: str = ""
    method: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Self:
        """The form's own fields; a missing one is empty, and others are let be."""
        return cls(**{name: fields.get(name, "") for name in FIELDS})

    @property
    def external_id(self) -> str:
        """The Participant ID Number without the marks that group it."""
        return GROUPING.sub("", self.participant_id)

    def faults(self, participant_id_digits: int) -> dict[str, Fault]:
        """Field → what is wrong with it, in the order of the form; empty when all is well."""
        found: dict[str, Fault] = {}
        if not self.first_name.strip():
            found["first_name"] = Fault.FIRST_NAME_MISSING
        elif not _readable(self.first_name):
            found["first_name"] = Fault.FIRST_NAME_UNREADABLE
        if not self.last_name.strip():
            found["last_name"] = Fault.LAST_NAME_MISSING
        elif not _readable(self.last_name):
            found["last_name"] = Fault.LAST_NAME_UNREADABLE
        digits = self.external_id
        if not digits:
            found["participant_id"] = Fault.PARTICIPANT_ID_MISSING
        elif not (digits.isascii() and digits.isdigit() and len(digits) == participant_id_digits):
            found["participant_id"] = Fault.PARTICIPANT_ID_WRONG
        if self.method not in METHODS:
            found["method"] = Fault.METHOD_MISSING
        return found

    def chosen_method(self) -> Method:
        """The method, of a form without faults."""
        return "mail" if self.method == "mail" else "email"


def _readable(name: str) -> bool:
    return len(name) <= NAME_MOST and not any(unicodedata.category(mark) == "Cc" for mark in name)


def counted_as(name: str) -> str:
    """A name's letters and digits alone: whatever may match one participant counts as one.

    It is coarser than the comparison that decides a match, so that spelling a name in many ways
    wins no more requests than spelling it in one.
    """
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(mark for mark in decomposed if mark.isalnum())
