"""Strikes many letters from few moulds, into one PDF of a part.

What is the same in every letter is laid out once by Typst and written once; a letter adds the
texts that are its own, its sheet marks and barcode, and its structure tree. Every glyph that is
shown was shaped by Typst, and stands where Typst put it.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import pikepdf

from engine.mail.drawn_pages import DrawnPages
from engine.mail.letter_objects import blank_page, letter_objects
from engine.mail.moulds import Mould, Place, Specimen
from engine.mail.pdf_file import PdfFile, Script

_PAGE_COUNT: Final = re.compile(rb"(?<=<xmpTPg:NPages>)\d+")
_INSTANCE: Final = re.compile(rb"<xmpMM:InstanceID>([^<]+)<")


class Casting:
    """A part under construction: letters are struck into it one after the other."""

    def __init__(self, drawn: DrawnPages) -> None:
        """`drawn` lends its typefaces, colours, title and date, and what it says to archives."""
        self._drawn = drawn
        self._file = PdfFile()
        self._copies: dict[tuple[int, int], int] = {}
        self._tree, self._document = self._file.reserve(), self._file.reserve()
        self._resources = self._file.reserve()
        self._file.put(self._resources, self._direct(drawn.resources))
        self._moulds: dict[int, Script] = {}
        self._blank = Script([blank_page(self._tree)])
        self._kids: list[int] = []
        self._letters: list[int] = []
        self._parents: list[int] = []

    def strike(self, mould: Mould, inks: Sequence[Specimen], fronts: Sequence[bytes] = ()) -> None:
        """One letter from `mould`, with a specimen for each of its inks. `fronts` are content
        operators that are drawn besides on the front of each of its sheets."""
        script = self._moulds.get(id(mould)) or self._prepared(mould)
        contents = self._file.reserve(len(mould.pages))
        letter = self._file.put_script(script, contents, len(self._parents))
        pages = letter + 1
        parents = pages + len(mould.pages)
        for page, drawn in enumerate(_struck(mould, inks)):
            front = fronts[page // 2] if fronts and page % 2 == 0 else b""
            self._file.put_deflated(contents + page, b"", drawn + front)
            self._parents.append(parents + page)
            self._kids.append(pages + page)
        self._letters.append(letter)
        if len(mould.pages) % 2 == 1:
            self._kids.append(self._file.put_script(self._blank))

    def finish(self) -> bytes:
        """The PDF."""
        put, pdf = self._file.put, self._drawn.pdf
        structure, metadata, info, catalogue = (self._file.reserve() for _ in range(4))
        put(self._tree, b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(self._kids), _all(self._kids)))
        put(
            self._document,
            b"<</Type/StructElem/S/Document/P %d 0 R/K[%b]>>" % (structure, _all(self._letters)),
        )
        put(structure, self._structure())
        put(info, self._direct(pdf.trailer.Info))
        self._file.put_stream(metadata, b"/Type/Metadata/Subtype/XML", self._metadata())
        put(
            catalogue,
            b"<</Type/Catalog/Pages %d 0 R/StructTreeRoot %d 0 R/Metadata %d 0 R/Lang%b"
            b"/MarkInfo<</Marked true/Suspects false>>/OutputIntents %b"
            b"/ViewerPreferences<</DisplayDocTitle true>>>>"
            % (
                self._tree,
                structure,
                metadata,
                pdf.Root.Lang.unparse(),
                self._copied(pdf.Root.OutputIntents),
            ),
        )
        return self._file.finish(catalogue, info)

    def _structure(self) -> bytes:
        numbers = b" ".join(b"%d %d 0 R" % entry for entry in enumerate(self._parents))
        return b"<</Type/StructTreeRoot/K[%d 0 R]/ParentTree<</Nums[%b]>>" % (
            self._document,
            numbers,
        ) + b"/ParentTreeNextKey %d/RoleMap %b>>" % (
            len(self._parents),
            self._copied(self._drawn.pdf.Root.StructTreeRoot.RoleMap),
        )

    def _metadata(self) -> bytes:
        """What Typst wrote of its own file, with this file's length and name."""
        written = self._drawn.pdf.Root.Metadata.read_bytes()
        name = _INSTANCE.search(written)
        if name is not None:
            written = written.replace(name[1], self._file.digest[:32].encode())
        return _PAGE_COUNT.sub(b"%d" % len(self._kids), written)

    def _prepared(self, mould: Mould) -> Script:
        """The script of `mould`, whose unchanging content is written now, and once."""
        statics = []
        for page in mould.pages:
            statics.append(self._file.reserve())
            self._file.put_deflated(statics[-1], b"", page.static)
        script = Script(
            letter_objects(
                mould,
                statics=statics,
                resources=self._resources,
                tree=self._tree,
                document=self._document,
            )
        )
        self._moulds[id(mould)] = script
        return script

    def _copied(self, value: Any) -> bytes:
        """An object of the drawn document, with everything it points to."""
        if not isinstance(value, pikepdf.Object):
            return b"%b" % str(value).encode()
        if not value.is_indirect:
            return self._direct(value)
        number = self._copies.get(value.objgen)
        if number is None:
            number = self._copies[value.objgen] = self._file.reserve()
            if isinstance(value, pikepdf.Stream):
                entries = self._entries(value, besides="/Length")
                self._file.put_stream(number, entries, value.read_raw_bytes())
            else:
                self._file.put(number, self._direct(value))
        return b"%d 0 R" % number

    def _direct(self, value: pikepdf.Object) -> bytes:
        if isinstance(value, pikepdf.Array):
            return b"[%b]" % b" ".join(self._copied(item) for item in value)
        if isinstance(value, pikepdf.Dictionary):
            return b"<<%b>>" % self._entries(value)
        return value.unparse()

    def _entries(self, value: Any, besides: str = "") -> bytes:
        return b"".join(
            b"%b %b" % (key.encode(), self._copied(item))
            for key, item in value.items()
            if key != besides
        )


def _all(numbers: Sequence[int]) -> bytes:
    return b" ".join(b"%d 0 R" % number for number in numbers)


def _struck(mould: Mould, inks: Sequence[Specimen]) -> list[bytes]:
    """What this letter alone shows on each of its pages."""
    pages: list[list[bytes]] = [[] for _ in mould.pages]
    for places, ink in zip(mould.inks, inks, strict=True):
        at = 0
        for place in places:
            runs = ink[at:] if place is places[-1] else ink[at : at + place.runs]
            at += len(runs)
            pages[place.page].append(_filled(place, runs))
    return [b"".join(page) for page in pages]


def _filled(place: Place, runs: Specimen) -> bytes:
    first = runs[0]
    shown = (run.at(run.x + place.across, place.y + run.y - first.y).operators() for run in runs)
    return b"%b%bEMC\n" % (place.opening, b"".join(shown))
