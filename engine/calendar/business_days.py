"""Counting the days on which the state's offices are open."""

from datetime import date, timedelta
from functools import lru_cache

from engine.calendar.closures import closure_on
from engine.errors import InputError

MOST_DAYS = 1000
"""About four years of business days; a longer count is a slip of somebody's, and refused."""

_ONE_DAY = timedelta(days=1)


def is_business_day(day: date) -> bool:
    """Whether offices are open on `day`."""
    return closure_on(day) is None


def next_business_day(day: date) -> date:
    """The first business day after `day`, whether or not `day` is one."""
    return _open_from(day + _ONE_DAY)


@lru_cache(maxsize=16_384)
def add_business_days(day: date, days: int) -> date:
    """The business day that is `days` after `day`.

    A closed day counts as the business day it leads to: from a Saturday, 0 days is Monday and 1
    day is Tuesday. So counts may be added up: first a, then b, is a + b. Raises InputError unless
    0 ≤ days ≤ MOST_DAYS.
    """
    if not 0 <= days <= MOST_DAYS:
        raise InputError(f"business days must be between 0 and {MOST_DAYS}, not {days}")
    reached = _open_from(day)
    for _ in range(days):
        reached = next_business_day(reached)
    return reached


def business_days_between(start: date, end: date) -> int:
    """How many business days lie after `start`, up to and including `end`.

    From a business day it undoes `add_business_days`. When `end` is before `start` the same days
    are counted as a negative number.
    """
    if end < start:
        return -business_days_between(end, start)
    days = (start + timedelta(days=ahead) for ahead in range(1, (end - start).days + 1))
    return sum(is_business_day(day) for day in days)


def _open_from(day: date) -> date:
    while not is_business_day(day):
        day += _ONE_DAY
    return day
