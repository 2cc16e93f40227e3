"""What is said and what is understood, in both languages."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.i18n import Language
from engine.phone import spoken
from engine.phone.hearing import chosen, plain_keys, said_number
from engine.phone.menus import OURS, Choice, read_menus

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (spoken.digits("1234567890", "en"), "one two three, four five six, seven eight nine zero"),
        (spoken.digits("12345678", "es"), "uno dos tres, cuatro cinco seis, siete ocho"),
        (spoken.digits("7", "en"), "seven"),
        (spoken.digits("1-866-39-409", "es"), "uno, ocho seis seis, tres nueve, cuatro cero nueve"),
        (spoken.amount(148_250, "en"), "1,482 dollars and 50 cents"),
        (spoken.amount(148_250, "es"), "1,482 dólares con 50 centavos"),
        (spoken.amount(100, "en"), "1 dollar"),
        (spoken.amount(101, "es"), "1 dólar con 1 centavo"),
        (spoken.amount(5, "en"), "5 cents"),
        (spoken.amount(0, "es"), "0 dólares"),
        (spoken.day(date(2026, 12, 1), "en", TODAY), "December 1"),
        (spoken.day(date(2026, 12, 1), "es", TODAY), "primero de diciembre"),
        (spoken.day(date(2026, 12, 21), "es", TODAY), "21 de diciembre"),
        (spoken.day(date(2025, 1, 1), "es", TODAY), "primero de enero de 2025"),
        (spoken.day(date(2025, 1, 1), "en", TODAY), "January 1, 2025"),
        (spoken.weekday(date(2026, 12, 1), "es"), "martes, primero de diciembre de 2026"),
        (spoken.weekday(date(2026, 12, 11), "es"), "viernes, 11 de diciembre de 2026"),
        (spoken.hour(time(8), "en"), "8 AM"),
        (spoken.hour(time(17), "es"), "5 p.m."),
        (spoken.key("*", "es"), "asterisco"),
        (spoken.website("www.cse.gov/MyPage", "en"), "w w w dot c s e dot gov slash My Page"),
        (spoken.website("connect.example/", "es"), "connect punto example"),
    ],
)  # fmt: skip
def test_it_is_said_as_a_person_would(said: str, expected: str) -> None:
    """No sign is left to a voice that it would read out wrongly."""
    assert said == expected


@given(st.text("0123456789", min_size=1, max_size=20), st.sampled_from(["en", "es"]))
def test_a_number_that_was_read_out_is_understood(number: str, language: Language) -> None:
    """What the line says digit by digit, a caller may say back."""
    assert said_number(spoken.digits(number, language), language) == number


@pytest.mark.parametrize(
    ("words", "language", "number"),
    [
        ("one two oh 4", "en", "1204"),
        ("123 456-7890", "es", "1234567890"),
        ("my number is one two", "en", ""),
        ("uno dos", "en", ""),
        ("", "es", ""),
    ],
)
def test_a_number_is_nothing_but_digits(words: str, language: Language, number: str) -> None:
    """Figures or words of the call's language; among other words it is none."""
    assert said_number(words, language) == number


def choices_of(place: str) -> tuple[Choice, ...]:
    """The choices of a place of ours."""
    return read_menus(OURS).choices_at(place)


@pytest.mark.parametrize(
    ("place", "keys", "words", "language", "to"),
    [
        ("pin", "", "I don’t know it.", "en", "reset"),
        ("pin", "", "No lo sé", "es", "reset"),
        ("pin", "*", "", "es", "reset"),
        ("reset", "", "No, gracias", "es", "pin"),
        ("reset", "", "yes no", "en", "reset_method"),
        ("main", "", "I want to change my PIN", "en", "current_pin"),
        ("main", "", "three", "en", "current_pin"),
        ("main", "", "tres", "es", "current_pin"),
        ("main", "", "payments and goodbye and PIN change", "en", "current_pin"),
        ("main", "", "pagos", "en", None),
        ("main", "", "repayments", "en", None),
        ("main", "2", "", "en", None),
        ("main", "", "", "en", None),
    ],
)
def test_what_was_meant(
    place: str, keys: str, words: str, language: Language, to: str | None
) -> None:
    """Whole words of the call's language decide, the longest of them; a key's name is the key."""
    choice = chosen(choices_of(place), keys, words, (language,))
    assert (choice.to if choice else None) == to


@given(st.text(max_size=40))
def test_anything_may_be_heard(heard: str) -> None:
    """Whatever a recognizer writes or a keypad sends is understood or not, and breaks nothing."""
    chosen(choices_of("main"), plain_keys(heard), heard)
    said_number(heard, "en")
