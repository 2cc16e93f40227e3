"""Time as a value: whoever needs the hour is handed a clock, and every promise is Pacific time."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

PACIFIC = ZoneInfo("America/Los_Angeles")

Clock = Callable[[], datetime]
"""Answers the present moment as an aware datetime."""


def system_clock() -> datetime:
    """The present moment in UTC, from the machine's clock."""
    return datetime.now(UTC)


def pacific_date(moment: datetime) -> date:
    """The calendar day it is in California at an aware `moment`; refuses a naive one."""
    require_aware(moment)
    return moment.astimezone(PACIFIC).date()


def require_aware(moment: datetime) -> datetime:
    """Hand `moment` back, or raise ValueError when it carries no time zone."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError("a moment must carry its time zone")
    return moment
