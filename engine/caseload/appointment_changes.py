"""Appointments made, moved and cancelled by staff: the fact, who is told, and what is stopped.

Each is one transaction: with the appointment's new hour its participant's notice is on its way, and
nothing that was still to be sent about the old hour sets out.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import uuid4

from engine.caseload.appointment_routes import change_route, urgency_of
from engine.caseload.cells import TOKEN, Rule, written
from engine.caseload.notices import READER
from engine.caseload.overtaken import Overtaken, subject_of
from engine.caseload.reminders import appointment_facts
from engine.caseload.staff_desk import signed
from engine.clock import PACIFIC, Clock, require_aware
from engine.communications.catalogue import (
    APPOINTMENT_CANCELLED,
    APPOINTMENT_CHANGED,
    APPOINTMENT_SCHEDULED,
    AppointmentFacts,
    MovedAppointmentFacts,
    Notice,
)
from engine.communications.outbox import Obligation, Outbox, Transaction
from engine.database import driver_connection
from engine.errors import InputError
from engine.security.audit import Audit, Entry

Kind = Literal["office", "court"]
PLACE: Final = written(200)
"""What an import takes as a place."""

_PARTY: Final = """
SELECT participant.id AS participant_id, support_case.id AS case_id
FROM case_party
JOIN participant ON participant.id = participant_id
JOIN support_case ON support_case.id = case_id
WHERE support_case.external_id = $1 AND participant.external_id = $2
FOR NO KEY UPDATE OF participant
"""
_OWNER: Final = """
SELECT FROM participant
WHERE id = (SELECT participant_id FROM appointment WHERE id = $1) FOR NO KEY UPDATE
"""
_ADD: Final = """
INSERT INTO appointment (external_id, case_id, participant_id, kind, starts_at, place, status)
VALUES ($1, $2, $3, $4, $5, $6, 'scheduled') ON CONFLICT (external_id) DO NOTHING RETURNING id
"""
_MOVE: Final = "UPDATE appointment SET starts_at = $2, place = $3 WHERE id = $1"
_CANCEL: Final = "UPDATE appointment SET status = 'cancelled' WHERE id = $1"
_ONE: Final = f"""
SELECT appointment.id, participant.id AS participant_id, kind, starts_at, place,
       appointment.status, calendar_sequence, {READER}
FROM appointment JOIN participant ON participant.id = appointment.participant_id
WHERE appointment.id = $1 FOR NO KEY UPDATE OF appointment
"""  # noqa: S608  joined from constants of modules of ours


@dataclass(frozen=True, slots=True)
class NewAppointment:
    """One to be made, for a party of a case. `number` is its number in the case system, by which a
    later import knows it again."""

    case_number: str
    participant_number: str
    kind: Kind
    starts_at: datetime
    place: str
    number: str | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of a change. Without a `communication_id` nothing reaches the participant in
    time: somebody has to telephone. `stopped` deliveries said what is no longer so."""

    appointment_id: int
    participant_id: int
    communication_id: int | None
    stopped: int


