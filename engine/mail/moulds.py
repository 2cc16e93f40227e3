"""A mould: a letter that Typst laid out, without the texts that differ from reader to reader.

Its pages are split into what never changes and the places where ink goes; its structure tree is
kept as it is, so that every letter struck from the mould is tagged as the first one was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any, Final

import pikepdf

from engine.errors import ConnectError
from engine.mail.drawn_pages import DrawnPages, Marked, Run, marked_text

Specimen = tuple[Run, ...]

_OWN: Final = {"/Type", "/S", "/P", "/K", "/Pg", "/Lang", "/ID"}
_NEAR: Final = 0.05  # points; less than a printer can show


class MouldError(ConnectError):
    """A text stands otherwise in a letter than alone, so that no letter can be struck from it."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tagged piece of content: the page of the letter, from 0, and its number there."""

    page: int
    mcid: int


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the structure tree; `attributes` are its other entries, as PDF."""

    kind: bytes
    language: str
    attributes: bytes
    kids: tuple["Element | Leaf", ...]

    def moved(self, pages: int) -> "Element":
        """The same element, so many pages further on."""
        kids = tuple(
            Leaf(kid.page + pages, kid.mcid) if isinstance(kid, Leaf) else kid.moved(pages)
            for kid in self.kids
        )
        return replace(self, kids=kids)

    def leaves(self) -> Iterator[Leaf]:
        """Its content, in reading order."""
        for kid in self.kids:
            if isinstance(kid, Leaf):
                yield kid
            else:
                yield from kid.leaves()


@dataclass(frozen=True, slots=True)
class Place:
    """Where one tagged piece of an ink goes: the page, how it is opened, how far it stands to the
    right of where it was drawn alone, the height of its first run, and how many runs it has.

    What stands against a right edge stands against one where it is drawn alone, too.
    """

    page: int
    opening: bytes
    across: float
    y: float
    runs: int


@dataclass(frozen=True, slots=True)
class MouldPage:
    """What never changes on a page, and how many pieces of the page are tagged."""

    static: bytes
    tagged: int


@dataclass(frozen=True, slots=True)
class MouldHalf:
    """One language: its elements in reading order."""

    language: str
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Mould:
    """One letter's pages and structure. `inks` are the places of each ink, the address first."""

    pages: tuple[MouldPage, ...]
    halves: tuple[MouldHalf, ...]
    inks: tuple[tuple[Place, ...], ...]


class MouldReader:
    """Finds the letters of one drawn document, which has nothing else after its alphabet."""

    def __init__(self, drawn: DrawnPages) -> None:
        root = drawn.pdf.Root
        self._contents = drawn.contents()
        self._numbers = {
            page.obj.objgen: number for number, page in enumerate(drawn.pdf.pages, -drawn.leading)
        }
        document = self._element(root.StructTreeRoot.K[0], str(root.Lang))
        self._elements = [kid for kid in document.kids if isinstance(kid, Element)]

    def lengths(self) -> list[int]:
        """How many pages each half takes. Every half has one title, on its first page."""
        starts = [_first_page(kid) for kid in self._elements if kid.kind == b"/H1"]
        return [end - start for start, end in pairwise((*starts, len(self._contents)))]

    def mould(
        self,
        start: int,
        halves: Sequence[tuple[str, int]],
        inks: Sequence[Specimen],
    ) -> Mould:
        """The letter whose first page is `start`, drawn with these `inks`; each of its `halves`
        has a language and a number of pages. Raises MouldError."""
        found, first = [], start
        for language, length in halves:
            pages = range(first, first + length)
            found.append(MouldHalf(language, tuple(self._rebased(pages, start))))
            first += length
        contents = self._contents[start:first]
        marked = [{piece.mcid: piece for piece in marked_text(content)} for content in contents]
        reading = [
            (leaf, marked[leaf.page][leaf.mcid])
            for half in found
            for element in half.elements
            for leaf in element.leaves()
            if leaf.mcid in marked[leaf.page]
        ]
        pieces = _found(reading, inks)
        taken = [piece for ink in pieces for piece in ink]
        return Mould(
            pages=tuple(
                MouldPage(
                    _without(content, [piece for leaf, piece in taken if leaf.page == page]),
                    1 + max(leaf.mcid for leaf in _leaves(found) if leaf.page == page),
                )
                for page, content in enumerate(contents)
            ),
            halves=tuple(found),
            inks=tuple(tuple(_places(found, ink)) for found, ink in zip(pieces, inks, strict=True)),
        )

    def _rebased(self, pages: range, start: int) -> Iterator[Element]:
        for element in self._elements:
            if _first_page(element) in pages:
                yield element.moved(-start)

    def _element(self, node: Any, language: str) -> Element:
        language = str(node.get("/Lang", language))
        kids = node.get("/K", ())
        return Element(
            kind=str(node.S).encode(),
            language=language,
            attributes=b"".join(
                key.encode() + b" " + _written(value if key != "/A" else _kept(value))
                for key, value in node.items()
                if key not in _OWN
            ),
            kids=tuple(
                self._kid(kid, node, language)
                for kid in (kids if isinstance(kids, pikepdf.Array) else (kids,))
            ),
        )

    def _kid(self, kid: Any, node: Any, language: str) -> Element | Leaf:
        if isinstance(kid, int):
            return Leaf(self._numbers[node.Pg.objgen], kid)
        if kid.get("/Type") == "/MCR":
            return Leaf(self._numbers[kid.get("/Pg", node.get("/Pg")).objgen], int(kid.MCID))
        return self._element(kid, language)


