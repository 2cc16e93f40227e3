"""Deadlines: tables of worked examples, and what is true of all of them."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calendar.business_days import MOST_DAYS, is_business_day
from engine.calendar.deadlines import due_by, explain
from engine.clock import PACIFIC
from engine.errors import InputError

moments = st.datetimes(
    datetime(2010, 1, 2),  # noqa: DTZ001 - hypothesis takes bounds without a zone, and adds one
    datetime(2090, 12, 31),  # noqa: DTZ001 - likewise
    timezones=st.timezones(),
)
counts = st.integers(0, 40)

OFFICE_HOURS = [
    # A plain Tuesday.
    ("2026-10-06T08:00-07:00", 0, "2026-10-06"),
    ("2026-10-06T16:59:59.999999-07:00", 0, "2026-10-06"),
    ("2026-10-06T17:00:00-07:00", 0, "2026-10-06"),
    ("2026-10-06T17:00:00.000001-07:00", 0, "2026-10-07"),
    ("2026-10-06T17:00-07:00", 1, "2026-10-07"),
    ("2026-10-06T17:01-07:00", 1, "2026-10-08"),
    ("2026-10-06T23:59-07:00", 1, "2026-10-08"),
    # Before the doors open it counts the same day.
    ("2026-10-06T00:00-07:00", 0, "2026-10-06"),
    ("2026-10-06T07:59-07:00", 1, "2026-10-07"),
    # The day is Pacific, wherever the request was dated.
    ("2026-10-07T00:00Z", 0, "2026-10-06"),
    ("2026-10-07T00:01Z", 0, "2026-10-07"),
    ("2026-10-07T09:00+09:00", 0, "2026-10-06"),
]
CLOSED_DAYS = [
    # Friday evening, Saturday and Sunday all count on Monday.
    ("2026-10-09T17:00-07:00", 1, "2026-10-12"),
    ("2026-10-09T17:01-07:00", 1, "2026-10-13"),
    ("2026-10-10T09:00-07:00", 1, "2026-10-13"),
    ("2026-10-11T23:59-07:00", 1, "2026-10-13"),
    # Thanksgiving, and the day after it.
    ("2026-11-25T16:59-08:00", 1, "2026-11-30"),
    ("2026-11-25T17:01-08:00", 1, "2026-12-01"),
    ("2026-11-26T10:00-08:00", 0, "2026-11-30"),
    ("2026-11-26T10:00-08:00", 1, "2026-12-01"),
    ("2026-11-27T18:00-08:00", 1, "2026-12-01"),
    # A Wednesday closure in the middle of a week; a Tuesday one.
    ("2026-11-10T18:00-08:00", 0, "2026-11-12"),
    ("2026-03-30T18:00-07:00", 0, "2026-04-01"),
    # Ten business days over Veterans Day and Thanksgiving.
    ("2026-11-10T12:00-08:00", 10, "2026-11-25"),
    ("2026-11-12T12:00-08:00", 10, "2026-11-30"),
    # Independence Day on a Saturday takes no weekday; on a Sunday it takes Monday.
    ("2026-07-02T12:00-07:00", 1, "2026-07-03"),
    ("2027-07-02T12:00-07:00", 1, "2027-07-06"),
]
CLOCK_CHANGES = [
    # Spring forward, Sunday 2026-03-08: 00:30 UTC is 16:30 on Friday and 17:30 on Monday.
    ("2026-03-07T00:30Z", 0, "2026-03-06"),
    ("2026-03-10T00:30Z", 0, "2026-03-10"),
    # Fall back, Sunday 2026-11-01: 00:30 UTC is 17:30 on Friday and 16:30 on Monday.
    ("2026-10-31T00:30Z", 0, "2026-11-02"),
    ("2026-11-03T00:30Z", 0, "2026-11-02"),
    # An offset that is out of season is still a moment: 16:59 daylight time is 15:59.
    ("2026-11-25T16:59-07:00", 1, "2026-11-30"),
    ("2026-11-25T17:59-07:00", 1, "2026-11-30"),
    ("2026-11-25T18:00:01-07:00", 1, "2026-12-01"),
    # The hour that comes twice, and the one that never comes.
    ("2026-11-01T01:30-07:00", 1, "2026-11-03"),
    ("2026-11-01T01:30-08:00", 1, "2026-11-03"),
    ("2026-03-08T02:30-08:00", 1, "2026-03-10"),
    # Counting over a change moves no day.
    ("2026-03-06T16:59-08:00", 1, "2026-03-09"),
    ("2026-10-30T16:59-07:00", 1, "2026-11-02"),
]
YEAR_ENDS = [
    ("2026-12-31T16:00-08:00", 1, "2027-01-04"),
    ("2026-12-31T18:00-08:00", 1, "2027-01-05"),
    ("2027-01-01T02:00Z", 0, "2027-01-04"),
    ("2026-12-24T12:00-08:00", 5, "2027-01-04"),
    # New Year's Day 2028 is a Saturday: 31 December and 3 January are open.
    ("2027-12-30T12:00-08:00", 1, "2027-12-31"),
    ("2027-12-31T12:00-08:00", 1, "2028-01-03"),
    # A leap day is a business day.
    ("2028-02-28T12:00-08:00", 1, "2028-02-29"),
]


@pytest.mark.parametrize(("asked", "days", "due"), OFFICE_HOURS)
def test_office_hours_end_with_the_stroke_of_five(asked: str, days: int, due: str) -> None:
    """What is asked for later than 17:00 Pacific counts from the next business day."""
    assert due_by(datetime.fromisoformat(asked), days).isoformat() == due


@pytest.mark.parametrize(("asked", "days", "due"), CLOSED_DAYS)
def test_a_closed_day_counts_as_the_next_business_day(asked: str, days: int, due: str) -> None:
    """What is asked for on a closed day counts on the business day it leads to."""
    assert due_by(datetime.fromisoformat(asked), days).isoformat() == due


@pytest.mark.parametrize(("asked", "days", "due"), CLOCK_CHANGES)
def test_five_oclock_is_the_clock_on_the_wall(asked: str, days: int, due: str) -> None:
    """Office hours follow Pacific time through both clock changes."""
    assert due_by(datetime.fromisoformat(asked), days).isoformat() == due


@pytest.mark.parametrize(("asked", "days", "due"), YEAR_ENDS)
def test_days_are_counted_over_the_end_of_a_year(asked: str, days: int, due: str) -> None:
    """Counting goes on into the next year's closures, and over a leap day."""
    assert due_by(datetime.fromisoformat(asked), days).isoformat() == due


