"""Dates, hours, amounts and numbers, as Californian readers of each language write them.

Every moment is shown in Pacific time. Money is United States dollars.
"""

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal

from engine.clock import PACIFIC, pacific_date, require_aware

_TERRITORY: Final = "US"
# Unicode's locale data sets hours off by a narrow no-break space, which many typefaces lack.
_NARROW_SPACE: Final = "\u202f"
_NO_BREAK_SPACE: Final = "\u00a0"


@lru_cache
def _locale(language: str) -> Locale:
    return Locale(language, _TERRITORY)


def long_date(day: date, language: str) -> str:
    """`December 9, 2026` or `9 de diciembre de 2026`, of a day or of an aware moment."""
    return format_date(_day(day), "long", _locale(language))


def full_date(day: date, language: str) -> str:
    """The long date with its weekday: `Wednesday, December 9, 2026`."""
    return format_date(_day(day), "full", _locale(language))


def clock_time(moment: datetime, language: str) -> str:
    """The hour of an aware moment: `9:30 AM` or `9:30 a.m.`, with a no-break space inside."""
    pacific = require_aware(moment).astimezone(PACIFIC)
    said = format_time(pacific.time(), "short", locale=_locale(language))
    return said.replace(_NARROW_SPACE, _NO_BREAK_SPACE)


def money(cents: int, language: str) -> str:
    """A whole number of cents as dollars: `$1,482.50`."""
    return format_currency(Decimal(cents) / 100, "USD", locale=_locale(language))


def number(value: int, language: str) -> str:
    """A count: `1,234`."""
    return format_decimal(value, locale=_locale(language))


def _day(day: date) -> date:
    return pacific_date(day) if isinstance(day, datetime) else day
