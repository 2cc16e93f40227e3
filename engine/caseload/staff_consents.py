"""Consent by telephone or at the office: a caseworker reads the words out, and records it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.consent_words import ConsentWords, keep_words
from engine.caseload.consents import (
    By,
    ConsentEntry,
    How,
    consent_history,
    consent_in_force,
    give_consent,
    withdraw_consent,
)
from engine.caseload.staff_desk import signed
from engine.clock import Clock
from engine.communications.outbox import Outbox
from engine.database import driver_connection
from engine.errors import InputError
from engine.i18n import Language
from engine.security.audit import Audit, Entry

_WHY_MOST: Final = 500
_PARTICIPANT: Final = "SELECT id, language FROM participant WHERE external_id = $1"


@dataclass(frozen=True, slots=True)
class Standing:
    """What counted at a moment, and everything on record until then, the last first."""

    in_force: ConsentEntry | None
    entries: list[ConsentEntry]


@dataclass(frozen=True, slots=True)
class StaffConsents:
    """What caseworkers do about consents; each act is in the audit trail under their account."""

    outbox: Outbox
    audit: Audit
    clock: Clock

    async def language_of(self, external_id: str) -> Language:
        """The language in which this participant's notices are written. Raises InputError."""
        async with self.outbox.engine.connect() as connection:
            language: Language = (await _participant(connection, external_id))["language"]
            return language

    async def show(self, external_id: str, at: datetime | None) -> Standing:
        """How consent stood at `at`, now where none is given. Raises InputError where nobody has
        the number."""
        until = at or self.clock()
        async with self.outbox.engine.connect() as connection:
            participant = await _participant(connection, external_id)
            return Standing(
                await consent_in_force(connection, participant["id"], until),
                await consent_history(connection, participant["id"], until),
            )

    async def give(
        self, external_id: str, words: ConsentWords, how: How, account: str, why: str
    ) -> bool:
        """The participant agreed after `words` had been read out to them; False where they are
        enrolled. Raises InputError, and NoEmailError where no alert could be sent."""
        by = By(how, signed(account), {"note": _noted(why)})
        async with self.outbox.transaction() as transaction:
            participant = await _participant(transaction.connection, external_id)
            version = await keep_words(transaction.connection, words, self.clock())
            done = await give_consent(
                transaction, participant["id"], version, by, key=str(uuid4()), clock=self.clock
            )
            if done:
                await self._audited(transaction.connection, "enrolled", participant["id"], by)
        return done

    async def withdraw(self, external_id: str, how: How, account: str, why: str) -> bool:
        """The participant wants paper again; False where they have it. Raises InputError."""
        by = By(how, signed(account), {"note": _noted(why)})
        async with self.outbox.transaction() as transaction:
            participant = await _participant(transaction.connection, external_id)
            done = await withdraw_consent(
                transaction, participant["id"], by, key=str(uuid4()), clock=self.clock
            )
            if done:
                await self._audited(transaction.connection, "withdrawn", participant["id"], by)
        return done

    async def _audited(
        self, connection: AsyncConnection, what: str, participant_id: int, by: By
    ) -> None:
        act = f"staff.ecommunications.{what}"
        entry = Entry(f"staff:{by.staff}", act, participant_id, {"how": by.how})
        await self.audit.append(connection, entry)


async def _participant(connection: AsyncConnection, external_id: str) -> Any:
    driver = await driver_connection(connection)
    row = await driver.fetchrow(_PARTICIPANT, external_id)
    if row is None:
        raise InputError("no participant has this Participant ID Number")
    return row


def _noted(why: str) -> str:
    """The note that is the proof. Raises InputError for one that says nothing, or too much."""
    noted = " ".join(why.split())
    if not noted or len(noted) > _WHY_MOST or not noted.isprintable():
        raise InputError(
            f"say how the participant told you, and how you know that they can open PDF files "
            f"(--why): up to {_WHY_MOST} characters, kept on record"
        )
    return noted
