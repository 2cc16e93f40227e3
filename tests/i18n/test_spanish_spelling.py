"""The Spanish of the catalogue: spelled as a dictionary has it, in the words of the glossary."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from engine.i18n.catalogues import ids_of, read_catalogue, strings_of
from engine.settings import Settings

DICTIONARY: Final = Path(__file__).parents[2] / "node_modules" / "dictionary-es" / "index"
_PLACE: Final = re.compile(r"%\(\w+\)[sd]|\{\w+\}|<[^>]+>|&\w+;|\S+@\S+|www\.\S+|\+\d+")
_WORD: Final = re.compile(r"[^\W\d_]+(?:\([ao]s?\))?")
NAMES: Final = {
    "PIN", "SSN", "PDF", "CSV", "TTY", "ZIP", "UU", "EE", "CA", "PO", "eCommunications", "Esc",
    "California", "Connect", "Customer", "example", "CalWORKs", "Medi", "Safe", "at", "iPhone",
    "HEIC", "JPEG", "PNG", "MB",
}  # fmt: skip
"""Names, and what is called the same in both languages."""
KNOWN: Final = {
    "corríjalo": "an imperative with its pronoun, which the dictionary has for some verbs only",
    "imprímalo": "likewise",
    "llénelo": "likewise",
    "manténgalo": "likewise",
    "preséntela": "likewise",
    "quítelo": "likewise",
    "recíbalo": "likewise",
    "spam": "what mail programs call the folder, in the Academy's dictionary since 2023",
}
FORBIDDEN: Final = {
    "mantenimiento": "child support is manutención",
    "sustento": "child support is manutención",
    "tribunal": "the glossary says corte",
    "tu": "the reader is usted",
    "tus": "the reader is usted",
    "tienes": "the reader is usted",
    "puedes": "the reader is usted",
    "quieres": "the reader is usted",
    "elige": "the reader is usted",
    "escribe": "the reader is usted",
    "haz": "the reader is usted",
}
GLOSSARY: Final = {
    "Participant ID Number": "Número de Identificación de Participante",
    "Social Security Number (SSN)": "Número del Seguro Social (SSN)",
    "Personal Identification Number (PIN)": "Número de Identificación Personal (PIN)",
    "temporary PIN": "PIN temporal",
    "Login": "Ingresar",
    "Log out": "Salir",
    "Forgot PIN?": "¿Olvidó su PIN?",
    "Change PIN": "Cambiar PIN",
    "Current PIN": "PIN actual",
    "New PIN": "PIN nuevo",
    "Confirm New PIN": "Confirme el PIN nuevo",
    "My Payments": "Mis Pagos",
    "Payments I Made": "Pagos Realizados por Mí",
    "Payments Sent to Me": "Pagos Enviados a Mí",
    "Payments I Received": "Pagos Recibidos",
    "My Profile": "Mi Perfil",
    "Update My Information": "Actualizar Mi Información",
    "Provide Other Party’s Information": "Proporcionar Información de la Otra Parte",
    "account balances": "saldos de cuenta",
    "billing statement": "estado de cuenta",
    "payment history": "historial de pagos",
    "case information": "información de caso",
    "court dates and appointments": "fechas de la corte y citas",
    "appointment reminder": "recordatorio de cita",
    "parent or guardian": "padre, madre o tutor legal",
    "caseworker": "trabajador(a) de caso",
    "eCommunications": "Comunicaciones Electrónicas",
    "paperless": "sin papel",
    "mailing address on file": "domicilio postal registrado",
    "mailing address": "domicilio postal",
    "business day": "día hábil",
    "Main Menu": "Menú Principal",
    "None of these": "Ninguno",
    "toll-free": "sin cargo",
    "24 hours a day, 7 days a week": "las 24 horas del día, los 7 días de la semana",
    "Electronic Payment Card": "Tarjeta de Pago Electrónico",
    "Start an Application Today": "Comience una Solicitud Hoy",
    "confirmation page": "página de confirmación",
    "child support": "manutención de menores",
}
"""The project's glossary, row by row: what these are called in Spanish wherever they are named."""
NAMED: Final = {
    "Customer Connect": "Cliente Conectado",
    "California Child Support Services": "Servicios de Manutención de Menores de California",
}
"""What settings say, and no catalogue."""
ALONE: Final = {"Check": "Cheque"}
"""Words with other meanings inside a sentence."""
MENDED: Final = {
    "sin tarifa": "sin cargo",
    "en archivo": "registrado",
    "balances": "saldos",
    "manutención infantil": "manutención de menores",
}
"""What the older brochures say → what the glossary says instead."""


