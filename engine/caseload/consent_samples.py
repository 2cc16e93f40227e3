"""The sample document of an enrolment: who types back the code that it prints can open our PDFs.

15 U.S.C. § 7001(c)(1)(C)(ii) asks for consent "in a manner that reasonably demonstrates that the
consumer can access information in the electronic form" that will be used.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.consents import Proof
from engine.clock import Clock
from engine.database import driver_connection
from engine.i18n import Language

LETTERS: Final = "CDFHJKMNPRTWXY3479"
"""None that is taken for another by eye or ear (0 and O, 1 and I, 5 and S), and no vowel: a code
is no word in any language."""
LENGTH: Final = 6
"""Of 34 million codes five guesses find one in seven million times."""
WRONG_MOST: Final = 5
LIVES: Final = timedelta(hours=24)

_MAKE: Final = """
INSERT INTO consent_sample (participant_id, text_version, language, nonce, made_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id, text_version, language, nonce, made_at, opened_at, wrong
"""
# A newer sample takes the place of those before it.
_CURRENT: Final = """
SELECT * FROM (
    SELECT id, text_version, language, nonce, made_at, opened_at, wrong, used_at, expires_at
    FROM consent_sample WHERE participant_id = $1 ORDER BY id DESC LIMIT 1
) AS last WHERE used_at IS NULL AND expires_at > $2 AND wrong < $3
"""
_LOCK: Final = "SELECT FROM participant WHERE id = $1 FOR NO KEY UPDATE"
_OPENED: Final = "UPDATE consent_sample SET opened_at = coalesce(opened_at, $2) WHERE id = $1"
_WRONG: Final = "UPDATE consent_sample SET wrong = wrong + 1 WHERE id = $1"
_USED: Final = "UPDATE consent_sample SET used_at = $2 WHERE id = $1"
_FORGET: Final = "DELETE FROM consent_sample WHERE expires_at < $1"


class Typed(StrEnum):
    """What came of a code that was typed."""

    RIGHT = "right"
    MISSING = "code_missing"
    WRONG = "code_wrong"
    RENEWED = "code_renewed"
    """Wrong once too often: there is a new sample, with a new code."""
    GONE = "gone"
    """There is no sample, or not any more."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One that waits for its code, and the words that were shown before it."""

    id: int
    text_version: str
    language: Language
    nonce: bytes
    made_at: datetime
    opened_at: datetime | None
    wrong: int


@dataclass(frozen=True, slots=True)
class Used:
    """A sample whose code was typed back, and what that proves."""

    sample: Sample
    proof: Proof


@dataclass(frozen=True, slots=True)
class ConsentSamples:
    """Makes samples under a key that is not in the database: codes cannot be read there."""

    key: bytes
    clock: Clock

    async def make(
        self, connection: AsyncConnection, participant_id: int, version: str, language: Language
    ) -> Sample:
        """A new sample, which takes the place of any before it; the words of `version` are kept."""
        driver = await driver_connection(connection)
        now = self.clock()
        nonce = secrets.token_bytes(16)
        return _sample(
            await driver.fetchrow(_MAKE, participant_id, version, language, nonce, now, now + LIVES)
        )

    async def current(self, connection: AsyncConnection, participant_id: int) -> Sample | None:
        """The sample that waits for its code."""
        driver = await driver_connection(connection)
        row = await driver.fetchrow(_CURRENT, participant_id, self.clock(), WRONG_MOST)
        return _sample(row) if row else None

    def code(self, sample: Sample) -> str:
        """What the sample prints."""
        digest = hmac.digest(self.key, b"consent sample\0" + sample.nonce, "sha256")
        number, letters = int.from_bytes(digest), []
        for _ in range(LENGTH):
            number, letter = divmod(number, len(LETTERS))
            letters.append(LETTERS[letter])
        return "".join(letters)

    async def opened(self, connection: AsyncConnection, sample: Sample) -> None:
        """It was fetched."""
        driver = await driver_connection(connection)
        await driver.execute(_OPENED, sample.id, self.clock())

    async def typed(self, connection: AsyncConnection, participant_id: int, code: str) -> Typed:
        """What comes of `code`, however it is grouped or capitalised; wrong ones are counted."""
        driver = await driver_connection(connection)
        await driver.execute(_LOCK, participant_id)
        sample = await self.current(connection, participant_id)
        if sample is None:
            return Typed.GONE
        if not _plain(code):
            return Typed.MISSING
        if self._fits(sample, code):
            return Typed.RIGHT
        await driver.execute(_WRONG, sample.id)
        if sample.wrong + 1 < WRONG_MOST:
            return Typed.WRONG
        await self.make(connection, participant_id, sample.text_version, sample.language)
        return Typed.RENEWED

    async def use(
        self, connection: AsyncConnection, participant_id: int, code: str
    ) -> "Used | None":
        """The sample that `code` is right for, which is used up, and the proof that it gives; call
        it in the transaction of the consent, whose participant is locked."""
        sample = await self.current(connection, participant_id)
        if sample is None or not self._fits(sample, code):
            return None
        driver = await driver_connection(connection)
        now = self.clock()
        await driver.execute(_USED, sample.id, now)
        proof: Proof = {
            "sample": sample.id,
            "made_at": _written(sample.made_at),
            "opened_at": _written(sample.opened_at) if sample.opened_at else None,
            "code_typed_at": _written(now),
            "wrong_before": sample.wrong,
        }
        return Used(sample, proof)

    async def forget(self, connection: AsyncConnection) -> None:
        """Samples that ran out a month ago: what they proved stands in the consent."""
        driver = await driver_connection(connection)
        await driver.execute(_FORGET, self.clock() - timedelta(days=30))

    def _fits(self, sample: Sample, code: str) -> bool:
        return hmac.compare_digest(self.code(sample).encode(), _plain(code).encode())


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _plain(code: str) -> str:
    return "".join(mark for mark in code if mark.isalnum()).upper()


def _sample(row: Any) -> Sample:
    return Sample(
        row["id"], row["text_version"], row["language"], row["nonce"], row["made_at"],
        row["opened_at"], row["wrong"],
    )  # fmt: skip
