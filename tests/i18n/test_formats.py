"""Dates, hours and amounts, as tables of what each reader sees."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from engine.clock import PACIFIC
from engine.i18n import clock_time, full_date, long_date, money, month, month_day, number

NB = "\u00a0"


@pytest.mark.parametrize(
    ("day", "english", "spanish"),
    [
        (date(2026, 12, 9), "December 9, 2026", "9 de diciembre de 2026"),
        (date(2027, 1, 1), "January 1, 2027", "1 de enero de 2027"),
        (date(2028, 2, 29), "February 29, 2028", "29 de febrero de 2028"),
        # Still the evening before in California.
        (datetime(2026, 12, 10, 3, 0, tzinfo=UTC), "December 9, 2026", "9 de diciembre de 2026"),
    ],
)
def test_long_dates(day: date, english: str, spanish: str) -> None:
    """A date reads as its language writes it, and a moment is the day it is in California."""
    assert long_date(day, "en") == english
    assert long_date(day, "es") == spanish


def test_full_dates_begin_a_line() -> None:
    """A date with its weekday begins with a capital in both languages."""
    assert full_date(date(2026, 12, 9), "en") == "Wednesday, December 9, 2026"
    assert full_date(date(2026, 12, 9), "es") == "Miércoles, 9 de diciembre de 2026"


def test_a_month_and_a_day_of_it() -> None:
    """Each reads as its language writes it, and a moment is of the day it is in California."""
    last = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)
    assert (month(last, "en"), month(last, "es")) == ("October 2026", "octubre de 2026")
    assert (month_day(last, "en"), month_day(last, "es")) == ("October 31", "31 de octubre")


@pytest.mark.parametrize(
    ("moment", "english", "spanish"),
    [
        (datetime(2026, 12, 9, 9, 30, tzinfo=PACIFIC), f"9:30{NB}AM", f"9:30{NB}a.m."),
        (datetime(2026, 12, 9, 12, 0, tzinfo=PACIFIC), f"12:00{NB}PM", f"12:00{NB}p.m."),
        (datetime(2026, 12, 9, 0, 5, tzinfo=PACIFIC), f"12:05{NB}AM", f"12:05{NB}a.m."),
        # Winter and summer time: eight hours behind UTC, then seven.
        (datetime(2026, 12, 9, 22, 15, tzinfo=UTC), f"2:15{NB}PM", f"2:15{NB}p.m."),
        (datetime(2026, 7, 9, 22, 15, tzinfo=UTC), f"3:15{NB}PM", f"3:15{NB}p.m."),
        (
            datetime(2026, 12, 9, 1, 0, tzinfo=timezone(timedelta(hours=9))),
            f"8:00{NB}AM",
            f"8:00{NB}a.m.",
        ),
    ],
)
def test_hours_are_pacific(moment: datetime, english: str, spanish: str) -> None:
    """Hours are a.m. and p.m. in both languages, in Pacific time whatever zone they came in."""
    assert clock_time(moment, "en") == english
    assert clock_time(moment, "es") == spanish


@pytest.mark.parametrize("show", [long_date, full_date, clock_time])
def test_a_moment_without_its_zone_is_refused(show: object) -> None:
    """Nothing guesses which zone a naive moment meant."""
    naive = datetime(2026, 12, 9, 9, 30)  # noqa: DTZ001  that is what is refused
    with pytest.raises(ValueError, match="time zone"):
        show(naive, "en")  # type: ignore[operator]  # parametrized over functions of one shape


@pytest.mark.parametrize(
    ("cents", "shown"),
    [
        (1, "$0.01"),
        (48_250, "$482.50"),
        (100_000_000, "$1,000,000.00"),
        (12_345_678, "$123,456.78"),
    ],
)
def test_money_is_the_same_in_both_languages(cents: int, shown: str) -> None:
    """Californian readers of Spanish write dollars as their neighbours do."""
    assert money(cents, "en") == shown
    assert money(cents, "es") == shown


def test_counts_are_grouped() -> None:
    """A count is grouped by thousands."""
    assert number(1_234_567, "es") == "1,234,567"
