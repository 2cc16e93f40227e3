"""When somebody is in: office hours on business days, in Pacific time."""

from datetime import datetime

import pytest

from engine.calendar.office_hours import is_open, next_opening
from engine.clock import PACIFIC


@pytest.mark.parametrize(
    ("moment", "is_in", "opens"),
    [
        ("2026-11-23T07:59:59", False, "2026-11-23T08:00"),
        ("2026-11-23T08:00", True, "2026-11-24T08:00"),
        ("2026-11-23T16:59:59", True, "2026-11-24T08:00"),
        ("2026-11-23T17:00", False, "2026-11-24T08:00"),
        ("2026-11-25T17:01", False, "2026-11-30T08:00"),  # Thanksgiving and the day after it
        ("2026-11-28T12:00", False, "2026-11-30T08:00"),
        ("2026-11-01T12:00", False, "2026-11-02T08:00"),  # clocks were put back that night
    ],
)
def test_offices_are_open_on_business_days_from_eight_to_five(
    moment: str, is_in: bool, opens: str
) -> None:
    """By the clock of California, whichever offset it has that day."""
    at = datetime.fromisoformat(moment).replace(tzinfo=PACIFIC)
    assert is_open(at) == is_in
    assert next_opening(at) == datetime.fromisoformat(opens).replace(tzinfo=PACIFIC)


def test_a_moment_without_a_zone_is_refused() -> None:
    """Nobody knows when it is."""
    with pytest.raises(ValueError, match="time zone"):
        is_open(datetime(2026, 11, 23, 12))  # noqa: DTZ001  what is refused
