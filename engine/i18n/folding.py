"""Templates settled for one language when they are compiled, so that little is left per message.

An environment serves one language and one agency for as long as it lives. Its words and names are
put into the compiled template as constants; only a reader's facts are looked up when it renders.
"""

from collections.abc import Callable, Mapping
from typing import Final

from jinja2 import TemplateAssertionError, nodes
from jinja2.visitor import NodeTransformer

_LOOKUPS: Final = frozenset({"_", "gettext"})


def fold(
    template: nodes.Template, gettext: Callable[[str], str], constants: Mapping[str, object]
) -> None:
    """Translate the strings of a parsed `template`, and put `constants` in place of their names.

    Raises MissingTranslationError, before anything is rendered, where `gettext` does.
    """
    _Folding(gettext, constants).visit(template)


class _Folding(NodeTransformer):
    def __init__(self, gettext: Callable[[str], str], constants: Mapping[str, object]) -> None:
        self._gettext = gettext
        self._constants = constants

    def visit_Name(self, node: nodes.Name) -> nodes.Expr:  # noqa: N802  Jinja names its visitors so
        """A name of the environment, as its value."""
        if node.ctx == "load" and node.name in self._constants:
            return nodes.Const(self._constants[node.name], lineno=node.lineno)
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802  Jinja names its visitors so
        """A translated string, with its values put in as Jinja's newstyle gettext does."""
        if not (isinstance(node.node, nodes.Name) and node.node.name in _LOOKUPS):
            return self.generic_visit(node)
        match node.args:
            case [nodes.Const(value=str(string))]:
                words = nodes.MarkSafeIfAutoescape(nodes.Const(self._gettext(string)))
            case _:
                raise TemplateAssertionError("only literal strings are translated", node.lineno)
        pairs = [nodes.Pair(nodes.Const(put.key), self.visit(put.value)) for put in node.kwargs]
        return nodes.Mod(words, nodes.Dict(pairs), lineno=node.lineno)
