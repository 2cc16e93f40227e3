"""Passwords, by NIST SP 800-63B-4 (July 2025), section 3.1.1.2.

Where a password is the only factor it has 15 characters or more, and each code point counts as one;
at least 64 are permitted; all printing characters and the space are accepted, and no mixture of
kinds is asked for; what is normalised is in NFC, before its hash is made; it is compared whole with
a blocklist of what is common, expected or known from breaches. It is never changed by the calendar.
"""

import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from zxcvbn import zxcvbn

FEWEST: Final = 15
MOST: Final = 256
GUESSED_WITHIN: Final = 100_000_000
"""What is found within so many guesses, the most common first, is as good as on the list: zxcvbn's
lists with what people make of their entries, as repeated, reversed, with a year behind it. Its
authors call it resistant to a guesser at an online service who is not slowed down."""
_OF_THE_SERVICE: Final = (
    *("child support", "application", "applicant", "california", "password"),
    *("manutención de menores", "manutencion", "solicitud", "contraseña", "contrasena"),
)
"""What this service is about, in both languages; zxcvbn's lists are English."""
_LOOKED_AT: Final = 72
"""zxcvbn's own bound. What is hard to guess so far is not easier for what follows."""


class PasswordFault(StrEnum):
    """What is wrong with a password that was typed; the last four, beside the one there is."""

    MISSING = "password_missing"
    SHORT = "password_short"
    LONG = "password_long"
    CONTROL = "password_control"
    COMMON = "password_common"
    SAME = "password_same"
    WRONG = "password_wrong"
    CURRENT_MISSING = "current_missing"
    CURRENT_WRONG = "current_wrong"


def normalised(password: str) -> str:
    """A password as it is hashed: the same one, however a keyboard composes its letters."""
    return unicodedata.normalize("NFC", password)


def fault(password: str, context: Iterable[str]) -> PasswordFault | None:
    """What is wrong with a normalised password; None where nothing is. `context` is what is
    expected of this very person: their username, their names, the name of the service.

    It may take a tenth of a second: call it in a thread.
    """
    if not password:
        return PasswordFault.MISSING
    if len(password) < FEWEST:
        return PasswordFault.SHORT
    if len(password) > MOST:
        return PasswordFault.LONG
    if any(unicodedata.category(mark) in {"Cc", "Cs", "Cn"} for mark in password):
        return PasswordFault.CONTROL
    return PasswordFault.COMMON if _expected(password, context) else None


def _expected(password: str, context: Iterable[str]) -> bool:
    """Whether it is found early, as it is typed or without the marks between its words."""
    known = sorted({form for each in (*_OF_THE_SERVICE, *context) for form in _forms(each)})
    folded = password.casefold()
    return any(
        zxcvbn(form[:_LOOKED_AT], user_inputs=known)["guesses"] < GUESSED_WITHIN
        for form in {folded, _run_together(folded)} - {""}
    )


def _forms(text: str) -> set[str]:
    """A name as one word, and each word of it."""
    folded = text.casefold()
    return {_run_together(form) for form in (folded, *folded.split())} - {""}


def _run_together(text: str) -> str:
    return "".join(filter(str.isalnum, text))
