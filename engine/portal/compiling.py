"""Templates compiled for one language: what they say is looked up once, not at every page.

A page says some seventy things. Looking each up while it is drawn took more than half of its time.
"""

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, nodes

from engine.i18n.folding import fold


class OneLanguage(Environment):
    """An environment whose `_("…")` become what they say when a template is compiled.

    `translated` looks a string up. What varies from page to page is still put in while a page is
    drawn. A string without a translation raises MissingTranslationError when its template is
    compiled.
    """

    def __init__(self, translated: Callable[[str], str], **options: Any) -> None:
        super().__init__(**options)
        self.translated = translated

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed = super()._parse(source, name, filename)
        fold(parsed, self.translated, {})
        return parsed
