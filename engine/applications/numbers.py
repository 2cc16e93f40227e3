"""Application numbers: 11 digits by chance and a check digit, read over the telephone in fours.

Digits alone are keyed on a telephone and are the same in both languages. The next number says
nothing of this one. The check digit is ISO/IEC 7064 MOD 11,10: one wrong digit always shows.
"""

import secrets
from typing import Final

DIGITS: Final = 12
_CHANCE: Final = 10 ** (DIGITS - 1)


def new_number() -> str:
    """A number that nobody can guess from another."""
    digits = f"{secrets.randbelow(_CHANCE):0{DIGITS - 1}d}"
    return digits + check_digit(digits)


def check_digit(digits: str) -> str:
    """The check digit of some digits (ISO/IEC 7064:2003, the hybrid system MOD 11,10)."""
    product = 10
    for digit in digits:
        product = 2 * ((product + int(digit)) % 10 or 10) % 11
    return str((11 - product) % 10)


def written(number: str) -> str:
    """As it is shown and read out: `4821 0937 5521`."""
    return " ".join(number[at : at + 4] for at in range(0, DIGITS, 4))


def as_typed(typed: str) -> str | None:
    """The number in what a person typed; None where it is none, or a digit of it is wrong."""
    number = "".join(mark for mark in typed if mark not in " -\u00a0")
    if len(number) != DIGITS or not (number.isascii() and number.isdigit()):
        return None
    return number if check_digit(number[:-1]) == number[-1] else None