@pytest.fixture(scope="module")
def words() -> dict[str, str]:
    """Every word of the catalogue, with a message it stands in."""
    found: dict[str, str] = {}
    for message in read_catalogue("es"):
        if message.id:
            for text in strings_of(message):
                for word in _WORD.findall(_PLACE.sub(" ", text)):
                    found.setdefault(re.sub(r"\([ao]s?\)$", "", word), ids_of(message)[0])
    return found


@pytest.mark.needs("hunspell")
def test_every_word_is_in_the_dictionary(words: dict[str, str]) -> None:
    """Each word, in one case or the other, is Spanish; names are listed."""
    asked = {word for word in words if len(word) > 1 and word not in NAMES}
    unknown = not_spanish(asked)
    unknown &= {word for word in unknown if word.lower() in not_spanish({word.lower()})}
    assert {word: words[word] for word in unknown if word.lower() not in KNOWN} == {}


def not_spanish(asked: set[str]) -> set[str]:
    """Those that hunspell does not know."""
    ran = subprocess.run(
        ["hunspell", "-i", "utf-8", "-d", str(DICTIONARY), "-l"],
        input="\n".join(sorted(asked)),
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


def test_nothing_is_called_what_the_glossary_forbids(words: dict[str, str]) -> None:
    """Manutención and corte, and usted."""
    said = {word.lower(): where for word, where in words.items()}
    assert {word: said[word] for word in FORBIDDEN if word in said} == {}


def test_the_glossary_is_kept() -> None:
    """What has a name in the glossary, and stands by itself, has that name."""
    named = {english.casefold(): spanish for english, spanish in (GLOSSARY | ALONE).items()}
    found = {
        english: spanish
        for english, spanish in messages()
        if english.casefold() in named
        and spanish.casefold() != named[english.casefold()].casefold()
    }
    assert found == {}


@pytest.mark.parametrize("term", GLOSSARY)
def test_the_glossary_is_kept_inside_of_sentences(term: str) -> None:
    """What has a name in the glossary has it in the middle of a sentence too, in the singular and
    the plural; no row is there for nothing."""
    english, spanish = _named(term, "s?"), _named(GLOSSARY[term], "(?:e?s)?")
    saying = {said: in_spanish for said, in_spanish in messages() if english.search(said)}
    assert saying
    otherwise = {said: told for said, told in saying.items() if not spanish.search(told)}
    assert otherwise == {}


def _named(term: str, plural: str) -> re.Pattern[str]:
    """A term as it stands in a sentence: any of its words may have the ending of a plural."""
    words = (re.escape(word.removesuffix("s") if plural == "s?" else word) for word in term.split())
    return re.compile(rf"(?<!\w){rf'{plural} '.join(words)}{plural}(?!\w)", re.IGNORECASE)


def messages() -> Iterator[tuple[str, str]]:
    """Every message of the catalogue, its singular and its plural, in English and Spanish."""
    for message in read_catalogue("es"):
        if message.id:
            yield from zip(ids_of(message), strings_of(message), strict=True)


def test_what_the_brochures_say_otherwise_is_mended() -> None:
    """Older words that the glossary mends are nowhere."""
    for english, spanish in messages():
        for older in MENDED:
            assert not re.search(rf"\b{older}\b", spanish, re.IGNORECASE), english


def test_the_names_of_the_profile_are_those_of_the_glossary() -> None:
    """The programme and the agency, in both languages."""
    agency = Settings().agency
    assert {
        agency.programme("en"): agency.programme("es"),
        agency.name("en"): agency.name("es"),
    } == (NAMED)
