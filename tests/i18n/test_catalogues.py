"""Lookups: English is itself, Spanish is whole or raises."""

from io import BytesIO

import pytest
from babel.messages.pofile import read_po

from engine.errors import MissingTranslationError
from engine.i18n.catalogues import StrictTranslations, read_catalogue, translations

_PO = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Payments"
msgstr "Pagos"

msgctxt "verb"
msgid "Book"
msgstr "Reservar"

msgid "%(n)s day"
msgid_plural "%(n)s days"
msgstr[0] "%(n)s día"
msgstr[1] "%(n)s días"

msgid "half %(n)s"
msgid_plural "half %(n)s of many"
msgstr[0] "medio"
msgstr[1] ""

#, fuzzy
msgid "Guessed"
msgstr "Adivinado"

msgid "Empty"
msgstr ""
"""


@pytest.fixture
def spanish() -> StrictTranslations:
    """A small catalogue with every kind of entry."""
    return StrictTranslations(read_po(BytesIO(_PO.encode()), locale="es"))


def test_what_is_translated_is_found(spanish: StrictTranslations) -> None:
    """A string, a string with a context, and both forms of a plural are answered in Spanish."""
    assert spanish.gettext("Payments") == "Pagos"
    assert spanish.pgettext("verb", "Book") == "Reservar"
    assert spanish.ngettext("%(n)s day", "%(n)s days", 1) == "%(n)s día"
    assert spanish.ngettext("%(n)s day", "%(n)s days", 2) == "%(n)s días"


@pytest.mark.parametrize("string", ["Unknown", "Guessed", "Empty", "Book"])
def test_what_is_not_translated_raises(spanish: StrictTranslations, string: str) -> None:
    """A missing, fuzzy or empty entry, or one of another meaning, never comes out in English."""
    with pytest.raises(MissingTranslationError, match=string):
        spanish.gettext(string)


def test_half_a_plural_is_none(spanish: StrictTranslations) -> None:
    """A plural with one form left empty raises for every count."""
    with pytest.raises(MissingTranslationError):
        spanish.ngettext("half %(n)s", "half %(n)s of many", 1)


def test_english_is_the_source() -> None:
    """In English every string is itself, and counts choose between singular and plural."""
    english = translations("en")
    assert english.gettext("Anything at all") == "Anything at all"
    assert english.ngettext("one day", "many days", 3) == "many days"


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("Participant ID Number", "Número de Identificación de Participante"),
        ("Forgot PIN?", "¿Olvidó su PIN?"),
        ("5 to 10 business days", "De 5 a 10 días hábiles"),
        ("Toll-free", "Sin cargo"),
    ],
)
def test_the_glossarys_words_are_used(english: str, spanish: str) -> None:
    """The terms that the agency and this project settled on are the catalogue's."""
    assert translations("es").gettext(english) == spanish


def test_spanish_says_manutencion() -> None:
    """Child support is *manutención*, never *mantenimiento* or *sustento*."""
    words = " ".join(str(message.string) for message in read_catalogue("es")).lower()
    assert "manutención" in words
    assert "mantenimiento" not in words
    assert "sustento" not in words


def test_a_language_without_a_catalogue_is_named() -> None:
    """Asking for a language that nobody translated says which one."""
    with pytest.raises(MissingTranslationError, match="fr: there is no catalogue"):
        read_catalogue("fr")
