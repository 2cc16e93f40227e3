"""Legal holds: what a court may ask for is kept, however old it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.clock import Clock
from engine.database import driver_connection
from engine.errors import InputError
from engine.security.audit import Audit, Entry

AGAINST_REMOVAL: Final = 4_107_304
"""Advisory lock key: a hold is placed before a batch of removals, or after it."""
_WAIT: Final = f"SELECT pg_advisory_xact_lock({AGAINST_REMOVAL})"
_SUBJECTS: Final = {
    "participant": "SELECT id FROM participant WHERE external_id = $1",
    "case": "SELECT id FROM support_case WHERE external_id = $1",
}
_PLACE: Final = """
INSERT INTO legal_hold (participant_id, case_id, why, placed_by, placed_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING id
"""
_LIFT: Final = """
UPDATE legal_hold SET lifted_by = $3, lifted_at = $4
WHERE lifted_at IS NULL AND participant_id IS NOT DISTINCT FROM $1
  AND case_id IS NOT DISTINCT FROM $2
RETURNING id
"""
_LIST: Final = """
SELECT participant.external_id AS participant, support_case.external_id AS case_number, why,
       placed_by, placed_at, lifted_by, lifted_at
FROM legal_hold LEFT JOIN participant ON participant.id = participant_id
     LEFT JOIN support_case ON support_case.id = case_id
WHERE lifted_at IS NULL OR $1
ORDER BY legal_hold.id
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom, or what case, a hold is about: a `participant` by the Participant ID Number, or a
    `case` by its number and with it all its parties."""

    kind: str
    number: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold as it stands on record."""

    subject: Subject
    why: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None


@dataclass(frozen=True, slots=True)
class LegalHolds:
    """Places holds and lifts them; each act is in the audit trail."""

    engine: AsyncEngine
    audit: Audit
    clock: Clock

    async def place(self, subject: Subject, by: str, why: str) -> None:
        """From now on nothing about `subject` is removed. Raises InputError where it is not known,
        or under hold already."""
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            keys = await _keys(driver, subject)
            await driver.execute(_WAIT)
            held = await driver.fetchval(_PLACE, *keys, why, by, self.clock())
            if held is None:
                raise InputError(f"this {subject.kind} is under hold already")
            await self.audit.append(connection, _entry("hold.placed", by, keys, held))

    async def lift(self, subject: Subject, by: str) -> None:
        """The ordinary periods hold again. Raises InputError where there is no such hold."""
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            keys = await _keys(driver, subject)
            held = await driver.fetchval(_LIFT, *keys, by, self.clock())
            if held is None:
                raise InputError(f"this {subject.kind} is not under hold")
            await self.audit.append(connection, _entry("hold.lifted", by, keys, held))

    async def listed(self, *, lifted: bool = False) -> list[Hold]:
        """The holds that stand, oldest first; with `lifted`, all there ever were."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            return [_hold(row) for row in await driver.fetch(_LIST, lifted)]


async def _keys(driver: Any, subject: Subject) -> tuple[int | None, int | None]:
    id_ = await driver.fetchval(_SUBJECTS[subject.kind], subject.number)
    if id_ is None:
        raise InputError(f"no {subject.kind} has this number")
    return (id_, None) if subject.kind == "participant" else (None, id_)


def _entry(act: str, by: str, keys: tuple[int | None, int | None], held: int) -> Entry:
    participant, case = keys
    return Entry(f"staff:{by}", act, participant, {"hold": held, "case": case})


def _hold(row: Any) -> Hold:
    if row["participant"] is not None:
        subject = Subject("participant", row["participant"])
    else:
        subject = Subject("case", row["case_number"])
    return Hold(
        subject, row["why"], row["placed_by"], row["placed_at"], row["lifted_by"], row["lifted_at"]
    )
