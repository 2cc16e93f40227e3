"""Submitting: in one transaction the record is sealed, its notice is owed, and the draft ends.

Sent twice, it is submitted once: a draft has one application, which the database holds.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.applications import draft_columns, records, ways
from engine.applications.assembling import assemble
from engine.applications.draft_columns import RECORD
from engine.applications.drafts import Draft
from engine.applications.numbers import new_number
from engine.applications.questions import Kind
from engine.applications.uploads import Uploads
from engine.applications.ways import Way
from engine.caseload.notices import route_of
from engine.clock import Clock, pacific_date
from engine.communications.catalogue import APPLICATION_RECEIVED, ApplicationReceivedFacts
from engine.communications.outbox import Obligation, Transaction
from engine.database import driver_connection
from engine.errors import ConnectError
from engine.i18n import Language
from engine.security.sealed_columns import box_of, key_of

_LOCK: Final = "SELECT submitted_at IS NOT NULL FROM application_draft WHERE id = $1 FOR UPDATE"
_FREE: Final = "SELECT NOT EXISTS (SELECT FROM application WHERE number = $1)"
_SUBMIT: Final = f"""
INSERT INTO application (number, draft_id, participant_id, kind, language, confidential,
                         submitted_at, sealed_record, record_key_id, record_sha256)
VALUES ($1, $2, $3, $4, $5, $6, $7, {box_of("$8::json")}, {key_of("$8::json")}, $9)
"""  # noqa: S608  joined from constants of ours
_END: Final = """
WITH ended AS (UPDATE application_draft SET submitted_at = $2, changed_at = $2 WHERE id = $1)
DELETE FROM application_answer WHERE draft_id = $1
"""
_MINE: Final = f"""
SELECT id, number, draft_id, kind, language, confidential, submitted_at, record_sha256,
       {RECORD.read()} AS record
FROM application WHERE participant_id = $1
"""  # noqa: S608  likewise


class RecordDamagedError(ConnectError):
    """What is kept of an application is not what was submitted: an operator looks for a backup."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """An application as it was submitted."""

    id: int
    number: str
    draft_id: int
    kind: Kind
    language: Language
    confidential: bool
    submitted_at: datetime
    record: records.Application


@dataclass(frozen=True, slots=True)
class Submitting:
    """Submits drafts, and shows applicants what they submitted."""

    uploads: Uploads
    clock: Clock

    async def submit(
        self, transaction: Transaction, participant_id: int, draft: Draft, language: Language
    ) -> str | None:
        """The number of the application that `draft` became; None where it was submitted before.

        Raises InputError for a draft with a page that has no answer.
        """
        connection = transaction.connection
        driver = await driver_connection(connection)
        if await driver.fetchval(_LOCK, draft.id):
            return None
        now, number = self.clock(), new_number()
        while not await driver.fetchval(_FREE, number):
            number = new_number()
        uploads = await self.uploads.of(connection, draft.id)
        record = assemble(draft.told, uploads, number=number, language=language, at=now)
        text = record.model_dump_json()
        await driver.execute(
            _SUBMIT,
            number,
            draft.id,
            participant_id,
            draft.kind,
            language,
            draft.protected,
            now,
            draft_columns.record(number, text),
            _digest(text),
        )
        await driver.execute(_END, draft.id, now)
        await self._tell(transaction, participant_id, record, now)
        return number

    async def mine(self, connection: AsyncConnection, participant_id: int) -> Sequence[Submitted]:
        """What an applicant submitted, newest first."""
        driver = await driver_connection(connection)
        rows = await driver.fetch(_MINE + " ORDER BY submitted_at DESC, id DESC", participant_id)
        return [submitted(row) for row in rows]

    async def find(
        self, connection: AsyncConnection, participant_id: int, draft_id: int
    ) -> Submitted | None:
        """What an applicant's draft became; None where it became nothing, or is another's."""
        driver = await driver_connection(connection)
        row = await driver.fetchrow(_MINE + " AND draft_id = $2", participant_id, draft_id)
        return submitted(row) if row else None

    async def _tell(
        self,
        transaction: Transaction,
        participant_id: int,
        record: records.Application,
        now: datetime,
    ) -> None:
        await ways.keep_address(transaction.connection, participant_id, record, now)
        way = await ways.way_to(transaction.connection, participant_id, record)
        await transaction.record(
            Obligation(
                key=f"application_received:{record.number}",
                notice=APPLICATION_RECEIVED,
                participant_id=participant_id,
                language=record.language,
                facts=ApplicationReceivedFacts(
                    name=f"{record.applicant.first_name} {record.applicant.last_name}",
                    number=record.number,
                    received_on=pacific_date(now),
                ),
                # Where there is no safe way it waits at the held desk: a caseworker finds one.
                route=route_of(
                    enrolled=False,
                    by_email=way is Way.EMAIL,
                    confidential=record.confidential,
                ),
                requested_at=now,
                subject=f"application:{record.number}",
            )
        )


def submitted(row: Any) -> Submitted:
    """A row with its record opened. Raises RecordDamagedError where it is another one."""
    text = str(row["record"])
    if _digest(text) != row["record_sha256"]:
        raise RecordDamagedError(f"application {row['id']} is not what was submitted")
    return Submitted(
        id=row["id"],
        number=row["number"],
        draft_id=row["draft_id"],
        kind=row["kind"],
        language=row["language"],
        confidential=row["confidential"],
        submitted_at=row["submitted_at"],
        record=records.Application.model_validate_json(text),
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
