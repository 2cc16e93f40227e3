"""Templates compiled for one language: what they say is looked up once, not at every page.

A page says some seventy things. Looking each up while it is drawn took more than half of its time.
"""

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

_GETTEXT = frozenset({"_", "gettext"})


class OneLanguage(Environment):
    """An environment whose `_("…")` become what they say when a template is compiled.

    `translated` looks a string up. What varies
    from page to page is still put in while a page is drawn. A string without a translation raises
    MissingTranslationError when its template is compiled.
    """

    def __init__(self, translated: Callable[[str], str], **options: Any) -> None:
        super().__init__(**options)
        self.translated = translated

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        return _Translating(self).visit(parsed)  # type: ignore[no-any-return]  # visits return Any


class _Translating(NodeTransformer):
    def __init__(self, environment: OneLanguage) -> None:
        self._environment = environment

    def visit_Call(self, node: nodes.Call, *args: Any, **kwargs: Any) -> nodes.Node:  # noqa: N802  named by Jinja
        node = self.generic_visit(node, *args, **kwargs)  # type: ignore[assignment]  # the same node
        if not (isinstance(node.node, nodes.Name) and node.node.name in _GETTEXT):
            return node
        if len(node.args) != 1 or node.dyn_args is not None or node.dyn_kwargs is not None:
            return node
        [said] = node.args
        if not isinstance(said, nodes.Const):
            return node
        words = Markup(self._environment.translated(said.value))  # noqa: S704  our own catalogue
        if not node.kwargs:
            return nodes.Const(words % {}, lineno=node.lineno)
        values = nodes.Dict(
            [
                nodes.Pair(nodes.Const(pair.key), pair.value, lineno=node.lineno)
                for pair in node.kwargs
            ],
            lineno=node.lineno,
        )
        return nodes.Mod(nodes.Const(words), values, lineno=node.lineno)
