"""What a caller answered: keys or words, and which choice or which number that is."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, TypeVar

from engine.communications.catalogue import LANGUAGES
from engine.i18n import Language
from engine.phone.menus import Words
from engine.phone.spoken import digit_words

T = TypeVar("T", bound=Words)

_OH: Final = {"oh": "0", "o": "0"}
"""How people who speak English read a zero in a number."""
_KEYS: Final = re.compile(r"[0-9*#]*")


def plain_words(text: str) -> str:
    """Words without regard to case, accents and marks: `Sí, lo sé.` is `si lo se`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = (mark for mark in decomposed if not unicodedata.combining(mark) and mark not in "'’")
    return " ".join("".join(mark if mark.isalnum() else " " for mark in kept).split())


def plain_keys(pressed: str) -> str:
    """The keys that count; the pound key at the end says no more than that it is the end."""
    return pressed.rstrip("#") if _KEYS.fullmatch(pressed) else ""


def said_number(words: str, language: Language) -> str:
    """The digits of a number that was said, digit by digit; empty where it is no number.

    Recognizers write digits as words, or as figures in groups of their own making.
    """
    known = {plain_words(word): str(digit) for digit, word in enumerate(digit_words(language))}
    if language == "en":
        known |= _OH
    found = []
    for word in plain_words(words).split():
        digits = word if word.isascii() and word.isdigit() else known.get(word)
        if digits is None:
            return ""
        found.append(digits)
    return "".join(found)


def chosen(
    choices: Iterable[T], keys: str, words: str, languages: Iterable[Language] = LANGUAGES
) -> T | None:
    """The choice that was meant; None where none was, or more than one.

    A key alone chooses, and so does its name when it is said. Of words the longest that was heard
    decides: whoever says "I don't know it" does not say "no".
    """
    heard = plain_words(words)
    if not keys and heard:
        spoken = {said_number(words, language) for language in languages} - {""}
        keys = spoken.pop() if len(spoken) == 1 else ""
    best: list[tuple[int, T]] = []
    for choice in choices:
        if keys and keys in choice.keys:
            return choice
        lengths = [
            len(plain)
            for language in languages
            for plain in map(plain_words, choice.words(language))
            if f" {plain} " in f" {heard} "
        ]
        if lengths:
            best.append((max(lengths), choice))
    longest = max((length for length, _ in best), default=0)
    meant = [choice for length, choice in best if length == longest]
    return meant[0] if len(meant) == 1 else None
