"""A letter as a value: who it is for, and its words in one language or two, before any layout."""

from dataclasses import dataclass
from typing import Any, Literal

from engine.i18n import Language

LetterLanguage = Literal["en", "es", "both"]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {"kind": "paragraph", "text": self.text}


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading under the title."""

    text: str

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {"kind": "heading", "text": self.text}


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list in which order does not matter."""

    items: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {"kind": "bullets", "items": list(self.items)}


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, one pair a row: when, where, how much."""

    rows: tuple[tuple[str, str], ...]

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {"kind": "facts", "rows": [list(row) for row in self.rows]}


@dataclass(frozen=True, slots=True)
class Action:
    """The one thing the reader is asked to do, set apart from the rest."""

    heading: str
    lines: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {"kind": "action", "heading": self.heading, "lines": list(self.lines)}


@dataclass(frozen=True, slots=True)
class Secret:
    """A PIN: large, on a line of its own, unbroken."""

    label: str
    value: str

    def __repr__(self) -> str:
        """Never the value: a representation ends in logs and tracebacks."""
        return f"Secret(label={self.label!r}, value=…)"

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {"kind": "secret", "label": self.label, "value": self.value}


@dataclass(frozen=True, slots=True)
class Note:
    """Small print."""

    text: str

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {"kind": "note", "text": self.text}


Block = Paragraph | Heading | Bullets | Facts | Action | Secret | Note


@dataclass(frozen=True, slots=True)
class Half:
    """One language's words.

    `page_label` carries the placeholders {page} and {pages}. `demonstration` is what an unofficial
    profile says on every page, None for an official one. `overleaf` tells, in the *other*
    language, that its words follow; None where nothing follows.
    """

    language: Language
    agency: str
    programme: str
    title: str
    date_line: str
    blocks: tuple[Block, ...]
    page_label: str
    contact_line: str
    demonstration: str | None = None
    overleaf: str | None = None

    def to_data(self) -> dict[str, Any]:
        """The half as the layout reads it."""
        return {
            "language": self.language,
            "agency": self.agency,
            "programme": self.programme,
            "title": self.title,
            "date_line": self.date_line,
            "blocks": [block.to_data() for block in self.blocks],
            "page_label": self.page_label,
            "contact_line": self.contact_line,
            "demonstration": self.demonstration,
            "overleaf": self.overleaf,
        }


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who a letter goes to, in the fields of USPS Publication 28; the layout writes upper case.

    `addr1` is the delivery line, `addr2` its unit (APT 4), `urbanization` for Puerto Rico; what an
    address does not have is the empty string.
    """

    name: str
    addr1: str
    addr2: str
    urbanization: str
    city: str
    state: str
    zip5: str
    zip4: str

    def to_data(self) -> dict[str, Any]:
        """The address as the layout reads it, which decides whether the unit fits its line."""
        return {
            "name": self.name.upper(),
            "urbanization": self.urbanization.upper(),
            "street": self.addr1.upper(),
            "unit": self.addr2.upper(),
            "last": self.last_line,
        }

    @property
    def last_line(self) -> str:
        """City, state and ZIP, as Publication 28 orders them."""
        code = f"{self.zip5}-{self.zip4}" if self.zip4 else self.zip5
        return f"{self.city} {self.state} {code}".upper()


@dataclass(frozen=True, slots=True)
class Letter:
    """One piece of mail. Of two halves, the reader's language comes first."""

    piece_id: str
    template_id: str
    template_version: str
    recipient: Recipient
    return_address: tuple[str, ...]
    halves: tuple[Half, ...]

    def __post_init__(self) -> None:
        """Refuse a letter with no words, or with the same language twice."""
        languages = [half.language for half in self.halves]
        if not languages or len(set(languages)) != len(languages):
            raise ValueError("a letter has one half for each of its languages")

    @property
    def language(self) -> LetterLanguage:
        """The language of its only half, or `both`."""
        return "both" if len(self.halves) == 2 else self.halves[0].language

    def texts(self) -> list[str]:
        """Every string that will be drawn, for checking characters against the typeface."""
        halves = [half.to_data() for half in self.halves]
        return _strings([self.recipient.to_data(), list(self.return_address), halves])


def _strings(value: Any) -> list[str]:
    """Every string inside a JSON-able value, in order."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for inner in value for text in _strings(inner)]
    return []
