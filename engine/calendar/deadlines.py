"""By which business day something asked for is due.

Everything is Pacific time. The business day on which a request counts is day zero, and the due
day is so many business days after it:

- Asked on a business day, at any time up to 17:00:00 exactly, it counts that day: what comes in
  before the doors open at 8:00 is dealt with when they do.
- Asked any later that day, or on a closed day, it counts on the next business day. Office hours
  include their last instant, because the promise is made of what is asked for *later*.

So what is asked at 16:59 on the eve of Thanksgiving 2026 with one day to go is due on Monday; what
is asked two minutes later counts on that Monday, and is due on Tuesday.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from engine.calendar.business_days import add_business_days
from engine.calendar.closures import FIRST_YEAR, LAST_YEAR, Closure, closure_on
from engine.clock import PACIFIC
from engine.errors import InputError

OFFICE_CLOSES: Final = time(17)

_ONE_DAY: Final = timedelta(days=1)
_KNOWN_FROM: Final = datetime(FIRST_YEAR, 1, 1, tzinfo=PACIFIC).astimezone(UTC)
_KNOWN_UNTIL: Final = datetime(LAST_YEAR + 1, 1, 1, tzinfo=PACIFIC).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Counted:
    """How a due day came about.

    `asked_on` is the Pacific day of the request, `counted_from` the business day it counts on,
    `stepped_over` every closed day from `asked_on` to `due`, in order, weekends among them.
    """

    asked_on: date
    after_hours: bool
    counted_from: date
    due: date
    stepped_over: tuple[Closure, ...]


def due_by(requested_at: datetime, days: int) -> date:
    """The business day by which something asked for at `requested_at` is due, `days` later.

    Raises InputError for a moment without an offset or outside the years whose closures are known,
    and for days that are not a whole number from 0 to MOST_DAYS.
    """
    return add_business_days(_day_zero(_pacific(requested_at)), _whole(days))


def explain(requested_at: datetime, days: int) -> Counted:
    """The same answer as `due_by`, with how it was counted; the same errors."""
    asked = _pacific(requested_at)
    asked_on, day_zero = asked.date(), _day_zero(asked)
    due = add_business_days(day_zero, _whole(days))
    span = (asked_on + timedelta(days=ahead) for ahead in range((due - asked_on).days))
    return Counted(
        asked_on=asked_on,
        after_hours=_after_hours(asked) and closure_on(asked_on) is None,
        counted_from=add_business_days(day_zero, 0),
        due=due,
        stepped_over=tuple(filter(None, map(closure_on, span))),
    )


def _pacific(requested_at: datetime) -> datetime:
    if requested_at.tzinfo is None or requested_at.utcoffset() is None:
        raise InputError(
            "the moment of a request must carry its offset from UTC, like 2026-11-25T16:59-08:00"
        )
    if not _KNOWN_FROM <= requested_at < _KNOWN_UNTIL:
        raise InputError(
            f"state closures are known from {FIRST_YEAR} to {LAST_YEAR}, not in {requested_at.year}"
        )
    return requested_at.astimezone(PACIFIC)


def _day_zero(asked: datetime) -> date:
    """The day to count from; it may be a closed one, which counts as the day it leads to."""
    return asked.date() + _ONE_DAY if _after_hours(asked) else asked.date()


def _after_hours(asked: datetime) -> bool:
    return asked.time() > OFFICE_CLOSES


def _whole(days: int) -> int:
    if isinstance(days, bool) or not isinstance(days, int):
        raise InputError("business days must be a whole number")
    return days
