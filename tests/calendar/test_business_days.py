"""Business days: one at a time, so many on, and how many lie between."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calendar.business_days import (
    MOST_DAYS,
    add_business_days,
    business_days_between,
    is_business_day,
    next_business_day,
)
from engine.errors import InputError

days = st.dates(date(2010, 1, 1), date(2060, 12, 31))
counts = st.integers(0, 60)


@pytest.mark.parametrize(
    ("day", "following"),
    [
        ("2026-11-24", "2026-11-25"),
        ("2026-11-25", "2026-11-30"),
        ("2026-11-27", "2026-11-30"),
        ("2026-12-24", "2026-12-28"),
        ("2026-12-31", "2027-01-04"),
        ("2027-07-02", "2027-07-06"),
        ("2028-11-09", "2028-11-13"),
        ("2028-02-28", "2028-02-29"),
    ],
)
def test_the_next_business_day_is_past_weekends_and_closures(day: str, following: str) -> None:
    """The next business day is the first open one after the given day."""
    assert next_business_day(date.fromisoformat(day)) == date.fromisoformat(following)


@pytest.mark.parametrize(
    ("day", "count", "reached"),
    [
        ("2026-11-25", 0, "2026-11-25"),
        ("2026-11-25", 1, "2026-11-30"),
        ("2026-11-28", 0, "2026-11-30"),
        ("2026-11-28", 1, "2026-12-01"),
        ("2026-12-18", 10, "2027-01-05"),
        ("2026-03-27", 2, "2026-04-01"),
    ],
)
def test_days_are_counted_from_the_business_day_a_closed_one_leads_to(
    day: str, count: int, reached: str
) -> None:
    """A closed day counts as the open one it leads to; the count starts there."""
    assert add_business_days(date.fromisoformat(day), count) == date.fromisoformat(reached)


@pytest.mark.parametrize("count", [-1, MOST_DAYS + 1])
def test_a_negative_or_absurd_count_is_refused(count: int) -> None:
    """A count that can only be a mistake raises, and names what is allowed."""
    with pytest.raises(InputError, match=f"between 0 and {MOST_DAYS}"):
        add_business_days(date(2026, 1, 5), count)


@given(days, counts, counts)
def test_counts_add_up(day: date, first: int, then: int) -> None:
    """So many days, and then so many more, are their sum."""
    assert add_business_days(add_business_days(day, first), then) == add_business_days(
        day, first + then
    )


@given(days, counts)
def test_counting_between_undoes_adding(day: date, count: int) -> None:
    """From a business day, as many business days lie between as were added."""
    start = add_business_days(day, 0)
    reached = add_business_days(start, count)
    assert business_days_between(start, reached) == count
    assert business_days_between(reached, start) == -count


@given(days, st.integers(0, 400))
def test_counting_between_is_counting_each_day(day: date, span: int) -> None:
    """The days between are the business days after the first, up to and including the last."""
    counted = sum(is_business_day(day + timedelta(days=ahead)) for ahead in range(1, span + 1))
    assert business_days_between(day, day + timedelta(days=span)) == counted


@given(days)
def test_no_closed_stretch_is_longer_than_four_days(day: date) -> None:
    """Some office day comes within five days of any other day."""
    assert 1 <= (next_business_day(day) - day).days <= 5
