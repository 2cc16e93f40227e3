"""A letter as a value: who it is for, and its words in one language or two, before any layout."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from engine.i18n import Language
from engine.mail.addresses.fields import MailAddress
from engine.mail.addresses.lines import address_lines, fits

LetterLanguage = Literal["en", "es", "both"]

InkKind = Literal[
    "return", "address", "paragraph", "item", "value", "action", "secret", "entry", "cell", "amount"
]
Ink = tuple[InkKind, str | tuple[str, ...]]
"""A text that may differ from reader to reader, or its lines, and what it is part of. Everything
else in a letter (headings, labels, the letterhead) is its *outline*."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {"kind": "paragraph", "text": self.text}

    def inks(self) -> tuple[Ink, ...]:
        """Its text."""
        return (("paragraph", self.text),)

    def outline(self) -> Hashable:
        """Nothing besides."""
        return "paragraph"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading under the title."""

    text: str

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {"kind": "heading", "text": self.text}

    def inks(self) -> tuple[Ink, ...]:
        """None: a heading is how a letter is told from another."""
        return ()

    def outline(self) -> Hashable:
        """Its text."""
        return ("heading", self.text)


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list in which order does not matter."""

    items: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {"kind": "bullets", "items": list(self.items)}

    def inks(self) -> tuple[Ink, ...]:
        """The items."""
        return tuple(("item", item) for item in self.items)

    def outline(self) -> Hashable:
        """How many items there are."""
        return ("bullets", len(self.items))


@dataclass(frozen=True, slots=True)
class Steps:
    """A numbered list: first this, then that."""

    items: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {"kind": "steps", "items": list(self.items)}

    def inks(self) -> tuple[Ink, ...]:
        """The steps."""
        return tuple(("item", item) for item in self.items)

    def outline(self) -> Hashable:
        """How many steps there are."""
        return ("steps", len(self.items))


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values, one pair a row: when, where, how much."""

    rows: tuple[tuple[str, str], ...]

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {"kind": "facts", "rows": [list(row) for row in self.rows]}

    def inks(self) -> tuple[Ink, ...]:
        """The values."""
        return tuple(("value", value) for _, value in self.rows)

    def outline(self) -> Hashable:
        """The names."""
        return ("facts", *(name for name, _ in self.rows))


Row = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of what happened, what it was about and how much it was, under the names of the three
    columns. It may run over pages, and each begins with the names."""

    names: Row
    rows: tuple[Row, ...]

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {
            "kind": "table",
            "names": list(self.names),
            "rows": [list(row) for row in self.rows],
        }

    def inks(self) -> tuple[Ink, ...]:
        """The cells, row by row."""
        kinds: tuple[InkKind, ...] = ("entry", "cell", "amount")
        return tuple(ink for row in self.rows for ink in zip(kinds, row, strict=True))

    def outline(self) -> Hashable:
        """The names, and how many rows there are."""
        return ("table", self.names, len(self.rows))


@dataclass(frozen=True, slots=True)
class Action:
    """The one thing the reader is asked to do, set apart from the rest."""

    heading: str
    lines: tuple[str, ...]

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {"kind": "action", "heading": self.heading, "lines": list(self.lines)}

    def inks(self) -> tuple[Ink, ...]:
        """The lines."""
        return tuple(("action", line) for line in self.lines)

    def outline(self) -> Hashable:
        """The heading, and how many lines there are."""
        return ("action", self.heading, len(self.lines))


@dataclass(frozen=True, slots=True)
class Secret:
    """A PIN, or the number that goes with one: large, on a line of its own, unbroken."""

    label: str
    value: str

    def __repr__(self) -> str:
        """Never the value: a representation ends in logs and tracebacks."""
        return f"Secret(label={self.label!r}, value=…)"

    def to_data(self) -> dict[str, Any]:
        """The block as the layout reads it."""
        return {"kind": "secret", "label": self.label, "value": self.value}

    def inks(self) -> tuple[Ink, ...]:
        """The PIN."""
        return (("secret", self.value),)

    def outline(self) -> Hashable:
        """The label."""
        return ("secret", self.label)


Block = Paragraph | Heading | Bullets | Steps | Facts | Table | Action | Secret


@dataclass(frozen=True, slots=True)
class Half:
    """One language's words.

    `page_label` carries the placeholders {page} and {pages}. `demonstration` is what an unofficial
    profile says on every page, None for an official one. `overleaf` tells, in the *other*
    language, on which {page} its words begin; None where nothing follows.
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

    def outline(self) -> Hashable:
        """Everything but its inks."""
        return (
            self.language,
            self.agency,
            self.programme,
            self.title,
            self.date_line,
            *(block.outline() for block in self.blocks),
            self.page_label,
            self.contact_line,
            self.demonstration,
            self.overleaf,
        )


@dataclass(frozen=True, slots=True)
class Tagline:
    """In one more language, that help is to be had; `language` is its BCP 47 tag."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who a letter goes to, in the fields of USPS Publication 28.

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

    def lines(self) -> tuple[str, ...]:
        """The address as it stands in the window, in upper case."""
        return _lines(self)


@lru_cache(maxsize=500)
def _lines(to: Recipient) -> tuple[str, ...]:
    """Each letter of a part is asked for them several times."""
    return address_lines(
        MailAddress(
            name=to.name,
            urbanization=to.urbanization,
            addr1=to.addr1,
            addr2=to.addr2,
            city=to.city,
            state=to.state,
            zip5=to.zip5,
            zip4=to.zip4,
        ).printed()
    )


@dataclass(frozen=True, slots=True)
class Letter:
    """One piece of mail. Of two halves, the reader's language comes first.

    `large` is the edition for those who asked for large print. `imb` is the 65 bars of our own
    Intelligent Mail barcode, empty where the vendor adds one; it takes the place of one of the
    window's four lines.
    """

    piece_id: str
    template_id: str
    template_version: str
    recipient: Recipient
    return_address: tuple[str, ...]
    halves: tuple[Half, ...]
    taglines: tuple[Tagline, ...] = ()
    large: bool = False
    imb: str = ""

    def __post_init__(self) -> None:
        """Refuse a letter with no words, or with the same language twice."""
        languages = [half.language for half in self.halves]
        if not languages or len(set(languages)) != len(languages):
            raise ValueError("a letter has one half for each of its languages")

    @property
    def language(self) -> LetterLanguage:
        """The language of its only half, or `both`."""
        return "both" if len(self.halves) == 2 else self.halves[0].language

    @property
    def fits(self) -> bool:
        """Whether the window holds its address, and the barcode where there is one."""
        return fits(self.recipient.lines(), 3 if self.imb else 4)

    def inks(self) -> Iterator[Ink]:
        """In reading order: the two addresses, then the inks of its blocks."""
        yield ("return", self.return_address)
        yield ("address", self.recipient.lines())
        for half in self.halves:
            for block in half.blocks:
                yield from block.inks()

    def outline(self) -> Hashable:
        """Everything that is drawn but the inks and the barcode."""
        taglines = tuple((line.language, line.text) for line in self.taglines)
        return (self.large, taglines, tuple(half.outline() for half in self.halves))

    def texts(self) -> list[str]:
        """Every string that will be drawn, for checking characters against the typeface."""
        return _strings((tuple(self.inks()), self.outline()))


def _strings(value: Any) -> list[str]:
    """Every string inside nested tuples, in order."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for inner in value for text in _strings(inner)]
    return []
