"""Which payments a reader asks for, out of the address of the page: one way, a case, and dates."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Self
from urllib.parse import urlencode

from engine.caseload.payments import Choice, Direction
from engine.portal.pages.messages import number

CASE_MOST: Final = 2**63 - 1
_TYPED_MOST: Final = 40
_FIRST_YEAR: Final = 1950
_LAST_YEAR: Final = 2100
_ISO: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
# Month before day in both languages: so are dates written on every paper a Californian gets.
_AMERICAN: Final = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")


class ChoiceFault(StrEnum):
    """What is wrong with the dates; templates/portal/payments.html has the words."""

    FROM_UNREADABLE = "from_unreadable"
    TO_UNREADABLE = "to_unreadable"
    CROSSED = "crossed"


@dataclass(frozen=True, slots=True)
class PaymentChoice:
    """The filter as it was asked for: dates stay as they were typed, to be shown again."""

    direction: Direction
    case_id: int | None
    since: str
    until: str

    @classmethod
    def of(cls, query: Mapping[str, str], usual: Direction) -> Self | None:
        """The choice that an address says; None for an address that no form of ours makes."""
        way, case = query.get("way", ""), query.get("case", "")
        if way not in {"", *Direction}:
            return None
        case_id = number(case, CASE_MOST) if case else None
        if case and case_id is None:
            return None
        typed = (query.get(name, "").strip()[:_TYPED_MOST] for name in ("from", "to"))
        return cls(Direction(way) if way else usual, case_id, *typed)

    @property
    def narrowed(self) -> bool:
        """Whether anything is asked for besides a way."""
        return bool(self.case_id or self.since or self.until)

    def faults(self) -> dict[str, ChoiceFault]:
        """Field → what is wrong with it."""
        found = {}
        if self.since and read_day(self.since) is None:
            found["from"] = ChoiceFault.FROM_UNREADABLE
        if self.until and read_day(self.until) is None:
            found["to"] = ChoiceFault.TO_UNREADABLE
        since, until = read_day(self.since), read_day(self.until)
        if since and until and since > until:
            found["to"] = ChoiceFault.CROSSED
        return found

    def chosen(self) -> Choice:
        """What to look for, of a choice without faults."""
        return Choice(self.direction, self.case_id, read_day(self.since), read_day(self.until))

    def address(self, direction: Direction | None = None) -> str:
        """The query part of an address that asks for the same, or for the other way."""
        said = {
            "way": direction or self.direction,
            "case": str(self.case_id or ""),
            "from": self.since,
            "to": self.until,
        }
        return urlencode({name: value for name, value in said.items() if value})


def read_day(typed: str) -> date | None:
    """`11/23/2026`, or `2026-11-23` as a browser's own date field says it; None for others."""
    if found := _ISO.fullmatch(typed):
        year, month, day = map(int, found.groups())
    elif found := _AMERICAN.fullmatch(typed):
        month, day, year = map(int, found.groups())
    else:
        return None
    try:
        read = date(year, month, day)
    except ValueError:
        return None
    return read if _FIRST_YEAR <= read.year <= _LAST_YEAR else None
