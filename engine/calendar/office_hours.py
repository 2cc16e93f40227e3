"""When somebody is in: office hours on business days, in Pacific time."""

from datetime import datetime, time
from typing import Final

from engine.calendar.business_days import is_business_day, next_business_day
from engine.calendar.deadlines import OFFICE_CLOSES
from engine.clock import PACIFIC, require_aware

OFFICE_OPENS: Final = time(8)


def is_open(moment: datetime) -> bool:
    """Whether offices are open at an aware `moment`, from the first instant to before the last."""
    local = require_aware(moment).astimezone(PACIFIC)
    return is_business_day(local.date()) and OFFICE_OPENS <= local.time() < OFFICE_CLOSES


def next_opening(moment: datetime) -> datetime:
    """When offices that are closed at `moment` open next; of open ones, when they next do."""
    local = require_aware(moment).astimezone(PACIFIC)
    today = local.date()
    before = is_business_day(today) and local.time() < OFFICE_OPENS
    day = today if before else next_business_day(today)
    return datetime.combine(day, OFFICE_OPENS, tzinfo=PACIFIC)
