"""What is shown before consent, frozen: each language's words are kept once, under their hash."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.database import driver_connection
from engine.i18n import Language

_KEEP: Final = """
INSERT INTO consent_text (version, language, words, first_shown_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (version) DO NOTHING
"""
_KEPT: Final = "SELECT language, words FROM consent_text WHERE version = $1"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and what is said under it, each on a line of its own."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConsentWords:
    """All that is shown, in one language."""

    language: Language
    sections: tuple[Section, ...]

    @property
    def text(self) -> str:
        """The words as they are kept: sections apart by an empty line, the heading first."""
        return "\n\n".join(
            "\n".join((section.heading, *section.lines)) for section in self.sections
        )

    @property
    def version(self) -> str:
        """The SHA-256 of the language and the words: another word makes another version."""
        return hashlib.sha256(f"{self.language}\n{self.text}".encode()).hexdigest()

    @classmethod
    def of(cls, language: Language, text: str) -> Self:
        """The words that `text` kept."""
        sections = (section.split("\n") for section in text.split("\n\n"))
        return cls(language, tuple(Section(heading, tuple(lines)) for heading, *lines in sections))


async def keep_words(connection: AsyncConnection, words: ConsentWords, at: datetime) -> str:
    """Keep what is shown at `at`, unless it is kept already; its version."""
    driver = await driver_connection(connection)
    await driver.execute(_KEEP, words.version, words.language, words.text, at)
    return words.version


async def words_of(connection: AsyncConnection, version: str) -> ConsentWords | None:
    """What was shown under `version`, to the letter."""
    driver = await driver_connection(connection)
    row = await driver.fetchrow(_KEPT, version)
    return ConsentWords.of(row["language"], row["words"]) if row else None