def _kept(attributes: Any) -> Any:
    """A table's cells find the names of their columns by the scope of these (ISO 32000-1,
    14.8.4.3.4): the identifiers that they are found by as well would be another letter's, too."""
    if isinstance(attributes, pikepdf.Array):
        return pikepdf.Array([_kept(one) for one in attributes])
    if isinstance(attributes, pikepdf.Dictionary):
        return pikepdf.Dictionary(
            {key: value for key, value in attributes.items() if key != "/Headers"}
        )
    return attributes


def _written(value: Any) -> bytes:
    return value.unparse() if isinstance(value, pikepdf.Object) else str(value).encode()


def _leaves(halves: Sequence[MouldHalf]) -> Iterator[Leaf]:
    for half in halves:
        for element in half.elements:
            yield from element.leaves()


def _first_page(element: Element) -> int:
    return next(element.leaves()).page


_Piece = tuple[Leaf, Marked]


def _found(reading: Sequence[_Piece], inks: Sequence[Specimen]) -> list[list[_Piece]]:
    """The pieces of each ink, which follow one another as the inks do."""
    pieces, at = [], 0
    for ink in inks:
        begin = next((n for n in range(at, len(reading)) if _says(reading[n:], ink)), None)
        if begin is None:
            raise MouldError("a text is drawn otherwise in a letter than alone")
        at = begin + _count(reading[begin:], len(ink))
        pieces.append(list(reading[begin:at]))
    return pieces


def _count(reading: Sequence[_Piece], runs: int) -> int:
    """How many pieces hold that many runs."""
    held = accumulate(len(piece.runs) for _, piece in reading)
    return next((n for n, total in enumerate(held, 1) if total >= runs), len(reading))


def _says(reading: Sequence[_Piece], ink: Specimen) -> bool:
    """Whether the first pieces are this ink: the same glyphs, as far apart."""
    if reading[0][1].runs[0].shown != ink[0].shown:
        return False
    pieces = reading[: _count(reading, len(ink))]
    runs = [(leaf.page, run) for leaf, piece in pieces for run in piece.runs]
    return len(runs) == len(ink) and all(
        one.shown == other.shown and (page != runs[0][0] or _as_far(runs[0][1], one, ink[0], other))
        for (page, one), other in zip(runs, ink, strict=True)
    )


def _as_far(start: Run, one: Run, begin: Run, other: Run) -> bool:
    across = (one.x - start.x) - (other.x - begin.x)
    down = (one.y - start.y) - (other.y - begin.y)
    return abs(across) < _NEAR and abs(down) < _NEAR


def _places(pieces: Sequence[_Piece], ink: Specimen) -> Iterator[Place]:
    at = 0
    for leaf, piece in pieces:
        first = piece.runs[0]
        yield Place(leaf.page, piece.opening, first.x - ink[at].x, first.y, len(piece.runs))
        at += len(piece.runs)


def _without(content: bytes, pieces: Sequence[Marked]) -> bytes:
    kept, at = [], 0
    for piece in sorted(pieces, key=lambda piece: piece.begin):
        kept.append(content[at : piece.begin])
        at = piece.end
    return b"".join((*kept, content[at:]))