def test_the_count_names_every_day_it_stepped_over() -> None:
    """The closed days between the asking and the due day are listed in order, with why."""
    counted = explain(datetime.fromisoformat("2026-11-25T16:59-08:00"), 1)
    assert (counted.asked_on, counted.counted_from) == (date(2026, 11, 25), date(2026, 11, 25))
    assert counted.due == date(2026, 11, 30)
    assert not counted.after_hours
    assert [(str(each.day), each.name("en")) for each in counted.stepped_over] == [
        ("2026-11-26", "Thanksgiving Day"),
        ("2026-11-27", "Day after Thanksgiving"),
        ("2026-11-28", "Saturday"),
        ("2026-11-29", "Sunday"),
    ]


def test_the_count_says_when_it_began_late() -> None:
    """A request after office hours is counted from the day after, and says that it was late."""
    counted = explain(datetime.fromisoformat("2026-10-06T17:01-07:00"), 1)
    assert counted.after_hours
    assert counted.counted_from == date(2026, 10, 7)
    assert counted.due == date(2026, 10, 8)
    assert counted.stepped_over == ()


def test_a_closed_day_is_what_delays_even_in_its_evening() -> None:
    """On a closed day no hour is after office hours: the closure is the reason given."""
    counted = explain(datetime.fromisoformat("2026-11-27T20:00-08:00"), 0)
    assert not counted.after_hours
    assert [each.name("en") for each in counted.stepped_over] == [
        "Day after Thanksgiving",
        "Saturday",
        "Sunday",
    ]


def test_a_moment_without_an_offset_is_refused() -> None:
    """Nobody guesses where a clock without a zone stood."""
    with pytest.raises(InputError, match="offset"):
        due_by(datetime(2026, 11, 25, 16, 59), 1)  # noqa: DTZ001 - it is what is refused


@pytest.mark.parametrize("days", [-1, MOST_DAYS + 1, 10**30, 1.0, True, "1", None])
def test_a_count_that_is_not_one_is_refused(days: Any) -> None:
    """Days are a whole number that could be meant; anything else raises InputError."""
    with pytest.raises(InputError, match="business days"):
        due_by(datetime(2026, 11, 25, tzinfo=UTC), days)


@pytest.mark.parametrize(
    "moment",
    [
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=14))),
        datetime(2009, 12, 31, 23, 59, tzinfo=PACIFIC),
        datetime(2200, 1, 1, tzinfo=PACIFIC),
        datetime(2199, 12, 31, 23, 59, tzinfo=PACIFIC),
    ],
)
def test_a_moment_outside_the_known_years_is_refused(moment: datetime) -> None:
    """A moment that no closures are known for raises InputError, however far away it is."""
    with pytest.raises(InputError, match="2010 to 2199"):
        due_by(moment, 1)


@given(moments, counts)
def test_a_due_day_is_a_business_day(moment: datetime, days: int) -> None:
    """Nothing is ever due on a day when nobody is there to do it."""
    assert is_business_day(due_by(moment, days))


@given(moments, moments, counts)
def test_who_asks_later_is_not_served_earlier(one: datetime, other: datetime, days: int) -> None:
    """Of two requests with the same promise, the earlier is due no later."""
    first, second = sorted((one, other))
    assert due_by(first, days) <= due_by(second, days)


@given(moments, counts)
def test_a_day_more_is_later(moment: datetime, days: int) -> None:
    """Each business day more moves the due day on."""
    assert due_by(moment, days) < due_by(moment, days + 1)


@given(moments, counts, counts)
def test_promises_add_up(moment: datetime, first: int, then: int) -> None:
    """A promise counted from noon of another's due day is as long as both together."""
    due = due_by(moment, first)
    noon = datetime(due.year, due.month, due.day, 12, tzinfo=PACIFIC)
    assert due_by(noon, then) == due_by(moment, first + then)


@given(moments, counts)
def test_the_explanation_is_of_the_same_answer(moment: datetime, days: int) -> None:
    """What is explained is what was promised, and every closed day on the way is named."""
    counted = explain(moment, days)
    assert counted.due == due_by(moment, days)
    assert counted.counted_from == due_by(moment, 0)
    span = range((counted.due - counted.asked_on).days)
    passed = [counted.asked_on + timedelta(days=ahead) for ahead in span]
    assert [each.day for each in counted.stepped_over] == [
        day for day in passed if not is_business_day(day)
    ]


@given(moments, counts)
def test_a_moment_is_the_same_in_every_zone(moment: datetime, days: int) -> None:
    """It matters when it was asked, not by whose clock it was written down."""
    assert due_by(moment, days) == due_by(moment.astimezone(UTC), days)
