"""Keeping catalogues in step with the words that templates and pages use."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from engine.assets import LOCALES, TEMPLATES
from engine.i18n.catalogues import TRANSLATED, catalogue_path, ids_of, read_catalogue, strings_of

REVIEW_PENDING: Final = "Translators: project translation, awaiting agency review"
AGENCY_WORDS: Final = "Translators: the agency's own words"
_PROVENANCE: Final = (REVIEW_PENDING, AGENCY_WORDS)

_PROJECT: Final = "customer-connect"
_ENGINE: Final = Path(__file__).resolve().parents[1]
_JINJA: Final = "jinja2.ext:babel_extract"
_METHODS: Final = {
    TEMPLATES: [("**.html", _JINJA), ("**.txt", _JINJA)],
    _ENGINE: [("**.py", "python")],
}
_JINJA_OPTIONS: Final = {"silent": "false"}

_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
_MARKUP: Final = re.compile(r"</?[a-z][^>]*>|&\w+;")


def extracted(methods: Iterable[tuple[Path, list[tuple[str, str]]]] = _METHODS.items()) -> Catalog:
    """Every string that templates and pages ask to have translated, with where it is used.

    `methods` are folders, each with its (pattern, Babel extractor) pairs.
    """
    template = Catalog(project=_PROJECT, charset="utf-8", fuzzy=False)
    for folder, patterns in methods:
        options = {pattern: _JINJA_OPTIONS for pattern, method in patterns if method == _JINJA}
        for file, _, found, comments, context in extract_from_dir(
            folder, patterns, options, comment_tags=("Translators:",), strip_comment_tags=True
        ):
            where = f"{folder.name}/{file}"
            template.add(found, locations=[(where, 0)], auto_comments=comments, context=context)
    return template


def catalogue_faults(catalogue: Catalog, source: Catalog) -> Iterator[str]:
    """What keeps `catalogue` from being a whole translation of `source`, one line a fault."""
    for wanted in _messages(source):
        held = catalogue.get(wanted.id, wanted.context)
        where = f"{catalogue.locale}: {_name(wanted)}"
        if held is None or not all(strings_of(held)):
            yield f"{where}: missing"
            continue
        if held.fuzzy:
            yield f"{where}: fuzzy"
        yield from (f"{where}: {fault}" for fault in _differences(wanted, held))
        if not set(_PROVENANCE) & set(held.user_comments):
            yield f"{where}: says not whose translation it is ({' | '.join(_PROVENANCE)})"
    for held in _messages(catalogue):
        if source.get(held.id, held.context) is None:
            yield f"{catalogue.locale}: {_name(held)}: obsolete"
    for gone in catalogue.obsolete.values():
        yield f"{catalogue.locale}: {_name(gone)}: obsolete"


def check_catalogues(locales: Path = LOCALES) -> list[str]:
    """The faults of every catalogue; empty when both languages are whole."""
    source = extracted()
    return [
        fault
        for language in TRANSLATED
        for fault in catalogue_faults(read_catalogue(language, locales), source)
    ]


def update_catalogue(language: str, locales: Path = LOCALES) -> int:
    """Bring one catalogue in step with the sources; how many strings still want words.

    Translations are kept, what nothing uses any more is dropped, and what is new stands empty,
    marked as awaiting review: nothing is guessed from similar strings.
    """
    path = catalogue_path(language, locales)
    catalogue = (
        read_catalogue(language, locales)
        if path.exists()
        else Catalog(locale=language, project=_PROJECT, fuzzy=False)
    )
    catalogue.update(extracted(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    waiting = 0
    for message in _messages(catalogue):
        if not set(_PROVENANCE) & set(message.user_comments):
            message.user_comments.append(REVIEW_PENDING)
        waiting += not all(strings_of(message))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=100, sort_by_file=True, include_lineno=False)
    return waiting


def placeholders(text: str) -> set[str]:
    """The names of the values that a string has places for: `%(name)s` and `{name}`."""
    return {found[1] or found[2] for found in _PLACEHOLDER.finditer(text)}


def _messages(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def _name(message: Message) -> str:
    return repr(ids_of(message)[0])


def _differences(wanted: Message, held: Message) -> Iterator[str]:
    asked = set().union(*(placeholders(text) for text in ids_of(wanted)))
    markup = sorted(_MARKUP.findall(ids_of(wanted)[0]))
    for text in strings_of(held):
        if placeholders(text) != asked:
            yield f"placeholders differ: {sorted(asked)} and {sorted(placeholders(text))}"
        if sorted(_MARKUP.findall(text)) != markup:
            yield "markup differs"
