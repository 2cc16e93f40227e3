"""The PDF objects of one letter: its pages, and the structure tree by which they are read out."""

from collections.abc import Sequence
from typing import Final

from engine.mail.moulds import Element, Leaf, Mould
from engine.mail.pdf_file import Body, Hole

_OWN: Final = 0
_CONTENT: Final = 1
_PAGE_KEY: Final = 2

_PAGE: Final = b"<</Type/Page/MediaBox[0 0 612 792]/Parent %d 0 R"


def letter_objects(
    mould: Mould, *, statics: Sequence[int], resources: int, tree: int, document: int
) -> list[Body]:
    """The letter itself (a /Part of the document), then its pages, then whose each page's content
    is, then the elements.

    `statics` are the streams of what never changes, by page. A script of these takes two bases:
    the first of the letter's own content streams, and the place of its first page in the parent
    tree (ISO 32000-1, 14.7.4.4).
    """
    elements = _Elements(mould)
    pages: list[Body] = [
        [
            _PAGE % tree,
            b"/Resources %d 0 R/Contents[%d 0 R " % (resources, static),
            Hole(_CONTENT, nth),
            b" 0 R]/Tabs/S/StructParents ",
            Hole(_PAGE_KEY, nth),
            b">>",
        ]
        for nth, static in enumerate(statics)
    ]
    halves: list[bytes | Hole] = []
    for half in mould.halves:
        sect = Element(b"/Sect", half.language, b"", half.elements)
        halves += _reference(elements.add(sect, parent=0, language=""))
    letter: Body = [b"<</Type/StructElem/S/Part/P %d 0 R/K[" % document, *halves, b"]>>"]
    owners = [elements.owners_of(page) for page in range(len(statics))]
    return [letter, *pages, *owners, *elements.bodies]


def blank_page(tree: int) -> Body:
    """The empty back of a last sheet."""
    return [_PAGE % tree + b"/Resources<<>>>>"]


class _Elements:
    """Numbers elements after the letter, its pages and their owners, parents before children."""

    def __init__(self, mould: Mould) -> None:
        self.bodies: list[Body] = []
        self._before = 1 + 2 * len(mould.pages)
        self._tagged = [page.tagged for page in mould.pages]
        self._owners: dict[Leaf, int] = {}

    def add(self, element: Element, *, parent: int, language: str) -> int:
        """The number of `element` within the letter, once it and what is in it are added."""
        number = self._before + len(self.bodies)
        self.bodies.append(())
        body: list[bytes | Hole] = [b"<</Type/StructElem/S%b/P " % element.kind]
        body += _reference(parent)
        if element.language != language:
            body.append(b"/Lang(%b)" % element.language.encode())
        body += [element.attributes, *self._kids(element, number), b">>"]
        self.bodies[number - self._before] = body
        return number

    def owners_of(self, page: int) -> Body:
        """The element of each tagged piece of a page, by its number."""
        body: list[bytes | Hole] = [b"["]
        for mcid in range(self._tagged[page]):
            body += _reference(self._owners[Leaf(page, mcid)])
        return [*body, b"]"]

    def _kids(self, element: Element, number: int) -> Body:
        page = next(element.leaves()).page
        body: list[bytes | Hole] = [b"/Pg ", *_page(page), b"/K["]
        for kid in element.kids:
            if isinstance(kid, Leaf):
                self._owners[kid] = number
                body += _content(kid, page)
            else:
                body += _reference(self.add(kid, parent=number, language=element.language))
        return [*body, b"]"]


def _content(leaf: Leaf, page: int) -> Body:
    if leaf.page == page:
        return [b"%d " % leaf.mcid]
    return [b"<</Type/MCR/MCID %d/Pg " % leaf.mcid, *_page(leaf.page), b">>"]


def _page(page: int) -> Body:
    return _reference(1 + page)


def _reference(number: int) -> Body:
    return [Hole(_OWN, number), b" 0 R "]
