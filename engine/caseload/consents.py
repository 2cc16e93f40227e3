"""Consent to eCommunications: each one given or withdrawn is a record that is never changed.

The E-SIGN Act asks for it (15 U.S.C. § 7001(c)): before they consent readers are told what of paper
stays theirs and how to withdraw, and they consent in a way that shows that they can open what they
will be sent. `participant.paperless`, the switch that routes read, is set here, in the transaction
of the record, and by the import, which records the case system's word in the same way.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.alerts import ordinary_route
from engine.caseload.personal import NAME
from engine.clock import Clock, require_aware
from engine.communications.catalogue import (
    ECOMMUNICATIONS_ENROLLED,
    ECOMMUNICATIONS_WITHDRAWN,
    EnrolmentFacts,
    Notice,
)
from engine.communications.outbox import Obligation, Transaction
from engine.database import driver_connection
from engine.errors import InputError

How = Literal["web", "phone", "caseworker", "case_system"]
Proof = Mapping[str, str | int | None]

_LOCK: Final = f"""
SELECT paperless, language, {NAME} AS name
FROM participant WHERE id = $1 FOR NO KEY UPDATE
"""  # noqa: S608  joined from constants of ours
_EMAIL: Final = """
SELECT id FROM contact_point WHERE participant_id = $1 AND kind = 'email'
AND superseded_at IS NULL AND safe_to_use AND bounced_at IS NULL
"""
_SWITCH: Final = "UPDATE participant SET paperless = $2 WHERE id = $1"
_RECORD: Final = """
INSERT INTO consent (participant_id, action, text_version, at, how, staff, proof, contact_point_id)
VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)
"""
_ENTRIES: Final = """
SELECT action, text_version, language, at, how, staff, proof::text AS proof, contact_point_id
FROM consent LEFT JOIN consent_text ON consent_text.version = text_version
WHERE participant_id = $1 AND at <= $2 ORDER BY at DESC, id DESC
"""


class NoEmailError(InputError):
    """Without an email address that may be used nobody can be told of what waits for them."""


@dataclass(frozen=True, slots=True)
class By:
    """How a participant's word came to us, and by which account of the staff if by one."""

    how: How
    staff: str | None = None
    proof: Proof = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """One record. The version and language of the words are those that were shown; none where the
    case system said it, or nothing had to be shown. `contact_point_id` is the email address that
    it was given for."""

    action: Literal["given", "withdrawn"]
    text_version: str | None
    language: str | None
    at: datetime
    how: How
    staff: str | None
    proof: Proof
    contact_point_id: int | None


async def give_consent(
    transaction: Transaction, participant_id: int, version: str, by: By, *, key: str, clock: Clock
) -> bool:
    """Enrol who was shown the words of `version`, which are kept, and owe the confirmation; False
    where they are enrolled already. Raises NoEmailError."""
    driver = await driver_connection(transaction.connection)
    reader = await driver.fetchrow(_LOCK, participant_id)
    if reader["paperless"]:
        return False
    point = await driver.fetchval(_EMAIL, participant_id)
    if point is None:
        raise NoEmailError("there is no email address that may be used")
    work = _Work(transaction, participant_id, reader, by, key, clock())
    await work.record(driver, version, point)
    await work.tell(ECOMMUNICATIONS_ENROLLED)
    return True


async def withdraw_consent(
    transaction: Transaction, participant_id: int, by: By, *, key: str, clock: Clock
) -> bool:
    """Back to paper from now on, for what was not sent yet too, and owe the confirmation; False
    where nothing is to withdraw."""
    driver = await driver_connection(transaction.connection)
    reader = await driver.fetchrow(_LOCK, participant_id)
    if not reader["paperless"]:
        return False
    work = _Work(transaction, participant_id, reader, by, key, clock())
    await work.record(driver, None, None)
    await work.tell(ECOMMUNICATIONS_WITHDRAWN)
    return True


async def consent_in_force(
    connection: AsyncConnection, participant_id: int, at: datetime
) -> ConsentEntry | None:
    """The consent that counted at the aware moment `at`, however long ago; None where the last
    word until then was no, or there was none."""
    entries = await consent_history(connection, participant_id, at, most=1)
    return entries[0] if entries and entries[0].action == "given" else None


async def consent_history(
    connection: AsyncConnection, participant_id: int, until: datetime, most: int | None = None
) -> list[ConsentEntry]:
    """What was given and withdrawn up to `until`, the last first, and no more than `most`."""
    require_aware(until)
    driver = await driver_connection(connection)
    rows = await driver.fetch(f"{_ENTRIES} LIMIT $3", participant_id, until, most)
    return [_entry(row) for row in rows]


def _entry(row: Any) -> ConsentEntry:
    return ConsentEntry(**(dict(row) | {"proof": json.loads(row["proof"])}))


@dataclass(frozen=True, slots=True)
class _Work:
    """One change under way."""

    transaction: Transaction
    participant_id: int
    reader: Any
    by: By
    key: str
    now: datetime

    async def record(self, driver: Any, version: str | None, point: int | None) -> None:
        """Turn the switch over, and put it on record."""
        gives = not self.reader["paperless"]
        await driver.execute(_SWITCH, self.participant_id, gives)
        await driver.execute(
            _RECORD,
            self.participant_id,
            "given" if gives else "withdrawn",
            version,
            self.now,
            self.by.how,
            self.by.staff,
            json.dumps(dict(self.by.proof)),
            point,
        )

    async def tell(self, notice: Notice) -> None:
        """Owe the confirmation, which is what an alert would be: one notice, not two."""
        await self.transaction.record(
            Obligation(
                key=f"{notice.key}:{self.key}",
                notice=notice,
                participant_id=self.participant_id,
                language=self.reader["language"],
                facts=EnrolmentFacts(name=self.reader["name"], happened_at=self.now),
                route=await ordinary_route(self.transaction.connection, self.participant_id),
                requested_at=self.now,
            )
        )
