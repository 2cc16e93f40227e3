"""Checks one address by the rules of the print batch contract."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from engine.mail.addresses.abroad import (
    is_foreign_country,
    is_foreign_postal_code,
    is_foreign_province,
)
from engine.mail.addresses.characters import carried
from engine.mail.addresses.delivery import delivery_flags, is_placeholder
from engine.mail.addresses.fields import MailAddress
from engine.mail.addresses.flags import FLAGS, Flag
from engine.mail.addresses.lines import address_lines, fits
from engine.mail.addresses.states import (
    MILITARY,
    MILITARY_POST_OFFICES,
    is_state,
    is_state_name,
    zip_lies_in,
)

WINDOW_LINES: Final = 4
"""Lines that the contract's window holds; one fewer where our barcode stands below them."""


def window_lines(imb_mode: str) -> int:
    """How many lines of an address the window holds, with the barcode `vendor`'s or `ours`."""
    return WINDOW_LINES - (imb_mode == "ours")


_ZIP5: Final = re.compile(r"[0-9]{5}")
_ZIP4: Final = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, slots=True)
class Checked:
    """The lines as they will print, and why a letter is held: flags in the contract's order."""

    lines: tuple[str, ...]
    flags: tuple[Flag, ...]

    @property
    def ok(self) -> bool:
        """Whether a letter may go there."""
        return not self.flags


def check(
    address: MailAddress,
    *,
    lines: int = WINDOW_LINES,
    confidential: bool = False,
    substitute: bool = False,
    returned_before: bool = False,
) -> Checked:
    """Check `address`; no field is ever changed, and nothing is cut to fit.

    `lines` is how many the window holds. A `confidential` participant is written to at a
    `substitute` address alone (Cal. Gov. Code § 6207).
    """
    printed = address.printed()
    drawn = address_lines(printed)
    found = set(_place_flags(printed))
    if not fits(drawn, lines):
        found.add("TOO_MANY_LINES")
    if not all(map(carried, address.parts, printed.parts)):
        found.add("UNRENDERABLE")
    if returned_before:
        found.add("RETURNED_BEFORE")
    if confidential and not substitute:
        found.add("CONFIDENTIAL")
    return Checked(drawn, tuple(flag for flag in FLAGS if flag in found) if found else ())


def _place_flags(printed: MailAddress) -> Iterator[Flag]:
    """What is wrong with the place itself, in any order, perhaps more than once."""
    city, state = printed.city, printed.state
    if not _has_letter(printed.name) or not _has_letter(city) or is_placeholder(city):
        yield "INCOMPLETE"
    military = state in MILITARY or city in MILITARY_POST_OFFICES
    yield from delivery_flags(printed.addr1, printed.addr2, military=military)
    if _is_foreign(printed):
        yield "FOREIGN"
    else:
        yield from _last_line_flags(printed)


def _is_foreign(printed: MailAddress) -> bool:
    """Whether it is known to lie abroad; a state that nobody knows is judged with its ZIP code."""
    if is_foreign_country(printed.country) or is_foreign_postal_code(printed.zip5 + printed.zip4):
        return True
    return not is_state(printed.state) and is_foreign_province(printed.state)


def _last_line_flags(printed: MailAddress) -> Iterator[Flag]:
    state, zip5, zip4 = printed.state, printed.zip5, printed.zip4
    numbered = bool(_ZIP5.fullmatch(zip5))
    if not numbered or (zip4 and not _ZIP4.fullmatch(zip4)):
        yield "INCOMPLETE"
    if not is_state(state):
        yield from _unknown_state_flags(state, numbered=numbered)
        return
    if numbered and not zip_lies_in(state, zip5):
        yield "STATE_ZIP_MISMATCH"
    if (printed.city in MILITARY_POST_OFFICES) != (state in MILITARY):
        # A military state wants its post office for a city, and the post office such a state.
        yield "INCOMPLETE" if state in MILITARY else "STATE_ZIP_MISMATCH"


def _unknown_state_flags(state: str, *, numbered: bool) -> Iterator[Flag]:
    """A state that is no USPS code: not given, written out, or none of the United States'."""
    if len(state) < 2 or not state.replace(" ", "").isalpha() or is_state_name(state):
        yield "INCOMPLETE"
        return
    yield "FOREIGN"
    if numbered:
        yield "STATE_ZIP_MISMATCH"


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))
