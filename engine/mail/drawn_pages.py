"""Reads what Typst drew: its pages, the runs of text on them, and the typefaces they share."""

import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import pikepdf

# As Typst's PDF writer puts one run of text: moved to its baseline, filled with a grey.
_RUN: Final = re.compile(
    rb"q 1 0 0 -1 (-?[\d.]+) (-?[\d.]+) cm/c0 cs [\d.]+ scn\nBT(.*?)\nET\nQ\n", re.DOTALL
)
_MARK: Final = re.compile(rb"/\w+<<[^<>]*/MCID (\d+)[^<>]*>>BDC\n")
_FACE: Final = re.compile(rb"/f(\d+)(?= )")
_RESOURCES: Final = {"/ColorSpace", "/Font", "/ProcSet"}


@dataclass(frozen=True, slots=True)
class Run:
    """Glyphs on one baseline: where they begin, in points from the sheet's lower left corner, and
    the operators that show them."""

    x: float
    y: float
    shown: bytes

    def at(self, x: float, y: float) -> "Run":
        """The same glyphs elsewhere."""
        return Run(x, y, self.shown)

    def operators(self) -> bytes:
        """The run in black, as it stands in a content stream."""
        return b"q 1 0 0 -1 %.8g %.8g cm/c0 cs 0 scn\nBT%b\nET\nQ\n" % (self.x, self.y, self.shown)


@dataclass(frozen=True, slots=True)
class Marked:
    """One tagged piece of a page's content that is nothing but text; `content[begin:end]`."""

    mcid: int
    begin: int
    end: int
    opening: bytes
    runs: tuple[Run, ...]


def runs_in(content: bytes) -> Iterator[Run]:
    """Every run of text, in the order drawn."""
    for found in _RUN.finditer(content):
        yield _run(found)


def marked_text(content: bytes) -> Iterator[Marked]:
    """Every tagged piece of text, in the order drawn."""
    for mark in _MARK.finditer(content):
        runs, at = [], mark.end()
        while found := _RUN.match(content, at):
            runs.append(_run(found))
            at = found.end()
        if runs and content.startswith(b"EMC", at):
            yield Marked(int(mark[1]), mark.start(), at + 3, mark[0], tuple(runs))


def _run(found: re.Match[bytes]) -> Run:
    return Run(float(found[1]), float(found[2]), found[3])


class DrawnPages:
    """A document of Typst's, read once. Its first page holds the alphabet, and so every typeface;
    the pages after it are read as if they named their typefaces as that one does."""

    def __init__(self, pdf: bytes, *, leading: int = 1) -> None:
        """`leading` is how many pages the alphabet takes."""
        self.pdf = pikepdf.open(io.BytesIO(pdf))
        self.leading = leading
        faces = self.pdf.pages[0].obj.Resources.Font
        self.faces = [faces[f"/f{number}"] for number in range(len(faces))]
        for face in self.faces:
            _name_apart(face)

    def alphabet(self) -> bytes:
        """The glyphs of every typeface, in the order in which content streams number them."""
        return b"".join(
            face.DescendantFonts[0].FontDescriptor.FontFile2.read_raw_bytes()
            + face.ToUnicode.read_raw_bytes()
            for face in self.faces
        )

    @property
    def resources(self) -> pikepdf.Object:
        """What content streams name: typefaces and colours."""
        return self.pdf.pages[0].obj.Resources

    def contents(self) -> list[bytes]:
        """The content stream of each page after the alphabet."""
        return [self._content(page) for page in self.pdf.pages[self.leading :]]

    def _content(self, page: pikepdf.Page) -> bytes:
        resources = page.obj.Resources
        if not set(resources.keys()) <= _RESOURCES:
            raise ValueError(f"a page uses {sorted(resources.keys())}")
        content: bytes = page.obj.Contents.read_bytes()
        names = self._names(resources.Font) if "/Font" in resources else {}
        if all(own == shared for own, shared in names.items()):
            return content
        return _FACE.sub(lambda face: names[face[0]], content)

    def _names(self, own: pikepdf.Object) -> dict[bytes, bytes]:
        known = [face.objgen for face in self.faces]
        return {name.encode(): b"/f%d" % known.index(face.objgen) for name, face in own.items()}


def _name_apart(face: pikepdf.Object) -> None:
    """Tag a subset by its content (ISO 32000-2, 9.9.2): Typst gives the weights of one variable
    typeface the same tag, and a printer that keeps fonts by their names would take one for another.
    """
    descendant = face.DescendantFonts[0]
    digest = hashlib.sha256(descendant.FontDescriptor.FontFile2.read_raw_bytes()).digest()
    tag = "".join(chr(ord("A") + byte % 26) for byte in digest[:6])
    name = pikepdf.Name(f"/{tag}+{str(face.BaseFont).partition('+')[2]}")
    face.BaseFont = descendant.BaseFont = descendant.FontDescriptor.FontName = name


def grouped(runs: Iterable[Run], gap: float) -> list[tuple[Run, ...]]:
    """Runs that stand together; `gap` points of blank paper, or more, part one from the next."""
    groups: list[list[Run]] = []
    for run in runs:
        if groups and abs(groups[-1][-1].y - run.y) < gap:
            groups[-1].append(run)
        else:
            groups.append([run])
    return [tuple(group) for group in groups]
