"""The template files of a notice: where they are, how they are loaded, what they say."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from jinja2 import BaseLoader, Environment, TemplateNotFound, meta

from engine.communications.catalogue import Channel
from engine.communications.inlining import inlined
from engine.i18n.catalogues import read_catalogue, strings_of
from engine.i18n.upkeep import TRANSLATED

_NAMES: Final = {
    Channel.EMAIL: ("email/{key}/subject.txt", "email/{key}/body.txt", "email/{key}/body.html"),
    Channel.MAIL: ("mail/{key}/letter.html",),
}


def template_names(key: str, channels: Iterable[Channel]) -> list[str]:
    """The templates that the notice called `key` must have, to go by `channels`."""
    return [name.format(key=key) for channel in channels for name in _NAMES[channel]]


class WordsLoader(BaseLoader):
    """Templates of a folder; the HTML of emails is inlined when first loaded, and then kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, str] = {}

    def get_source(self, environment: Environment, template: str) -> tuple[str, None, None]:
        """What Jinja compiles; both languages' environments share the one inlined source."""
        del environment
        if template not in self._kept:
            is_email = template.startswith("email/") and template.endswith(".html")
            self._kept[template] = inlined(template, self.read) if is_email else self.read(template)
        return self._kept[template], None, None

    def read(self, template: str) -> str:
        """The source as it is written."""
        try:
            return (self._folder / template).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise TemplateNotFound(template) from None

    def sources(self, names: Iterable[str]) -> dict[str, str]:
        """The sources of `names`, and of every template they extend or include."""
        found: dict[str, str] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found[name] = self.read(name)
                tree = Environment(extensions=["jinja2.ext.i18n"]).parse(found[name])
                waiting += [other for other in meta.find_referenced_templates(tree) if other]
        return found


def catalogue_entries(
    environment: Environment, sources: Iterable[str]
) -> list[tuple[str, str, tuple[str, ...]]]:
    """(language, source string, translations) of everything that `sources` ask to have said."""
    wanted = sorted({string for source in sources for string in _strings(environment, source)})
    catalogues: dict[str, Catalog] = {language: read_catalogue(language) for language in TRANSLATED}
    return [
        (language, string, strings_of(message) if (message := catalogue.get(string)) else ())
        for language, catalogue in catalogues.items()
        for string in wanted
    ]


def _strings(environment: Environment, source: str) -> Iterator[str]:
    found: Iterable[tuple[int, str, str | tuple[str | None, ...] | None]]
    found = environment.extract_translations(source)  # type: ignore[attr-defined]  # the extension adds it
    for _, _, strings in found:
        if isinstance(strings, tuple):
            yield from (string for string in strings if string)
        elif strings:
            yield strings