@dataclass(frozen=True, slots=True)
class AppointmentChanges:
    """Makes, moves and cancels; each in the audit trail, under the account of who did it."""

    outbox: Outbox
    overtaken: Overtaken
    audit: Audit
    clock: Clock

    async def schedule(self, wanted: NewAppointment, account: str) -> Changed:
        """Make an appointment, and tell. Raises InputError for an hour that is past, a place or
        number that an import would refuse, a number that is taken, and who is no party."""
        now = self._ahead(wanted.starts_at)
        place = _read(PLACE, wanted.place, "the place")
        number = _read(TOKEN, wanted.number or f"connect-{uuid4().hex}", "the number")
        async with self._acting(account) as doing:
            driver = await driver_connection(doing.transaction.connection)
            party = await driver.fetchrow(_PARTY, wanted.case_number, wanted.participant_number)
            if party is None:
                raise InputError("this participant is no party of such a case; nothing was made")
            made = await driver.fetchval(
                _ADD,
                number,
                party["case_id"],
                party["participant_id"],
                wanted.kind,
                wanted.starts_at,
                place,
            )
            if made is None:
                raise InputError(f"there is an appointment {number} already; nothing was made")
            row = await driver.fetchrow(_ONE, made)
            facts = appointment_facts(row)
            told = _Told(APPOINTMENT_SCHEDULED, facts, row["starts_at"])
            return await doing.done("scheduled", row, told, now)

    async def move(
        self, appointment_id: int, starts_at: datetime, account: str, *, place: str | None = None
    ) -> Changed:
        """Move an appointment to another hour, another `place` or both, and tell. Raises InputError
        for one that is past or cancelled, an hour that is past, and where nothing would change."""
        now = self._ahead(starts_at)
        async with self._acting(account) as doing:
            was = await self._standing(doing.transaction, appointment_id, now)
            new = was["place"] if place is None else _read(PLACE, place, "the place")
            if (was["starts_at"], was["place"]) == (starts_at, new):
                raise InputError(f"appointment {appointment_id} is at that hour and place already")
            driver = await driver_connection(doing.transaction.connection)
            await driver.execute(_MOVE, appointment_id, starts_at, new)
            row = await driver.fetchrow(_ONE, appointment_id)
            facts = MovedAppointmentFacts(
                **dict(appointment_facts(row)), was_at=was["starts_at"].astimezone(PACIFIC)
            )
            # Who hears of it only after the old hour has gone there for nothing.
            told = _Told(APPOINTMENT_CHANGED, facts, min(was["starts_at"], starts_at))
            return await doing.done("moved", row, told, now)

    async def cancel(self, appointment_id: int, account: str) -> Changed:
        """Cancel an appointment, and tell. Raises InputError for one that is past or cancelled."""
        now = self.clock()
        async with self._acting(account) as doing:
            await self._standing(doing.transaction, appointment_id, now)
            driver = await driver_connection(doing.transaction.connection)
            await driver.execute(_CANCEL, appointment_id)
            row = await driver.fetchrow(_ONE, appointment_id)
            told = _Told(APPOINTMENT_CANCELLED, appointment_facts(row), row["starts_at"])
            return await doing.done("cancelled", row, told, now)

    def _ahead(self, starts_at: datetime) -> datetime:
        now = self.clock()
        if require_aware(starts_at) <= now:
            raise InputError("an appointment must be ahead; nothing was changed")
        return now

    async def _standing(self, transaction: Transaction, appointment_id: int, now: datetime) -> Any:
        """The appointment as it stands, its participant locked before it, as everywhere."""
        driver = await driver_connection(transaction.connection)
        await driver.execute(_OWNER, appointment_id)
        row = await driver.fetchrow(_ONE, appointment_id)
        if row is None:
            raise InputError(f"there is no appointment {appointment_id}; nothing was changed")
        if row["status"] != "scheduled" or row["starts_at"] <= now:
            state = "past" if row["status"] == "scheduled" else "cancelled"
            raise InputError(f"appointment {appointment_id} is {state}; nothing was changed")
        return row

    @asynccontextmanager
    async def _acting(self, account: str) -> AsyncIterator["_Doing"]:
        named = signed(account)
        async with self.outbox.transaction() as transaction:
            yield _Doing(transaction, self.overtaken, self.audit, named)


@dataclass(frozen=True, slots=True)
class _Told:
    """What is told, and before which hour it must be known."""

    notice: Notice
    facts: AppointmentFacts
    before: datetime


@dataclass(frozen=True, slots=True)
class _Doing:
    """A change while it is made."""

    transaction: Transaction
    overtaken: Overtaken
    audit: Audit
    account: str

    async def done(self, act: str, row: Any, told: _Told, now: datetime) -> Changed:
        """Stop what no longer holds, tell, and put it into the audit trail, last of all."""
        connection = self.transaction.connection
        stopped = await self.overtaken.cancel_about(connection, row["id"])
        route = change_route(row, told.before, now)
        communication_id = None
        if route is not None:
            communication_id = await self.transaction.record(
                Obligation(
                    key=f"{told.notice.key}:{row['id']}:{row['calendar_sequence']}",
                    notice=told.notice,
                    participant_id=row["participant_id"],
                    language=row["language"],
                    facts=told.facts,
                    route=route,
                    requested_at=now,
                    subject=subject_of(row["id"]),
                    urgency=urgency_of(told.before, now),
                )
            )
        entry = Entry(
            f"staff:{self.account}",
            f"staff.appointment.{act}",
            row["participant_id"],
            {"appointment": row["id"], "communication": communication_id, "stopped": stopped},
        )
        await self.audit.append(connection, entry)
        return Changed(row["id"], row["participant_id"], communication_id, stopped)


def _read(rule: Rule, given: str, what: str) -> str:
    value = rule.read(given) if given else None
    if value is None:
        raise InputError(f"{what} must be {rule.allowed}")
    return str(value)
