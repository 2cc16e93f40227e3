"""What an address may be written with: characters the typeface draws and `index.csv` carries."""

import unicodedata
from typing import Final

from engine.mail.typeface import glyphs, undrawable_characters

_FORMULA: Final = ("=", "+", "-", "@")
_FAULTY: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mc", "Me", "Mn", "Zl", "Zp", "Zs"})


def carried(text: str, printed: str) -> bool:
    """Whether a field can be indexed as it stands, and drawn as it is `printed`.

    Controls, marks of direction, invisible characters and every space but the plain one are not;
    nor are characters without a glyph, nor a field that a spreadsheet would take for a formula.
    An accent that does not join its letter into one character (NFC) is not: the typeface has no
    such letter, and would set the accent where it happens to fall.
    """
    if text.startswith(_FORMULA) or text.lstrip(" ").startswith(_FORMULA):
        return False
    if text.isascii():
        return text.isprintable()
    return not undrawable_characters(text.upper()) and all(map(_sound, printed))


def _sound(character: str) -> bool:
    if character == " ":
        return True
    return ord(character) in glyphs() and unicodedata.category(character) not in _FAULTY
