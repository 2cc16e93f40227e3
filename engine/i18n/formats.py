"""Dates, hours, amounts and numbers, as Californian readers of each language write them.

Every moment is shown in Pacific time. Money is United States dollars.
"""

from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal

from engine.clock import PACIFIC, pacific_date, require_aware

_TERRITORY: Final = "US"
# Unicode's locale data sets hours off by a narrow no-break space, which many typefaces lack.
_NARROW_SPACE: Final = "\u202f"
_NO_BREAK_SPACE: Final = "\u00a0"


def long_date(day: date, language: str) -> str:
    """`December 9, 2026` or `9 de diciembre de 2026`, of a day or of an aware moment."""
    return _date(_day(day), "long", language)


def full_date(day: date, language: str) -> str:
    """The long date with its weekday, as a line begins: `Miércoles, 9 de diciembre de 2026`."""
    said = _date(_day(day), "full", language)
    return said[0].upper() + said[1:]


def month(day: date, language: str) -> str:
    """The month of a day: `October 2026` or `octubre de 2026`."""
    return _of_a_day(_day(day), "yMMMM", language)


def month_day(day: date, language: str) -> str:
    """A day of a year that is known: `October 6` or `6 de octubre`."""
    return _of_a_day(_day(day), "MMMMd", language)


def clock_time(moment: datetime, language: str) -> str:
    """The hour of an aware moment: `9:30 AM` or `9:30 a.m.`, with a no-break space inside."""
    return _time(require_aware(moment).astimezone(PACIFIC).time(), language)


def money(cents: int, language: str) -> str:
    """A whole number of cents as dollars: `$1,482.50`."""
    return _money(cents, language)


def number(value: int, language: str) -> str:
    """A count: `1,234`."""
    return format_decimal(value, locale=_locale(language))


def _day(day: date) -> date:
    return pacific_date(day) if isinstance(day, datetime) else day


@lru_cache
def _locale(language: str) -> Locale:
    return Locale(language, _TERRITORY)


# A page of payments names few amounts, and each takes a tenth of a millisecond.
@lru_cache(maxsize=8192)
def _money(cents: int, language: str) -> str:
    return format_currency(Decimal(cents) / 100, "USD", locale=_locale(language))


# Of a batch of notices most name the same few days and hours.
@lru_cache(maxsize=1024)
def _date(day: date, style: Literal["long", "full"], language: str) -> str:
    return format_date(day, style, _locale(language))


@lru_cache(maxsize=1024)
def _of_a_day(day: date, skeleton: str, language: str) -> str:
    return format_skeleton(skeleton, day, locale=_locale(language))


@lru_cache(maxsize=1024)
def _time(hour: time, language: str) -> str:
    said = format_time(hour, "short", locale=_locale(language))
    return said.replace(_NARROW_SPACE, _NO_BREAK_SPACE)
