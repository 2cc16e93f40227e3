"""The Spanish of the catalogue: spelled as a dictionary has it, in the words of the glossary."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from engine.i18n.catalogues import ids_of, read_catalogue, strings_of

DICTIONARY: Final = Path(__file__).parents[2] / "node_modules" / "dictionary-es" / "index"
_PLACE: Final = re.compile(r"%\(\w+\)[sd]|\{\w+\}|<[^>]+>|&\w+;|\S+@\S+|www\.\S+|\+\d+")
_WORD: Final = re.compile(r"[^\W\d_]+(?:\([ao]s?\))?")
NAMES: Final = {
    "PIN", "SSN", "PDF", "CSV", "TTY", "ZIP", "UU", "EE", "CA", "PO", "eCommunications",
    "California", "Connect", "Customer", "example",
}  # fmt: skip
"""Names, and what is called the same in both languages."""
KNOWN: Final = {
    "corríjalo": "an imperative with its pronoun, which the dictionary has for some verbs only",
    "llénelo": "likewise",
    "manténgalo": "likewise",
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
    "My Profile": "Mi Perfil",
    "Provide Other Party’s Information": "Proporcionar Información de la Otra Parte",
    "Participant ID Number": "Número de Identificación de Participante",
    "Start an Application Today": "Comience una Solicitud Hoy",
}


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
    """What has a name in the glossary has that name everywhere."""
    held = {ids_of(message)[0]: strings_of(message)[0] for message in read_catalogue("es")}
    assert {english: held.get(english) for english in GLOSSARY} == GLOSSARY
