"""The tables of phrases beside this module, each line a regular expression under its section."""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent
_STROKES: Final = str.maketrans("łŁøØđĐı", "lLoOdDi")
_MARKS: Final = re.compile("[\u0300-\u036f]+")

# Whatever a server may call a mailbox, its address and its owner.
_USER: Final = (
    r"(?:e-?mail |mail |user |your |the |this |that |local |final |intended |such |delivery |"
    r"destination )*"
    r"(?:user|recipient|mailbox|mail ?box|(?<!ip )(?<!host )(?<!server )address(?:ee)?|account|"
    r"userid|user ?name|alias|person|mail ?drop|inbox|rcpt|destinatario|destinataire|benutzer|"
    r"empfanger|empfaenger)"
    r"(?: name| id| address| account)?(?:\(s\)|\(es\)|e?s\b)?"
)

Section = tuple[str, re.Pattern[str]]


def folded(text: str) -> str:
    """`text` as phrases are sought in it: small letters, no accents, single spaces."""
    return " ".join(_without_accents(text.replace("’", "'")).lower().split())


@lru_cache
def sections(table: str) -> tuple[Section, ...]:
    """The sections of a table in their order, each with one pattern for all its phrases."""
    found: list[tuple[str, list[str]]] = []
    for line in (_FOLDER / f"{table}.txt").read_text("utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            found.append((line[1:-1], []))
        elif line and not line.startswith("#"):
            found[-1][1].append(_without_accents(line.replace("{user}", _USER)))
    return tuple((name, _any_of(phrases)) for name, phrases in found)


@lru_cache
def phrases(table: str, section: str) -> re.Pattern[str]:
    """One pattern for the phrases of a section; raises KeyError where there is no such section."""
    return dict(sections(table))[section]


def _any_of(phrases: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{phrase})" for phrase in phrases))


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    # Only marks on Latin and Cyrillic letters: those of other scripts tell words apart.
    return _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_STROKES)
