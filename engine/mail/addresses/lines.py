"""An address in lines, as the letters' layout breaks them, and whether the window holds them.

The same rules as `address` in the layout, which has the last word; a test compares the two.
"""

from collections.abc import Sequence
from typing import Final

from engine.mail.addresses.fields import MailAddress
from engine.mail.text_widths import width
from engine.mail.typeface import glyphs

_WINDOW_WIDTH: Final = 3.25 * 72
_SIZE: Final = 9.0
"""The box of the contract behind a #10 left window, and the size its lines are set in; points."""

_MOST_AN_ASCII_LETTER_TAKES: Final = 10.0
"""Points, at that size, with the kerning after it: short lines need no measuring."""


def address_lines(printed: MailAddress) -> tuple[str, ...]:
    """The lines in their order: name, urbanization, delivery line, last line.

    A name too wide is broken between words. A unit stands at the end of the delivery line or,
    where that is too wide, on the line above (Pub 28 § 213). Nothing is cut, and a line that is
    empty is left out. `printed` is in upper case.
    """
    street, unit = printed.addr1, printed.addr2
    joined = _joined(street, unit)
    delivery = (unit, street) if _too_wide(joined) else (joined,)
    every = (*_wrapped(printed.name), printed.urbanization, *delivery, _last(printed))
    return tuple(filter(None, every))


def _last(printed: MailAddress) -> str:
    """City, state and ZIP, with one space between them (Pub 28 § 22)."""
    zip5, zip4 = printed.zip5, printed.zip4
    code = f"{zip5}-{zip4}" if zip5 and zip4 else zip5 or zip4
    return _joined(printed.city, printed.state, code)


def fits(lines: Sequence[str], most: int) -> bool:
    """Whether the window holds them: at most `most` lines, none wider than the box."""
    return len(lines) <= most and not any(map(_too_wide, lines))


def _joined(*pieces: str) -> str:
    return " ".join(filter(None, pieces))


def _wrapped(name: str) -> list[str]:
    """Greedy lines of whole words."""
    if not _too_wide(name):
        return [name]
    lines: list[str] = []
    line = ""
    for word in name.split(" "):
        longer = f"{line} {word}" if line else word
        if line and _too_wide(longer):
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def _too_wide(line: str) -> bool:
    plain = line.isascii() and line.isprintable()
    if plain and len(line) * _MOST_AN_ASCII_LETTER_TAKES <= _WINDOW_WIDTH:
        return False
    return width(line if plain else _drawn(line), _SIZE) > _WINDOW_WIDTH


def _drawn(line: str) -> str:
    """The line with a wide letter for each character that has no glyph, which is held anyway."""
    return "".join(character if ord(character) in glyphs() else "M" for character in line)
