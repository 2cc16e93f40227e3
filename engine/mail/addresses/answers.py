"""Checks an address given as a JSON object, for commands that read one a line."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from engine.mail.addresses.checking import WINDOW_LINES, check
from engine.mail.addresses.fields import MailAddress

_TEXTS: Final = tuple(field.name for field in fields(MailAddress))
_FACTS: Final = ("confidential", "substitute", "returned_before")
_ZIP: Final = "zip"
_LINES: Final = "window_lines"
_KNOWN: Final = frozenset((*_TEXTS, *_FACTS, _ZIP, _LINES))
_MOST_LINES: Final = 12


def answer(given: Mapping[str, object]) -> dict[str, object]:
    """The address's `lines` as they will print and its `flags`, or an `error`.

    Takes the fields of `MailAddress` as text, `zip` (5 digits, 9, or ZIP+4) in place of `zip5`
    and `zip4`, the facts `confidential`, `substitute` and `returned_before` as true or false, and
    `window_lines` (3 where our barcode is drawn). What is absent or null is empty, or false. An
    error names the field, and never what it held.
    """
    known = {name: value for name, value in given.items() if value is not None}
    if fault := _fault(known):
        return {"error": fault}
    texts = {name: str(known.get(name, "")) for name in _TEXTS}
    if _ZIP in known:
        texts["zip5"], texts["zip4"] = _parted(str(known[_ZIP]))
    found = check(
        MailAddress(**texts),
        lines=_window(known),
        **{name: known.get(name, False) is True for name in _FACTS},
    )
    return {"lines": list(found.lines), "flags": list(found.flags)}


def _fault(given: Mapping[str, object]) -> str | None:
    """What is wrong with the object itself."""
    for name, value in given.items():
        if name not in _KNOWN:
            return f"{name!a:.60}: not a field of an address"
        if name in _FACTS and not isinstance(value, bool):
            return f"{name}: must be true or false"
        if (name in _TEXTS or name == _ZIP) and not isinstance(value, str):
            return f"{name}: must be text"
    if not 1 <= _window(given) <= _MOST_LINES:
        return f"{_LINES}: must be a whole number from 1 to {_MOST_LINES}"
    if _ZIP in given and not given.keys().isdisjoint({"zip5", "zip4"}):
        return f"{_ZIP}: stands in place of zip5 and zip4, not beside them"
    return None


def _window(given: Mapping[str, object]) -> int:
    """How many lines the window holds; 0 for what is no number."""
    lines = given.get(_LINES, WINDOW_LINES)
    return lines if isinstance(lines, int) and not isinstance(lines, bool) else 0


def _parted(code: str) -> tuple[str, str]:
    """A ZIP code in its two fields; what does not have its form stays whole, in the first."""
    bare = code.strip(" ")
    digits = bare.replace("-", "", 1) if bare[5:6] == "-" else bare
    if len(digits) == 9 and digits.isascii() and digits.isdigit():
        return digits[:5], digits[5:]
    return bare, ""
