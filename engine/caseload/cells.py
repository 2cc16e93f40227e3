"""What one cell of a caseload file may hold: each rule says it in words and reads it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final, Literal

from email_validator import EmailNotValidError, validate_email

SqlType = Literal["text", "boolean", "date", "timestamptz", "bigint"]
Value = str | bool | int | date | datetime

FIRST_YEAR: Final = 1950
LAST_YEAR: Final = 2100
STATES: Final = (
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL",
    "IN", "IA", "KS", "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE",
    "NV", "NH", "NJ", "NM", "NY", "NC", "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD",
    "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY", "AS", "GU", "MP", "PR", "VI",
    "FM", "MH", "PW", "AA", "AE", "AP",
)  # fmt: skip
"""USPS Publication 28, appendix B: states, possessions, and the armed forces' AA, AE and AP."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9-]{10}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})")
_DOLLARS = re.compile(r"([0-9]{1,9})(?:\.([0-9]{2}))?")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_PLAIN_LOCAL_PART = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*")
_PHONE_MARKS = re.compile(r"[ ().-]")
_NORTH_AMERICAN = re.compile(r"[2-9][0-9]{2}[2-9][0-9]{6}")
_ABROAD = re.compile(r"\+[1-9][0-9]{7,14}")
_LONGEST_EMAIL = 254


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for a cell that is not empty.

    `allowed` completes the sentence "must be …"; `read` gives the cell's value, or None when the
    rule is broken, so that a reason never repeats what the cell held.
    """

    allowed: str
    sql_type: SqlType
    read: Callable[[str], Value | None]


def digits(count: int) -> Rule:
    """Exactly `count` digits, kept as text: leading zeros count."""

    def read(cell: str) -> str | None:
        return cell if len(cell) == count and cell.isascii() and cell.isdigit() else None

    return Rule(f"{count} digits", "text", read)


def words(*allowed: str) -> Rule:
    """One of a few fixed words."""
    return Rule("one of: " + ", ".join(allowed), "text", {word: word for word in allowed}.get)


def written(most: int, *, letters: bool = False) -> Rule:
    """Words a person wrote, of at most `most` characters.

    A cell that begins like a spreadsheet formula is refused: the print vendor's index, which is
    opened in spreadsheets, refuses it too. So is one with characters that do not print, among
    them those that turn the direction of the text.
    """

    def read(cell: str) -> str | None:
        if len(cell) > most or cell[0] in "=+-@" or not cell.isprintable():
            return None
        return cell if not letters or any(map(str.isalpha, cell)) else None

    kind = "text with a letter in it," if letters else "text"
    return Rule(f"{kind} of at most {most} characters, not beginning with = + - @", "text", read)


def _day(cell: str) -> date | None:
    if not _DAY.fullmatch(cell):
        return None
    try:
        day = date.fromisoformat(cell)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def _moment(cell: str) -> datetime | None:
    if not _MOMENT.fullmatch(cell):
        return None
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def _cents(cell: str) -> int | None:
    found = _DOLLARS.fullmatch(cell)
    if not found:
        return None
    cents = int(found[1]) * 100 + int(found[2] or 0)
    return cents or None


def _cents_or_none(cell: str) -> int | None:
    return _cents(cell) or (0 if _DOLLARS.fullmatch(cell) else None)


def _valid_email(address: str) -> str | None:
    try:
        found = validate_email(
            address, check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError:
        return None
    return found.ascii_email


@lru_cache(maxsize=4096)
def _valid_domain(domain: str) -> str | None:
    whole = _valid_email(f"a@{domain}")
    return whole.partition("@")[2] if whole else None


def _email(cell: str) -> str | None:
    if not cell.isascii():
        return None
    local, _, domain = cell.rpartition("@")
    if not _PLAIN_LOCAL_PART.fullmatch(local):
        return _valid_email(cell)
    known = _valid_domain(domain)
    return f"{local}@{known}" if known and len(cell) <= _LONGEST_EMAIL else None


def _phone(cell: str) -> str | None:
    number = _PHONE_MARKS.sub("", cell)
    home = number.removeprefix("+1") if number.startswith("+1") else number
    if not number.startswith("+") and len(number) == 11:
        home = number.removeprefix("1")
    if _NORTH_AMERICAN.fullmatch(home):
        return f"+1{home}"
    abroad = _ABROAD.fullmatch(number) and not number.startswith("+1")
    return number if abroad else None


def _matching(pattern: str) -> Callable[[str], str | None]:
    compiled = re.compile(pattern)
    return lambda cell: cell if compiled.fullmatch(cell) else None


YES_NO = Rule("yes or no", "boolean", {"yes": True, "no": False}.get)
DAY = Rule(f"a date as YYYY-MM-DD, from {FIRST_YEAR} to {LAST_YEAR}", "date", lru_cache(8192)(_day))
MOMENT = Rule(
    "a date, a time and an offset from UTC, such as 2026-12-09T09:30-08:00", "timestamptz", _moment
)
DOLLARS = Rule(
    "dollars above zero, such as 482.50: no sign, no thousands mark, two decimals or none",
    "bigint",
    _cents,
)
DOLLARS_OR_NONE = Rule(
    "dollars, such as 482.50 or 0: no sign, no thousands mark, two decimals or none",
    "bigint",
    _cents_or_none,
)
TOKEN = Rule(
    "1 to 40 of A-Z, a-z, 0-9, dot, underscore and hyphen, beginning with a letter or digit",
    "text",
    lambda cell: cell if _TOKEN.fullmatch(cell) else None,
)
EMAIL = Rule("an email address in ASCII", "text", _email)
PHONE = Rule("a telephone number: ten digits, or + and the country's code", "text", _phone)
STATE = Rule("a two-letter USPS state code", "text", {state: state for state in STATES}.get)
ZIP5 = Rule("5 digits", "text", _matching("[0-9]{5}"))
ZIP4 = Rule("4 digits", "text", _matching("[0-9]{4}"))
