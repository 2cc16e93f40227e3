"""Closures: the state's published tables, other people's table, and a horizon that is watched."""

from datetime import date, timedelta

import holidays
import pytest

from engine.calendar.closures import (
    FIRST_YEAR,
    LAST_YEAR,
    REVIEWED_THROUGH,
    RULES,
    closure_on,
    closures_in,
)
from engine.clock import pacific_date, system_clock
from engine.errors import InputError

PUBLISHED = {
    2014: "01-01 01-20 02-17 03-31 05-26 07-04 09-01 11-11 11-27 11-28 12-25",
    2026: "01-01 01-19 02-16 03-31 05-25 09-07 11-11 11-26 11-27 12-25",
    2027: "01-01 01-18 02-15 03-31 05-31 07-05 09-06 11-11 11-25 11-26",
}

THE_PACKAGE_ADDS = {
    # Juneteenth is a day that a state employee may choose (§19853(e)); no office closes.
    "Juneteenth National Independence Day",
    "Juneteenth National Independence Day (observed)",
    # Federal offices move these from a Saturday to the Friday before; the state's do not.
    "Independence Day (observed)",
    "Christmas Day (observed)",
    "New Year's Day (observed)",
    # A day of §6700 that closes no state office.
    "Susan B. Anthony Day",
    # Another day that a state employee may choose, since 2026.
    "Diwali",
}


def of_package(year: int) -> dict[date, str]:
    """What PyPI `holidays` says of California's weekdays in `year`."""
    found = holidays.country_holidays("US", subdiv="CA", years=year)
    return {day: name for day, name in found.items() if day.weekday() < 5}


@pytest.mark.parametrize("year", PUBLISHED)
def test_every_published_closure_is_known_and_no_other(year: int) -> None:
    """Offices close on exactly the weekdays that the state published for the year."""
    expected = [date.fromisoformat(f"{year}-{day}") for day in PUBLISHED[year].split()]
    assert list(closures_in(year)) == expected


def test_the_other_table_differs_only_where_it_is_known_to() -> None:
    """PyPI `holidays` adds six weekdays in 2026 and 2027, each named here, and lacks none."""
    differences = {
        day.isoformat(): name
        for year in (2026, 2027)
        for day, name in of_package(year).items()
        if day not in closures_in(year)
    }
    assert differences == {
        "2026-06-19": "Juneteenth National Independence Day",
        "2026-07-03": "Independence Day (observed)",
        "2027-06-18": "Juneteenth National Independence Day (observed)",
        "2027-10-29": "Diwali",
        "2027-12-24": "Christmas Day (observed)",
        "2027-12-31": "New Year's Day (observed)",
    }
    for year in (2026, 2027):
        assert set(closures_in(year)) <= set(of_package(year))


@pytest.mark.parametrize("year", range(FIRST_YEAR, 2046))
def test_over_the_years_the_tables_agree_but_for_the_same_reasons(year: int) -> None:
    """In any year the package knows every closure of ours, and adds only days of those kinds."""
    added = {name for day, name in of_package(year).items() if day not in closures_in(year)}
    assert added <= THE_PACKAGE_ADDS
    assert set(closures_in(year)) <= set(of_package(year))


@pytest.mark.parametrize(
    ("closed", "why"),
    [
        ("2017-01-02", "New Year’s Day (observed)"),
        ("2019-04-01", "Cesar Chavez Day (observed)"),
        ("2030-04-01", "Farmworkers Day (observed)"),
        ("2027-07-05", "Independence Day (observed)"),
        ("2029-11-12", "Veterans Day (observed)"),
        ("2028-11-10", "Veterans Day (observed)"),
        ("2022-12-26", "Christmas Day (observed)"),
    ],
)
def test_a_sunday_moves_to_monday_and_veterans_day_from_saturday_to_friday(
    closed: str, why: str
) -> None:
    """Each weekend day that moves closes the weekday the law names, and says what for."""
    closure = closure_on(date.fromisoformat(closed))
    assert closure is not None
    assert closure.name("en") == why


@pytest.mark.parametrize(
    "open_day",
    ["2026-07-03", "2026-07-06", "2027-12-24", "2027-12-27", "2027-12-31", "2029-03-30"],
)
def test_any_other_saturday_closure_gives_no_weekday(open_day: str) -> None:
    """Offices are open on the Friday before and the Monday after a closure on a Saturday."""
    assert closure_on(date.fromisoformat(open_day)) is None


@pytest.mark.parametrize("open_day", ["2026-02-12", "2026-09-25", "2026-10-12", "2027-06-18"])
def test_days_that_an_employee_may_choose_close_no_office(open_day: str) -> None:
    """Lincoln Day, Native American Day, Columbus Day and Juneteenth are business days."""
    assert closure_on(date.fromisoformat(open_day)) is None


def test_a_renamed_day_has_the_name_it_had_that_year() -> None:
    """31 March was Cesar Chavez Day through 2025 and is Farmworkers Day from 2026."""
    before, after = closure_on(date(2025, 3, 31)), closure_on(date(2026, 3, 31))
    assert before is not None
    assert after is not None
    assert (before.name("en"), before.name("es")) == ("Cesar Chavez Day", "Día de César Chávez")
    assert (after.name("en"), after.name("es")) == (
        "Farmworkers Day",
        "Día de los Trabajadores Agrícolas",
    )


def test_every_rule_is_named_in_both_languages_and_has_a_source() -> None:
    """No rule lacks a name, a Spanish name of its own, or the law it comes from."""
    for rule in RULES:
        assert rule.name_en
        assert rule.name_es
        assert rule.name_en != rule.name_es
        assert "§19853" in rule.source


def test_no_year_has_two_rules_for_one_day() -> None:
    """In every year answered for, each rule in force has a day of its own."""
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        observed = [rule.day.observed_in(year) for rule in RULES if rule.in_force(year)]
        assert len(set(observed)) == len(observed) == 11
        assert all(day.year == year for day in observed)


def test_a_weekend_is_closed_and_says_so() -> None:
    """A Saturday and a Sunday are closed days with a name in both languages."""
    saturday, sunday = closure_on(date(2026, 11, 28)), closure_on(date(2026, 11, 29))
    assert saturday is not None
    assert sunday is not None
    assert (saturday.name("en"), sunday.name("es")) == ("Saturday", "domingo")


@pytest.mark.parametrize("year", [FIRST_YEAR - 1, LAST_YEAR + 1])
def test_a_year_whose_closures_are_not_known_is_refused(year: int) -> None:
    """No answer is better than one by rules that were, or may be, others."""
    with pytest.raises(InputError, match=str(year)):
        closures_in(year)


def test_the_rules_are_held_against_the_states_list_before_the_horizon() -> None:
    """Ninety days before the reviewed years end, this fails: look at the state's new list.

    Compare the Department of Human Resources' holidays with `closures_in`, change the rules where
    the law has changed, and move REVIEWED_THROUGH on.
    """
    assert pacific_date(system_clock()) < REVIEWED_THROUGH - timedelta(days=90)
