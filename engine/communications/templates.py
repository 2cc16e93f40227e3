"""The template files of a notice: where they are, how they are loaded, what they say."""

from collections.abc import Iterable, Iterator, MutableMapping
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog
from jinja2 import BaseLoader, Environment, Template, TemplateNotFound, meta
from markupsafe import Markup

from engine.communications.catalogue import Channel
from engine.communications.inlining import inlined
from engine.i18n.catalogues import TRANSLATED, read_catalogue, strings_of, translations
from engine.i18n.folding import fold

_NAMES: Final = {
    Channel.EMAIL: ("email/{key}/subject.txt", "email/{key}/body.txt", "email/{key}/body.html"),
    Channel.MAIL: ("mail/{key}/letter.html",),
    Channel.INBOX: ("mail/{key}/letter.html",),
}
_WITH_CONTEXT: Final = frozenset({"pgettext", "npgettext"})
_PLAIN: Final = (str, bool, Markup)


def template_names(key: str, channels: Iterable[Channel]) -> list[str]:
    """The templates that the notice called `key` must have, to go by `channels`."""
    names = (name.format(key=key) for channel in channels for name in _NAMES[channel])
    return list(dict.fromkeys(names))


class WordsLoader(BaseLoader):
    """Templates of a folder; the HTML of emails is inlined when first loaded, and then kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, str] = {}

    def get_source(self, environment: Environment, template: str) -> tuple[str, None, None]:
        """What is compiled; both languages' environments share the one inlined source."""
        del environment
        if template not in self._kept:
            is_email = template.startswith("email/") and template.endswith(".html")
            self._kept[template] = inlined(template, self.read) if is_email else self.read(template)
        return self._kept[template], None, None

    def load(
        self,
        environment: Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002  Jinja's name for it
    ) -> Template:
        """The template `name`, settled in the environment's language."""
        source, _, _ = self.get_source(environment, name)
        gettext = translations(environment.globals["language"]).gettext
        names = {key: value for key, value in environment.globals.items() if type(value) in _PLAIN}
        tree = environment.parse(source, name)
        fold(tree, gettext, names)
        code = environment.compile(tree, name)
        # A plain mapping: the chain of mappings that Jinja hands over is copied at every rendering.
        return environment.template_class.from_code(environment, code, dict(globals or {}))

    def read(self, template: str) -> str:
        """The source as it is written."""
        try:
            return (self._folder / template).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise TemplateNotFound(template) from None

    def sources(self, environment: Environment, names: Iterable[str]) -> dict[str, str]:
        """The sources of `names`, and of every template they extend or include."""
        found: dict[str, str] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = self.read(name)
                tree = environment.parse(found[name])
                waiting += [other for other in meta.find_referenced_templates(tree) if other]
        return found


def catalogue_entries(
    environment: Environment, sources: Iterable[str]
) -> list[tuple[str, str, tuple[str, ...]]]:
    """(language, source string, translations) of everything that `sources` ask to have said.

    A string that the catalogue does not hold has no translations.
    """
    wanted = sorted({key for source in sources for key in _keys(environment, source)})
    catalogues: dict[str, Catalog] = {language: read_catalogue(language) for language in TRANSLATED}
    return [
        (
            language,
            string,
            strings_of(held) if (held := catalogue.get(string, context or None)) else (),
        )
        for language, catalogue in catalogues.items()
        for string, context in wanted
    ]


def _keys(environment: Environment, source: str) -> Iterator[tuple[str, str]]:
    """Each string with its context; of a singular and plural, the singular."""
    found: Iterable[tuple[int, str, str | tuple[str | None, ...]]]
    found = environment.extract_translations(source)  # type: ignore[attr-defined]  # the extension adds it
    for _, function, strings in found:
        parts = [part for part in ([strings] if isinstance(strings, str) else strings) if part]
        context = parts.pop(0) if function in _WITH_CONTEXT else ""
        yield parts[0], context
