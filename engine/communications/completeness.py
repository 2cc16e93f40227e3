"""What an entry of the notice catalogue still lacks before anyone can be told it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from jinja2 import Environment, TemplateError, nodes

from engine.assets import TEMPLATES
from engine.communications.catalogue import (
    CATALOGUE,
    LANGUAGES,
    Channel,
    Facts,
    Notice,
    Secret,
)
from engine.communications.rendering import EMAIL_FACTS, Renderer
from engine.communications.templates import WordsLoader, catalogue_entries, template_names
from engine.errors import ConnectError
from engine.i18n import Language
from engine.i18n.upkeep import placeholders
from engine.settings import Agency


def notice_faults(notice: Notice, templates: Path = TEMPLATES) -> list[str]:
    """One line for each thing that `notice` lacks in `templates` or in the catalogues.

    Its templates for every channel, its sample, a translation of every string with the same
    placeholders, facts that its templates may name: with none of them wanting, it renders.
    """
    faults = [
        f"{notice.key}: no template {name}"
        for name in template_names(notice.key, notice.days)
        if not (templates / name).is_file()
    ]
    faults = faults or [*_sample_faults(notice), *_words_faults(notice, templates)]
    return faults or list(_rendering_faults(notice, templates))


def _sample_faults(notice: Notice) -> Iterator[str]:
    if not isinstance(notice.sample, notice.facts):
        yield f"{notice.key}: its sample is not {notice.facts.__name__}"
    if notice.carries_secret != (notice.sample_secret is not None):
        yield f"{notice.key}: a sample secret belongs to a notice that carries one"


def _words_faults(notice: Notice, templates: Path) -> Iterator[str]:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    names = template_names(notice.key, notice.days)
    try:
        sources = WordsLoader(templates).sources(environment, names)
    except TemplateError as error:
        yield f"{notice.key}: {type(error).__name__}: {error.message}"
        return
    for language, string, translated in catalogue_entries(environment, sources.values()):
        if not any(translated):
            yield f"{notice.key}: no translation of {string!r} ({language})"
        if any(placeholders(text) != placeholders(string) for text in translated if text):
            yield f"{notice.key}: the placeholders of {string!r} differ ({language})"
    for name, source in sources.items():
        known = EMAIL_FACTS if name.startswith("email/") else notice.facts.model_fields.keys()
        for fact in sorted(_facts_named(environment, source) - known):
            yield f"{notice.key}: {name} may not say facts.{fact}"


def _facts_named(environment: Environment, source: str) -> set[str]:
    return {
        node.attr
        for node in environment.parse(source).find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "facts"
    }


def _rendering_faults(notice: Notice, templates: Path) -> Iterator[str]:
    renderer = Renderer(Agency(), "https://connect.example", templates)
    ways: dict[Channel, Callable[[Notice, Language, Facts, Secret | None], object]] = {
        Channel.EMAIL: renderer.email,
        Channel.MAIL: renderer.letter,
        Channel.INBOX: renderer.letter,
    }
    for channel in notice.days:
        for language in LANGUAGES:
            try:
                ways[channel](notice, language, notice.sample, notice.sample_secret)
            except ConnectError as error:
                yield str(error)


def main() -> None:
    """`python -m engine.communications.completeness`: exit status 1 if any entry lacks anything."""
    faults = [fault for notice in CATALOGUE.values() for fault in notice_faults(notice)]
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    if faults:
        sys.exit(1)
    sys.stdout.write(f"the catalogue's {len(CATALOGUE)} notices are complete in both languages\n")


if __name__ == "__main__":
    main()
