"""Invented people: names in the ways Californian parents write them, a third reading Spanish."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from faker import Faker

_SPANISH_READERS: Final = 1 / 3
_SPANISH_NAMES_AMONG_ENGLISH_READERS: Final = 0.3
_DRAWS: Final = 4_000
"""Faker is asked this often for each kind of name, once; people are put together from the answers,
since asking it for every person would take minutes."""

_ACCENTED: Final = ("Núñez", "Muñoz", "Peña", "Ibáñez", "Güemes", "Argüello", "Ñíguez", "Zúñiga")
_APOSTROPHES: Final = ("O'Connor", "D'Angelo", "O’Brien", "N'Diaye", "L'Heureux")
_LONG_FIRST: Final = ("María de los Ángeles Guadalupe Concepción", "José Maximiliano Buenaventura")
_LONG_LAST: Final = (
    "Fernández de Córdoba y Villavicencio-Echeverría Montemayor",
    "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh",
)


@dataclass(frozen=True, slots=True)
class Person:
    """An invented parent."""

    first: str
    last: str
    language: str


def ascii_letters(name: str) -> str:
    """`name` in lower-case ASCII letters, as it would stand in an email address."""
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    words = ("".join(filter(str.isalpha, word)) for word in plain.split())
    return ".".join(filter(None, words))


def _pool(draw: Callable[[], str]) -> tuple[str, ...]:
    """What Faker gives, each once, in the order it came: a set's order differs between runs."""
    return tuple(dict.fromkeys(" ".join(draw().split()) for _ in range(_DRAWS)))


class People:
    """People drawn with `random`, from names that Faker gave for `seed`."""

    def __init__(self, random: Random, seed: int) -> None:
        self._random = random
        english, spanish = Faker("en_US"), Faker("es_MX")
        english.seed_instance(seed)
        spanish.seed_instance(seed)
        self._english = _pool(english.first_name), _pool(english.last_name)
        self._spanish = _pool(spanish.first_name), _pool(spanish.last_name) + _ACCENTED

    def draw(self) -> Person:
        """The next person."""
        chance = self._random.random
        language = "es" if chance() < _SPANISH_READERS else "en"
        named_in_spanish = language == "es" or chance() < _SPANISH_NAMES_AMONG_ENGLISH_READERS
        if chance() < 0.003:
            choose = self._random.choice
            return Person(choose(_LONG_FIRST), choose(_LONG_LAST), language)
        first, last = self._in_spanish() if named_in_spanish else self._in_english()
        return Person(first, last, language)

    def _in_spanish(self) -> tuple[str, str]:
        choose, kind = self._random.choice, self._random.random()
        firsts, lasts = self._spanish
        first, last, second = choose(firsts), choose(lasts), choose(lasts)
        if kind < 0.62:
            return first, f"{last} {second}"
        if kind < 0.75:
            return first, f"{last}-{second}"
        if kind < 0.85:
            return f"{first} {choose(firsts)}", f"{last} {second}"
        return first, f"de la {last}" if kind < 0.88 else last

    def _in_english(self) -> tuple[str, str]:
        choose, kind = self._random.choice, self._random.random()
        firsts, lasts = self._english
        first, last = choose(firsts), choose(lasts)
        if kind < 0.06:
            return first, f"{last}-{choose(lasts)}"
        if kind < 0.1:
            return first, choose(_APOSTROPHES)
        return f"{first} {choose(firsts)[0]}." if kind < 0.18 else first, last
