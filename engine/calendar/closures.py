"""The days on which the offices of the California state government are closed, as dated rules.

A day is here only if Government Code §19853(a) gives it to every state employee. Days that an
employee may choose instead of a personal holiday, under §19853(e) (Lunar New Year, Genocide
Remembrance Day, Juneteenth, Native American Day, Diwali), close no office.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from types import MappingProxyType
from typing import Final, Literal

from engine.errors import InputError

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)

FIRST_YEAR: Final = 2010
"""The first whole year of the present list: Stats. 2009 (3rd Ex. Sess.) took two days off it."""

LAST_YEAR: Final = 2199
"""Beyond it no answer is given: a request so far ahead is a slip of somebody's."""

REVIEWED_THROUGH: Final = date(2027, 12, 31)
"""The rules were held against the state's published closures up to this day.

They go on answering after it; a test fails well before it, so that somebody looks again.
"""


@dataclass(frozen=True, slots=True)
class FixedDay:
    """The same day of every year; §19853(b) says where it goes when that is a weekend."""

    month: int
    day: int
    saturday_moves_to_friday: bool = False

    def in_year(self, year: int) -> date:
        """The day as the calendar has it."""
        return date(year, self.month, self.day)

    def observed_in(self, year: int) -> date:
        """The day on which offices close for it; a Saturday that does not move is answered as is.

        "If a day listed in this subdivision falls on a Sunday, the following Monday shall be
        deemed to be the holiday … If November 11 falls upon a Saturday, the preceding Friday."
        """
        actual = self.in_year(year)
        if actual.weekday() == SUNDAY:
            return actual + timedelta(days=1)
        if actual.weekday() == SATURDAY and self.saturday_moves_to_friday:
            return actual - timedelta(days=1)
        return actual


@dataclass(frozen=True, slots=True)
class WeekdayOfMonth:
    """The first, second, … weekday of a month (`nth` from 1), or its last (`nth` is -1)."""

    month: int
    weekday: int
    nth: int
    days_after: int = 0

    def in_year(self, year: int) -> date:
        """The day in `year`."""
        if self.nth > 0:
            first = date(year, self.month, 1)
            ahead = (self.weekday - first.weekday()) % 7 + 7 * (self.nth - 1)
            return first + timedelta(days=ahead + self.days_after)
        last = date(year, self.month + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - self.weekday) % 7 - self.days_after)

    def observed_in(self, year: int) -> date:
        """The day itself: a weekday of the month is never a weekend."""
        return self.in_year(year)


@dataclass(frozen=True, slots=True)
class ClosureRule:
    """A day the law closes offices on, its names, and the years (both included) it is in force."""

    name_en: str
    name_es: str
    day: FixedDay | WeekdayOfMonth
    source: str
    since: int = FIRST_YEAR
    until: int = LAST_YEAR

    def in_force(self, year: int) -> bool:
        """Whether offices close for it in `year`."""
        return self.since <= year <= self.until


@dataclass(frozen=True, slots=True)
class Closure:
    """A day on which offices are closed, and why, in both languages."""

    day: date
    name_en: str
    name_es: str

    def name(self, language: Literal["en", "es"]) -> str:
        """Why they are closed, in `language`."""
        return self.name_es if language == "es" else self.name_en


_LIST: Final = "Cal. Gov. Code §19853(a)"

RULES: Final = (
    ClosureRule("New Year’s Day", "Día de Año Nuevo", FixedDay(1, 1), _LIST),
    ClosureRule(
        "Martin Luther King Jr. Day",
        "Día de Martin Luther King Jr.",
        WeekdayOfMonth(1, MONDAY, 3),
        _LIST,
    ),
    ClosureRule("Presidents’ Day", "Día de los Presidentes", WeekdayOfMonth(2, MONDAY, 3), _LIST),
    ClosureRule("Cesar Chavez Day", "Día de César Chávez", FixedDay(3, 31), _LIST, until=2025),
    ClosureRule(
        "Farmworkers Day",
        "Día de los Trabajadores Agrícolas",
        FixedDay(3, 31),
        f"{_LIST}; renamed by AB 2156, Stats. 2026, ch. 7, in effect 2026-03-26",
        since=2026,
    ),
    ClosureRule("Memorial Day", "Día de los Caídos", WeekdayOfMonth(5, MONDAY, -1), _LIST),
    ClosureRule("Independence Day", "Día de la Independencia", FixedDay(7, 4), _LIST),
    ClosureRule("Labor Day", "Día del Trabajo", WeekdayOfMonth(9, MONDAY, 1), _LIST),
    ClosureRule(
        "Veterans Day",
        "Día de los Veteranos",
        FixedDay(11, 11, saturday_moves_to_friday=True),
        f"{_LIST}, (b)",
    ),
    ClosureRule(
        "Thanksgiving Day",
        "Día de Acción de Gracias",
        WeekdayOfMonth(11, THURSDAY, 4),
        f"{_LIST}; 5 U.S.C. §6103(a)",
    ),
    ClosureRule(
        "Day after Thanksgiving",
        "Día posterior al Día de Acción de Gracias",
        WeekdayOfMonth(11, THURSDAY, 4, days_after=1),
        _LIST,
    ),
    ClosureRule("Christmas Day", "Día de Navidad", FixedDay(12, 25), _LIST),
)

_WEEKEND: Final = {SATURDAY: ("Saturday", "sábado"), SUNDAY: ("Sunday", "domingo")}


@cache
def closures_in(year: int) -> Mapping[date, Closure]:
    """Every closure of `year` that falls on a weekday, by its day, in order.

    No rule moves a closure into another year. Raises InputError for a year outside FIRST_YEAR to
    LAST_YEAR.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise InputError(
            f"state closures are known from {FIRST_YEAR} to {LAST_YEAR}, not in {year}"
        )
    found = [_closure(rule, year) for rule in RULES if rule.in_force(year)]
    weekdays = [closure for closure in found if closure.day.weekday() < SATURDAY]
    return MappingProxyType({each.day: each for each in sorted(weekdays, key=lambda c: c.day)})


def closure_on(day: date) -> Closure | None:
    """Why offices are closed on `day`, a weekend or a closure, or None when they are open."""
    if names := _WEEKEND.get(day.weekday()):
        return Closure(day, *names)
    return closures_in(day.year).get(day)


def _closure(rule: ClosureRule, year: int) -> Closure:
    actual, observed = rule.day.in_year(year), rule.day.observed_in(year)
    if observed == actual:
        return Closure(observed, rule.name_en, rule.name_es)
    return Closure(observed, f"{rule.name_en} (observed)", f"{rule.name_es} (observado)")
