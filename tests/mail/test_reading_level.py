"""Plain language: the schooling that a letter or an email asks of its reader, by published
measures."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from engine.communications.catalogue import (
    CATALOGUE,
    EMAILS,
    LETTERS,
    Facts,
    Notice,
    StatementFacts,
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


_CASES = {
    "kind": ("court",),
    "direction": ("made",),
    "document": ("court_order", "tax_statement"),
    "why": ("unwanted",),
}
"""What a sample is not, of that which letters tell apart."""
each_email = pytest.mark.parametrize("notice", EMAILS, ids=[notice.key for notice in EMAILS])


def every_letter() -> Iterator[tuple[str, Facts]]:
    """Each notice in each of its cases."""
    for notice in LETTERS:
        yield notice.key, notice.sample
        for field, cases in _CASES.items():
            if hasattr(notice.sample, field):
                for case in cases:
                    yield notice.key, notice.sample.model_copy(update={field: case})
        if isinstance(notice.sample, StatementFacts):
            yield notice.key, notice.sample.model_copy(update={"lines": ()})


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
def test_english_asks_for_six_years_of_school_at_most(key: str, facts: Facts) -> None:
    """Sixth grade, or easier, by Flesch and Kincaid."""
    assert grade(counted(prose(key, facts, "en"), "en")) <= 6.0


@pytest.mark.parametrize(("key", "facts"), list(every_letter()))
def test_spanish_is_as_easy_as_the_press_or_easier(key: str, facts: Facts) -> None:
    """Normal or easier on the INFLESZ scale."""
    assert ease(counted(prose(key, facts, "es"), "es")) >= 55


def said_by_email(notice: Notice, language: Language) -> str:
    """What an email says between what stands around every one of them; each line is a sentence."""
    words = RENDERER.email(notice, language, notice.sample, notice.sample_secret)
    body = words.text.split(f"\n{'-' * 32}\n")[0].split("-\n")[-1]
    lines = [words.subject, *filter(None, map(str.strip, body.split("\n")))]
    return " ".join(line if line[-1] in ".:?!" else f"{line}." for line in lines)


@each_email
def test_an_email_is_as_plain_as_a_letter(notice: Notice) -> None:
    """Sixth grade in English, and in Spanish as easy as the press."""
    assert grade(counted(said_by_email(notice, "en"), "en")) <= 6.0
    assert ease(counted(said_by_email(notice, "es"), "es")) >= 55


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
