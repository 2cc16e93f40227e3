"""The words of a letter, read from the small HTML that its Jinja template renders.

Only a handful of elements is understood, and everything else is refused: what a template may say
is decided here, and data, which Jinja escapes, can only ever be text inside one of them.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Final

from engine.errors import ConnectError
from engine.i18n import Language
from engine.mail.letters import (
    Action,
    Block,
    Bullets,
    Facts,
    Heading,
    Paragraph,
    Row,
    Secret,
    Steps,
    Table,
)


class WordsError(ConnectError):
    """A letter template says something the layout has no place for; mend the template."""


@dataclass(frozen=True, slots=True)
class ParsedWords:
    """A title, and the blocks under it in reading order."""

    title: str
    blocks: tuple[Block, ...]


def parse_words(html: str, language: Language) -> ParsedWords:
    """Read the rendered words of one half; white space runs become single spaces.

    Understood: title, p, h2, ul > li, ol > li, dl > dt + dd, table > tr > th or td, by threes,
    section.action > h2 + p…, output[title]. Raises WordsError, which names the element and the
    language and never the text.
    """
    return _Reader(language).read(_elements(html, language))


def _elements(html: str, language: Language) -> "list[_Node]":
    tree = _Tree(language)
    with suppress(WordsError):
        if tree.take(html):
            return tree.finished()
    # Something is out of place, or not as plain as templates are: the parser says what, and where.
    tree = _Tree(language)
    tree.feed(html)
    tree.close()
    return tree.finished()


@dataclass(slots=True)
class _Node:
    tag: str
    attributes: dict[str, str | None]
    text: str = ""
    children: list["_Node"] = field(default_factory=list)


_CHILDREN: Final = {
    "": frozenset({"title", "p", "h2", "ul", "ol", "dl", "table", "section", "output"}),
    "ul": frozenset({"li"}),
    "ol": frozenset({"li"}),
    "dl": frozenset({"dt", "dd"}),
    "table": frozenset({"tr"}),
    "tr": frozenset({"th", "td"}),
    "section": frozenset({"h2", "p"}),
}
_ATTRIBUTES: Final = {"section": "class", "output": "title"}


# The beginning or the end of an element, or the text between two, as plain as our templates are.
# A parser for all of HTML takes several times as long over them.
_PLAIN: Final = re.compile(r'<(/?)([a-z][a-z0-9]*)((?: [a-z]+="[^"<>]*")*)>|[^<]+')
_ATTRIBUTE: Final = re.compile(r' ([a-z]+)="([^"]*)"')


class _Tree(HTMLParser):
    """Elements inside elements, refused as soon as one is out of place."""

    def __init__(self, language: Language) -> None:
        super().__init__(convert_charrefs=True)
        self._language = language
        self._open = [_Node("", {})]

    def take(self, html: str) -> bool:
        """Read plain words; whether they were plain to their end."""
        end = 0
        for token in _PLAIN.finditer(html):
            if token.start() != end:
                return False
            end = token.end()
            closing, tag, attributes = token.groups()
            if tag is None:
                self.handle_data(unescape(token[0]))
            elif closing:
                self.handle_endtag(tag)
            else:
                pairs = _ATTRIBUTE.findall(attributes)
                self.handle_starttag(tag, [(name, unescape(value)) for name, value in pairs])
        return end == len(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        parent = self._open[-1]
        if tag not in _CHILDREN.get(parent.tag, frozenset()):
            where = f"inside <{parent.tag}>" if parent.tag else "here"
            raise self._fault(f"<{tag}> has no place {where}")
        for name, _ in attrs:
            if name != _ATTRIBUTES.get(tag):
                raise self._fault(f"<{tag}> takes no attribute {name!r}")
        node = _Node(tag, dict(attrs))
        parent.children.append(node)
        self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        raise self._fault(f"<{tag}/> is empty")

    def handle_endtag(self, tag: str) -> None:
        if self._open[-1].tag != tag:
            raise self._fault(f"</{tag}> closes what is not open")
        node = self._open.pop()
        node.text = _settled(node.text)
        if not node.text and not node.children:
            raise self._fault(f"<{tag}> is empty")

    def handle_data(self, data: str) -> None:
        node = self._open[-1]
        if node.tag in _CHILDREN:
            if data.strip():
                raise self._fault(f"text stands outside any element{_inside(node.tag)}")
            return
        node.text += data

    def handle_comment(self, data: str) -> None:
        del data
        raise self._fault("a comment is left in the words")

    def handle_decl(self, decl: str) -> None:
        del decl
        raise self._fault("a declaration is left in the words")

    def handle_pi(self, data: str) -> None:
        del data
        raise self._fault("a processing instruction is left in the words")

    def unknown_decl(self, data: str) -> None:
        del data
        raise self._fault("a declaration is left in the words")

    def finished(self) -> list[_Node]:
        """The top elements, once every one of them is closed."""
        if len(self._open) > 1:
            raise self._fault(f"<{self._open[-1].tag}> is never closed")
        return self._open[0].children

    def _fault(self, what: str) -> WordsError:
        line, column = self.getpos()
        return WordsError(f"letter words ({self._language}), {line}:{column}: {what}")


class _Reader:
    """Blocks out of elements."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._blocks: dict[str, Callable[[_Node], Block]] = {
            "p": lambda node: Paragraph(node.text),
            "h2": lambda node: Heading(node.text),
            "ul": lambda node: Bullets(tuple(item.text for item in node.children)),
            "ol": lambda node: Steps(tuple(item.text for item in node.children)),
            "dl": self._facts,
            "table": self._table,
            "section": self._action,
            "output": self._secret,
        }

    def read(self, nodes: list[_Node]) -> ParsedWords:
        titles = [node.text for node in nodes if node.tag == "title"]
        if len(titles) != 1:
            raise self._fault(f"<title> stands {len(titles)} times, and must stand once")
        return ParsedWords(
            title=titles[0],
            blocks=tuple(self._blocks[node.tag](node) for node in nodes if node.tag != "title"),
        )

    def _facts(self, node: _Node) -> Facts:
        tags = [child.tag for child in node.children]
        if tags != ["dt", "dd"] * (len(tags) // 2):
            raise self._fault("<dl> must alternate <dt> and <dd>")
        texts = [child.text for child in node.children]
        return Facts(tuple(zip(texts[::2], texts[1::2], strict=True)))

    def _table(self, node: _Node) -> Table:
        heading, *others = node.children
        if not others:
            raise self._fault("<table> has no row but its names")
        return Table(self._row(heading, "th"), tuple(self._row(row, "td") for row in others))

    def _row(self, node: _Node, tag: str) -> Row:
        match [child.text for child in node.children if child.tag == tag]:
            case [first, second, third] if len(node.children) == 3:
                return first, second, third
        raise self._fault("<table> must have one <tr> of three <th>, then <tr> of three <td>")

    def _action(self, node: _Node) -> Action:
        tags = [child.tag for child in node.children]
        if node.attributes.get("class") != "action":
            raise self._fault("<section> must be of class 'action'")
        if tags[0] != "h2" or "p" not in tags or "h2" in tags[1:]:
            raise self._fault("<section> must be one <h2>, then <p>")
        heading, *lines = (child.text for child in node.children)
        return Action(heading, tuple(lines))

    def _secret(self, node: _Node) -> Secret:
        label = node.attributes.get("title")
        if not label:
            raise self._fault("<output> must say in its title what it holds")
        return Secret(label, node.text)

    def _fault(self, what: str) -> WordsError:
        return WordsError(f"letter words ({self._language}): {what}")


_BREAKS: Final = re.compile(r"[ \t\r\n\f]+")
_NARROW_SPACE: Final = "\u202f"
_NO_BREAK_SPACE: Final = "\u00a0"


def _settled(text: str) -> str:
    """Single spaces. The narrow no-break space that Unicode's locale data puts into times and
    amounts becomes the ordinary no-break space, which the typeface has."""
    return _BREAKS.sub(" ", text.replace(_NARROW_SPACE, _NO_BREAK_SPACE)).strip(" ")


def _inside(tag: str) -> str:
    return f", inside <{tag}>" if tag else ""
