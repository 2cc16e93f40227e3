"""Letters in plain language: the schooling that each asks of its reader, by published measures."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from engine.communications.catalogue import (
    CATALOGUE,
    LETTERS,
    AppointmentFacts,
    Facts,
    PaymentFacts,
)
from engine.communications.rendering import Renderer
from engine.i18n import Language
from engine.mail.letters import Action, Bullets, Heading, Paragraph, Steps
from engine.mail.words import parse_words
from engine.settings import Agency

RENDERER = Renderer(Agency(), "https://connect.example")


@dataclass(frozen=True)
class Counts:
    """What the formulas count."""

    sentences: int
    words: int
    syllables: int


def grade(counts: Counts) -> float:
    """The school year that English asks for (Kincaid and others, 1975)."""
    return 0.39 * counts.words / counts.sentences + 11.8 * counts.syllables / counts.words - 15.59


def ease(counts: Counts) -> float:
    """How easy Spanish is, of 100 (Szigriszt-Pazos, 1993); on the INFLESZ scale 55 to 65 is
    normal, which is the press that everyone reads, and above is easy."""
    return 206.835 - 62.3 * counts.syllables / counts.words - counts.words / counts.sentences


_VOWELS = {"en": "aeiouy", "es": "aeiouáéíóúü"}
_HIATUS = re.compile("[aeoáéó][íú]|[íú][aeoáéó]|[aeoáéó](?=[aeoáéó])")


def syllables(word: str, language: Language) -> int:
    """Groups of vowels; in English without a silent e at the end, in Spanish with those that a
    strong pair or an accent parts."""
    word = word.lower()
    groups = len(re.findall(f"[{_VOWELS[language]}]+", word))
    if language == "es":
        return max(groups + len(_HIATUS.findall(word)), 1)
    silent = re.search("[^aeiouyl]e$", word) is not None and groups > 1
    return max(groups - silent, 1)


def counted(text: str, language: Language) -> Counts:
    """Words are runs of letters: numbers, amounts and the address of the site are no prose."""
    sentences = [one for one in re.split(r"[.:?!;]+(?:\s|$)", text) if re.search(r"\w", one)]
    words = [
        word
        for one in text.split()
        if not re.search(r"\d|\w\.\w|\$", one)
        for word in re.findall(r"[^\W\d_]+", one)
    ]
    return Counts(len(sentences), len(words), sum(syllables(word, language) for word in words))


def every_letter() -> Iterator[tuple[str, Facts]]:
    """Each notice in each of its cases."""
    for notice in LETTERS:
        sample = notice.sample
        if isinstance(sample, AppointmentFacts):
            for kind in ("office", "court"):
                yield notice.key, sample.model_copy(update={"kind": kind})
        elif isinstance(sample, PaymentFacts):
            for direction in ("made", "sent"):
                yield notice.key, sample.model_copy(update={"direction": direction})
        else:
            yield notice.key, sample


def prose(key: str, facts: Facts, language: Language) -> str:
    """What a letter says in sentences; a heading or a step is one of its own."""
    notice = CATALOGUE[key]
    words = parse_words(RENDERER.letter(notice, language, facts, notice.sample_secret), language)
    said = [words.title]
    for block in words.blocks[1:]:
        if isinstance(block, Paragraph | Heading):
            said.append(block.text)
        elif isinstance(block, Bullets | Steps):
            said += block.items
        elif isinstance(block, Action):
            said += (block.heading, *block.lines)
    return " ".join(one if one[-1] in ".:?!" else f"{one}." for one in said)


@pytest.mark.parametrize(("key", "facts"), list(every_letter()))
def test_english_asks_for_eight_years_of_school_at_most(key: str, facts: Facts) -> None:
    """Sixth to eighth grade, or easier, by Flesch and Kincaid."""
    assert grade(counted(prose(key, facts, "en"), "en")) <= 8.0


@pytest.mark.parametrize(("key", "facts"), list(every_letter()))
def test_spanish_is_as_easy_as_the_press_or_easier(key: str, facts: Facts) -> None:
    """Normal or easier on the INFLESZ scale."""
    assert ease(counted(prose(key, facts, "es"), "es")) >= 55


@pytest.mark.parametrize(
    ("language", "word", "expected"),
    [
        ("en", "payment", 2),
        ("en", "table", 2),
        ("en", "choose", 1),
        ("en", "appointment", 3),
        ("en", "the", 1),
        ("es", "cita", 2),
        ("es", "país", 2),
        ("es", "ayuda", 3),
        ("es", "creer", 2),
        ("es", "envíe", 3),
        ("es", "cualquier", 2),
    ],
)
def test_syllables_are_counted(language: Language, word: str, expected: int) -> None:
    """The counting on which the measures rest."""
    assert syllables(word, language) == expected
