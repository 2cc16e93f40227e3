"""Drafts: an application that is saved page by page, and gone on with on whichever device.

A page is saved by the version it was drawn from. Where another device has saved it meanwhile
nothing is overwritten: the reader is shown both, and saves again. Every method takes the connection
of a transaction, in which `Acts` holds the participant's row: one applicant does one thing at a
time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.applications import draft_columns
from engine.applications.asking import Values
from engine.applications.draft_columns import ANSWERS
from engine.applications.questions import Kind, Told
from engine.clock import Clock
from engine.database import driver_connection
from engine.security.sealed_columns import box_of, key_of

DRAFTS_MOST: Final = 3
SAFETY: Final = "safety"

_OPEN: Final = "submitted_at IS NULL AND expires_at > $2"
_COLUMNS: Final = "id, kind, protected, started_at, changed_at, expires_at"
_MINE: Final = f"""
SELECT {_COLUMNS} FROM application_draft
WHERE participant_id = $1 AND {_OPEN} ORDER BY changed_at DESC, id
"""  # noqa: S608  joined from constants of this module
_ONE: Final = f"""
SELECT {_COLUMNS} FROM application_draft
WHERE participant_id = $1 AND {_OPEN} AND id = $3
"""  # noqa: S608  likewise
_ANSWERS: Final = f"""
SELECT slot, version, saved_at, {ANSWERS.read()} AS answers
FROM application_answer WHERE draft_id = $1
"""  # noqa: S608  joined from constants of ours
_START: Final = """
INSERT INTO application_draft (participant_id, kind, protected, started_at, changed_at, expires_at)
SELECT id, $2, confidential, $3, $3, $4 FROM participant WHERE id = $1 RETURNING id
"""
_SAVE: Final = f"""
INSERT INTO application_answer (draft_id, slot, version, sealed_values, values_key_id, saved_at)
SELECT $1, $2::text, $5::int + 1, {box_of("$3::json")}, {key_of("$3::json")}, $4
WHERE $5::int = coalesce(
    (SELECT version FROM application_answer WHERE draft_id = $1 AND slot = $2::text), 0)
ON CONFLICT (draft_id, slot) DO UPDATE
SET version = excluded.version, sealed_values = excluded.sealed_values,
    values_key_id = excluded.values_key_id, saved_at = excluded.saved_at
RETURNING version
"""  # noqa: S608  joined from constants of ours
_TOUCH: Final = """
UPDATE application_draft SET changed_at = $2, expires_at = $3 WHERE id = $1
"""
_PROTECT: Final = """
WITH draft AS (UPDATE application_draft SET protected = true WHERE id = $1 RETURNING participant_id)
SELECT protect_applicant(participant_id) FROM draft
"""
_EMAIL_SAFE: Final = """
UPDATE contact_point SET safe_to_use = $2, own_answer = true
WHERE participant_id = (SELECT participant_id FROM application_draft WHERE id = $1)
  AND kind = 'email' AND superseded_at IS NULL
"""
_FORGET_CHILD: Final = r"""
DELETE FROM application_answer WHERE draft_id = $1 AND slot ~ ('^child-[a-z]+\.' || $2 || '$')
"""
_FORGET_ANSWERS: Final = "DELETE FROM application_answer WHERE draft_id = $1"
_FORGET_UPLOADS: Final = "DELETE FROM application_upload WHERE draft_id = $1"
_FORGET_DRAFT: Final = "DELETE FROM application_draft WHERE id = $1 AND submitted_at IS NULL"


@dataclass(frozen=True, slots=True)
class Saved:
    """The answers of a page as they stand, and which save of it this is."""

    values: Values = field(repr=False)
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it stands; `pages` by slot."""

    id: int
    kind: Kind
    protected: bool
    started_at: datetime
    changed_at: datetime
    expires_at: datetime
    pages: Mapping[str, Saved] = field(default_factory=dict, repr=False)

    @property
    def told(self) -> Told:
        """What decides which pages it has."""
        answers = {slot: saved.values for slot, saved in self.pages.items()}
        return Told(self.kind, self.protected, answers)


@dataclass(frozen=True, slots=True)
class Drafts:
    """Keeps drafts for so many days after the last change."""

    clock: Clock
    days: int

    async def mine(self, connection: AsyncConnection, participant_id: int) -> Sequence[Draft]:
        """The drafts of an applicant, without their answers, the one last changed first."""
        driver = await driver_connection(connection)
        rows = await driver.fetch(_MINE, participant_id, self.clock())
        return [_draft(row) for row in rows]

    async def find(
        self, connection: AsyncConnection, participant_id: int, draft_id: int
    ) -> Draft | None:
        """One draft of an applicant with its answers; None where it is another's, too old, or was
        submitted."""
        driver = await driver_connection(connection)
        row = await driver.fetchrow(_ONE, participant_id, self.clock(), draft_id)
        if row is None:
            return None
        return _draft(row, await driver.fetch(_ANSWERS, draft_id))

    async def start(
        self, connection: AsyncConnection, participant_id: int, kind: Kind
    ) -> int | None:
        """A new draft's id; None where the applicant has as many as one may have."""
        if len(await self.mine(connection, participant_id)) >= DRAFTS_MOST:
            return None
        driver = await driver_connection(connection)
        now = self.clock()
        started: int = await driver.fetchval(_START, participant_id, kind, now, self._expiry(now))
        return started

    async def save(
        self,
        connection: AsyncConnection,
        draft: Draft,
        slot: str,
        values: Values,
        drawn_from: int,
    ) -> bool:
        """Save a page that was drawn from the version `drawn_from` (0 for one that was never
        saved); False where it was saved elsewhere since, and nothing is changed.

        What the answers about safety ask for is done at once, in the same transaction.
        """
        driver = await driver_connection(connection)
        now = self.clock()
        sealed = draft_columns.answers(draft.id, slot, values)
        if await driver.fetchval(_SAVE, draft.id, slot, sealed, now, drawn_from) is None:
            return False
        await driver.execute(_TOUCH, draft.id, now, self._expiry(now))
        if slot == SAFETY and values.get("afraid") == "yes":
            await driver.execute(_PROTECT, draft.id)
        if slot == "safe-email":
            await driver.execute(_EMAIL_SAFE, draft.id, values.get("email_safe") == "yes")
        return True

    async def forget_child(self, connection: AsyncConnection, draft: Draft, number: int) -> None:
        """What was said of one child is gone."""
        driver = await driver_connection(connection)
        await driver.execute(_FORGET_CHILD, draft.id, str(number))

    async def discard(self, connection: AsyncConnection, draft: Draft) -> None:
        """A draft its applicant does not want any more is gone, and all that came with it."""
        driver = await driver_connection(connection)
        for statement in (_FORGET_ANSWERS, _FORGET_UPLOADS, _FORGET_DRAFT):
            await driver.execute(statement, draft.id)

    def _expiry(self, now: datetime) -> datetime:
        return now + timedelta(days=self.days)


def _draft(row: Any, pages: Sequence[Any] = ()) -> Draft:
    return Draft(
        id=row["id"],
        kind=row["kind"],
        protected=row["protected"],
        started_at=row["started_at"],
        changed_at=row["changed_at"],
        expires_at=row["expires_at"],
        pages={
            page["slot"]: Saved(page["answers"], page["version"], page["saved_at"])
            for page in pages
        },
    )
