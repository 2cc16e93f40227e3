"""Amounts, days, hours, digits and addresses as a person says them, in each language."""

import re
from datetime import date, datetime, time
from typing import Final

from engine.clock import PACIFIC
from engine.i18n import Language, clock_time, full_date, month_day, number, translations
from engine.phone.prompts import N_

_DIGITS: Final = (
    *(N_("zero"), N_("one"), N_("two"), N_("three"), N_("four")),
    *(N_("five"), N_("six"), N_("seven"), N_("eight"), N_("nine")),
)
_STAR: Final = N_("star")
_GROUP: Final = 3
_SAID_WHOLE: Final = frozenset({"gov", "com", "org", "net", "example"})
_HUMPS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def digit_words(language: Language) -> tuple[str, ...]:
    """The words for 0 to 9."""
    return tuple(map(translations(language).gettext, _DIGITS))


def digits(text: str, language: Language) -> str:
    """Digit by digit, in groups as people read a number out: `one two three, four five six`.

    A number that is written in groups, as a telephone number is, keeps them; another is grouped by
    threes, with four at its end rather than one alone.
    """
    words = digit_words(language)
    groups = re.findall(r"\d+", text)
    if len(groups) == 1:
        groups = _grouped(groups[0])
    return ", ".join(" ".join(words[int(digit)] for digit in group) for group in groups)


def key(pressed: str, language: Language) -> str:
    """A key of a telephone: `seven`, `star`."""
    if pressed == "*":
        return translations(language).gettext(_STAR)
    return digits(pressed, language)


def amount(cents: int, language: Language) -> str:
    """`1,482 dollars and 50 cents`; what is nought is left out."""
    words = translations(language)
    whole, rest = divmod(cents, 100)
    dollars = words.ngettext("%(number)s dollar", "%(number)s dollars", whole) % {
        "number": number(whole, language)
    }
    odd = words.ngettext("%(number)s cent", "%(number)s cents", rest) % {"number": rest}
    if not rest:
        return dollars
    if not whole:
        return odd
    return words.gettext("%(dollars)s and %(cents)s") % {"dollars": dollars, "cents": odd}


def day(on: date, language: Language, today: date) -> str:
    """`October 6`, with its year where that is not this one; Spanish says the first of a month as
    *primero*."""
    said = month_day(on, language)
    if language == "es" and on.day == 1:
        said = said.replace("1 de", "primero de", 1)
    if on.year == today.year:
        return said
    joined = {"en": f"{said}, {on.year}", "es": f"{said} de {on.year}"}
    return joined[language]


def weekday(on: date, language: Language) -> str:
    """`Tuesday, November 24, 2026`, inside a sentence."""
    said = full_date(on, language)
    if language == "es":
        said = said[0].lower() + said[1:].replace(" 1 de", " primero de", 1)
    return said


def hour(at: time, language: Language) -> str:
    """`8 AM`, `5:30 PM`: an hour by the clock of the offices."""
    moment = datetime.combine(date(2000, 1, 3), at, tzinfo=PACIFIC)
    return clock_time(moment, language).replace(":00", "").replace("\u00a0", " ")


def website(address: str, language: Language) -> str:
    """An address on the web as it is read out: `w w w dot c s e dot c a dot gov slash …`."""
    words = translations(language)
    marks = {".": words.gettext("dot"), "/": words.gettext("slash")}
    parts = re.split(r"([./])", address.rstrip("/"))
    return " ".join(marks[part] if part in marks else _label(part) for part in parts)


def _label(label: str) -> str:
    if len(label) <= _GROUP and label not in _SAID_WHOLE:
        return " ".join(label)
    return _HUMPS.sub(" ", label)


def _grouped(number_: str) -> list[str]:
    starts = list(range(0, len(number_), _GROUP))
    if len(starts) > 1 and len(number_) % _GROUP == 1:
        starts.pop()
    ends = [*starts[1:], len(number_)]
    return [number_[start:end] for start, end in zip(starts, ends, strict=True)]
