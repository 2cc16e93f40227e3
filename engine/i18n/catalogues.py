"""Gettext catalogues, read from their `.po` files; English is the source and needs none."""

from functools import lru_cache
from gettext import NullTranslations, c2py
from pathlib import Path
from typing import Final, Literal

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from engine.assets import LOCALES
from engine.errors import MissingTranslationError

Language = Literal["en", "es"]
SOURCE_LANGUAGE: Final[Language] = "en"
TRANSLATED: Final[tuple[Language, ...]] = ("es",)
"""The languages that have a catalogue."""

_Key = tuple[str | None, str]


class StrictTranslations(NullTranslations):
    """Lookups in one catalogue; a missing, empty or fuzzy entry raises MissingTranslationError."""

    def __init__(self, catalogue: Catalog) -> None:
        super().__init__()
        self._language = str(catalogue.locale)
        self._entries: dict[_Key, tuple[str, ...]] = {}
        self._plural_index = c2py(catalogue.plural_expr)
        for message in catalogue:
            strings = strings_of(message)
            if message.id and not message.fuzzy and all(strings):
                self._entries[(message.context or None, ids_of(message)[0])] = strings

    def gettext(self, message: str) -> str:
        """The translation of `message`."""
        return self._found(None, message)[0]

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The translation for `n` things; `msgid2` is the source's plural."""
        return self._form(self._found(None, msgid1), msgid2, n)

    def pgettext(self, context: str, message: str) -> str:
        """The translation of `message` where the same English word has several meanings."""
        return self._found(context, message)[0]

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        """The translation for `n` things, of one meaning."""
        return self._form(self._found(context, msgid1), msgid2, n)

    def _found(self, context: str | None, msgid: str) -> tuple[str, ...]:
        try:
            return self._entries[(context, msgid)]
        except KeyError:
            raise MissingTranslationError(
                f"{self._language}: no translation of {msgid!r}"
            ) from None

    def _form(self, strings: tuple[str, ...], plural: str, n: int) -> str:
        index = self._plural_index(n)
        if index >= len(strings):
            raise MissingTranslationError(f"{self._language}: no plural form {index} of {plural!r}")
        return strings[index]


def ids_of(message: Message) -> tuple[str, ...]:
    """The source string of a message, or its singular and plural."""
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def strings_of(message: Message) -> tuple[str, ...]:
    """The translation of a message, or one for each plural form; empty where there is none."""
    if isinstance(message.string, str | None):
        return (message.string or "",)
    return tuple(text or "" for text in message.string)


def catalogue_path(language: str, locales: Path = LOCALES) -> Path:
    """Where the catalogue of `language` is kept."""
    return locales / language / "LC_MESSAGES" / "messages.po"


def read_catalogue(language: str, locales: Path = LOCALES) -> Catalog:
    """The catalogue of `language`; raises MissingTranslationError where there is none."""
    path = catalogue_path(language, locales)
    try:
        with path.open("rb") as file:
            return read_po(file, locale=language, abort_invalid=True)
    except FileNotFoundError:
        raise MissingTranslationError(f"{language}: there is no catalogue at {path}") from None


@lru_cache
def translations(language: Language) -> NullTranslations:
    """Lookups for `language`, read at first use. In the source language a string is itself."""
    if language == SOURCE_LANGUAGE:
        return NullTranslations()
    return StrictTranslations(read_catalogue(language))
