"""What the Participant Home Page says besides cases and balances, read in one statement."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.personal import NAME
from engine.database import driver_connection
from engine.i18n import Language

_READER: Final = f"SELECT {NAME} AS name, external_id FROM participant WHERE id = $1"  # noqa: S608
_GLANCE: Final = f"""
SELECT {NAME} AS name, external_id, language, next.*, last.*,
       (SELECT count(*) FROM caseworker_message
        WHERE participant_id = $1 AND author = 'caseworker' AND read_at IS NULL) AS unread_replies
FROM participant
LEFT JOIN LATERAL (
    SELECT kind, starts_at, place FROM appointment
    WHERE participant_id = $1 AND status = 'scheduled' AND starts_at > $2
    ORDER BY starts_at, id LIMIT 1
) AS next ON true
LEFT JOIN LATERAL (
    SELECT direction, amount_cents, paid_on FROM payment
    WHERE participant_id = $1 ORDER BY paid_on DESC, id DESC LIMIT 1
) AS last ON true
WHERE participant.id = $1
"""  # noqa: S608  joined from constants of ours


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: what a page that is printed for an office names."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class NextAppointment:
    """The soonest appointment that stands; `kind` is `office` or `court`."""

    kind: str
    starts_at: datetime
    place: str


@dataclass(frozen=True, slots=True)
class LastPayment:
    """The latest payment either way; `direction` is `made` or `sent`."""

    direction: str
    amount_cents: int
    paid_on: date


@dataclass(frozen=True, slots=True)
class Glance:
    """The reader, the language of their notices, what comes next, what came last, and how many
    replies were not read yet."""

    reader: Reader
    notices: Language
    next_appointment: NextAppointment | None
    last_payment: LastPayment | None
    unread_replies: int


async def reader_of(connection: AsyncConnection, participant_id: int) -> Reader:
    """The participant's name and Participant ID Number."""
    driver = await driver_connection(connection)
    row = await driver.fetchrow(_READER, participant_id)
    return Reader(row["name"], row["external_id"])


async def glance_at(connection: AsyncConnection, participant_id: int, now: datetime) -> Glance:
    """What the home page says to this participant."""
    driver = await driver_connection(connection)
    row = await driver.fetchrow(_GLANCE, participant_id, now)
    ahead = row["starts_at"] is not None
    paid = row["paid_on"] is not None
    return Glance(
        reader=Reader(row["name"], row["external_id"]),
        notices=row["language"],
        next_appointment=NextAppointment(row["kind"], row["starts_at"], row["place"])
        if ahead
        else None,
        last_payment=LastPayment(row["direction"], row["amount_cents"], row["paid_on"])
        if paid
        else None,
        unread_replies=row["unread_replies"],
    )
