"""Email templates made ready once, at load: made whole of their parts, then CSS inlined into tags.

Mail programs drop style sheets, so every style must stand in its tag. The inliner parses HTML, and
an HTML parser moves text out of tables: Jinja's own tags are hidden from it and put back after.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from css_inline import CSSInliner

from engine.errors import ConnectError

_EXTENDS: Final = re.compile(r'\s*\{%-?\s*extends\s+"([^"]+)"\s*-?%\}')
_INCLUDE: Final = re.compile(r'\{%-?\s*include\s+"([^"]+)"\s*-?%\}\n?')
_BLOCK: Final = re.compile(
    r"\{%-?\s*block\s+(\w+)\s*-?%\}(.*?)\{%-?\s*endblock(?:\s+\w+)?\s*-?%\}", re.DOTALL
)
# A translated block is one piece: its words are a key of the catalogue, and must not change.
_JINJA: Final = re.compile(
    r"(?P<remark>\{#.*?#\})"
    r"|(?P<words>\{\{.*?\}\}|\{%-?\s*trans\b.*?\{%-?\s*endtrans\s*-?%\})"
    r"|(?P<block>\{%.*?%\})",
    re.DOTALL,
)
_STYLE: Final = re.compile(r"<style>.*?</style>", re.DOTALL)
_BONES: Final = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*|jinja-\d+-")
_SHIELD: Final = re.compile(r"<!--jinja-(\d+)-->|jinja-(\d+)-shield")


class InliningError(ConnectError):
    """An email template cannot be inlined without changing what it says; mend the template."""


def inlined(name: str, read: Callable[[str], str]) -> str:
    """The template `name` as one flat Jinja source with its styles in its tags.

    `read` answers the source of a template by name. Rules under `@media` stay in a style sheet.
    Raises InliningError, which names the template.
    """
    opening, source = _flattened(name, read)
    pieces: list[str] = []
    shielded = "".join(_shielded(source, pieces))
    inliner = CSSInliner(keep_at_rules=True, minify_css=True, load_remote_stylesheets=False)
    try:
        html = inliner.inline(shielded)
    except ValueError as error:  # css_inline.InlineError is one
        raise InliningError(f"{name}: {error}") from None
    if _skeleton(html) != _skeleton(shielded):
        raise InliningError(f"{name}: a tag stands where HTML has no place for it, or is left out")
    return opening + _SHIELD.sub(lambda found: pieces[int(found[1] or found[2])], _ordered(html))


def _skeleton(html: str) -> list[str]:
    """Every tag and every shielded piece in order; the style sheet alone may move."""
    return [found[0].lower() for found in _BONES.finditer(_STYLE.sub("", html))]


def _ordered(html: str) -> str:
    """The rules under `@media` at the end of the head: the character set must come first."""
    rules = "".join(found[0] for found in _STYLE.finditer(html))
    return _STYLE.sub("", html).replace("</head>", f"{rules}\n</head>", 1)


def _flattened(name: str, read: Callable[[str], str]) -> tuple[str, str]:
    """What the template sets before its layout begins, and the layout with its blocks filled."""
    source = _INCLUDE.sub(lambda part: read(part[1]), read(name))
    extends = _EXTENDS.match(source)
    if extends is None:
        return "", _BLOCK.sub(lambda block: block[2], source)
    own = source[extends.end() :]
    blocks = dict(_BLOCK.findall(own))
    layout = _BLOCK.sub(lambda block: blocks.pop(block[1], block[2]), read(extends[1]))
    if blocks:
        raise InliningError(f"{name}: {extends[1]} has no block {', '.join(sorted(blocks))}")
    if _EXTENDS.match(layout):
        raise InliningError(f"{name}: {extends[1]} extends another layout")
    return _BLOCK.sub("", own).strip(), layout


def _shielded(source: str, pieces: list[str]) -> Iterator[str]:
    """Jinja's tags as comments, or as words inside a tag or a title, where comments are text."""
    within_tag = within_title = False
    last = 0
    for found in _JINJA.finditer(source):
        literal = source[last : found.start()]
        last = found.end()
        yield literal
        if {"<", ">"} & set(literal):
            within_tag = literal.rfind("<") > literal.rfind(">")
        if "title>" in literal:
            within_title = literal.rfind("<title>") > literal.rfind("</title>")
        if found["remark"]:
            continue
        as_comment = found["block"] and not (within_tag or within_title)
        yield f"<!--jinja-{len(pieces)}-->" if as_comment else f"jinja-{len(pieces)}-shield"
        pieces.append(found[0])
    yield source[last:]
