"""Court dates and appointments of one participant, and what they answer to them.

The other party's appointments are rows of theirs: a hearing to which both come is two rows.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload import personal
from engine.caseload.personal import WISH
from engine.communications.outbox import Transaction
from engine.database import driver_connection
from engine.errors import ConnectError, InputError
from engine.security.sealed_columns import box_of, clear_of, key_of

WISH_MOST: Final = 500
"""Characters."""

# What was answered to another hour is not an answer to this one.
_ANSWERED: Final = f"""
LEFT JOIN LATERAL (
    SELECT answer, {WISH.read()} AS wish, answered_at FROM appointment_answer
    WHERE appointment_id = appointment.id AND appointment_answer.starts_at = appointment.starts_at
    ORDER BY appointment_answer.id DESC LIMIT 1
) AS answered ON true
"""  # noqa: S608  joined from constants of ours
_COLUMNS: Final = """
SELECT appointment.id, kind, appointment.starts_at, place, appointment.status, case_id,
       support_case.external_id AS case_number, calendar_sequence, answer, wish, answered_at
FROM appointment JOIN support_case ON support_case.id = appointment.case_id
"""
_UPCOMING: Final = f"""
{_COLUMNS}{_ANSWERED}
WHERE participant_id = $1 AND appointment.starts_at > $2
ORDER BY appointment.starts_at, appointment.id
"""
_PAST: Final = f"""
{_COLUMNS}{_ANSWERED}
WHERE participant_id = $1 AND appointment.starts_at <= $2
ORDER BY appointment.starts_at DESC, appointment.id LIMIT $3
"""
_ONE: Final = f"{_COLUMNS}{_ANSWERED}WHERE participant_id = $1 AND appointment.id = $2"
_ANSWER: Final = f"""
INSERT INTO appointment_answer (appointment_id, starts_at, answer, sealed_wish, wish_key_id,
                                answered_at, wish)
SELECT id, starts_at, $4, {box_of("$5::json")}, {key_of("$5::json")}, $6,
       {clear_of("$5::json")} FROM appointment
WHERE participant_id = $1 AND id = $2 AND starts_at = $3 AND starts_at > $6
      AND status = 'scheduled'
RETURNING true
"""  # noqa: S608  joined from constants of ours


class Answer(StrEnum):
    """What a participant may answer."""

    CONFIRMED = "confirmed"
    RESCHEDULE = "reschedule"


class NotAnswerableError(ConnectError):
    """The appointment is past, cancelled, moved since it was read, or none of this participant's:
    no answer is taken down."""


@dataclass(frozen=True, slots=True)
class AppointmentView:
    """One appointment as its participant sees it, with the last answer to the hour it now has.
    `sequence` counts its changes."""

    id: int
    kind: str
    starts_at: datetime
    place: str
    cancelled: bool
    case_id: int
    case_number: str
    sequence: int
    answer: Answer | None
    wish: str | None
    answered_at: datetime | None

    def answerable(self, now: datetime) -> bool:
        """Whether it is ahead and stands."""
        return not self.cancelled and self.starts_at > now


@dataclass(frozen=True, slots=True)
class Agenda:
    """What is ahead, the soonest first, and what is past, the latest first."""

    upcoming: tuple[AppointmentView, ...]
    past: tuple[AppointmentView, ...]


async def agenda_of(
    connection: AsyncConnection, participant_id: int, now: datetime, *, past_most: int
) -> Agenda:
    """The participant's own appointments; `past_most` of the past ones. Two statements."""
    driver = await driver_connection(connection)
    upcoming = await driver.fetch(_UPCOMING, participant_id, now)
    past = await driver.fetch(_PAST, participant_id, now, past_most)
    return Agenda(tuple(_view(row) for row in upcoming), tuple(_view(row) for row in past))


async def appointment_of(
    connection: AsyncConnection, participant_id: int, appointment_id: int
) -> AppointmentView | None:
    """One of the participant's appointments; None where it is none of theirs."""
    driver = await driver_connection(connection)
    row = await driver.fetchrow(_ONE, participant_id, appointment_id)
    return None if row is None else _view(row)


async def answer_appointment(
    transaction: Transaction,
    participant_id: int,
    seen: AppointmentView,
    answer: Answer,
    now: datetime,
    *,
    wish: str | None = None,
) -> None:
    """Take down an answer to the appointment at the hour that the participant saw.

    Raises NotAnswerableError, and InputError for a wish that is too long.
    """
    if wish is not None and len(wish) > WISH_MOST:
        raise InputError(f"a wish has at most {WISH_MOST} characters")
    driver = await driver_connection(transaction.connection)
    taken = await driver.fetchval(
        _ANSWER,
        participant_id,
        seen.id,
        seen.starts_at,
        answer,
        personal.wish(seen.id, wish) if wish else None,
        now,
    )
    if not taken:
        raise NotAnswerableError(f"appointment {seen.id} takes no answer")


def _view(row: Any) -> AppointmentView:
    return AppointmentView(
        id=row["id"],
        kind=row["kind"],
        starts_at=row["starts_at"],
        place=row["place"],
        cancelled=row["status"] == "cancelled",
        case_id=row["case_id"],
        case_number=row["case_number"],
        sequence=row["calendar_sequence"],
        answer=Answer(row["answer"]) if row["answer"] else None,
        wish=row["wish"],
        answered_at=row["answered_at"],
    )
