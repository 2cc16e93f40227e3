"""Welcoming a participant: the number in one letter, the first PIN in another, on another day.

Whoever takes one envelope out of a mailbox must not have both.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from engine.calendar.business_days import next_business_day
from engine.calendar.deadlines import due_by
from engine.caseload.personal import NAME
from engine.clock import PACIFIC
from engine.communications.catalogue import (
    WELCOME,
    WELCOME_PIN,
    Channel,
    TemporaryPinFacts,
    WelcomeFacts,
)
from engine.communications.outbox import Obligation, Transaction
from engine.communications.routing import in_order
from engine.database import driver_connection
from engine.errors import InputError

_MORNING: Final = time(8)
_READER: Final = f"""
SELECT id, language, {NAME} AS name,
       EXISTS (SELECT FROM pin_credential WHERE participant_id = participant.id
               AND kind = 'chosen' AND voided_at IS NULL) AS has_pin
FROM participant WHERE external_id = $1 FOR NO KEY UPDATE
"""  # noqa: S608  joined from constants of ours


@dataclass(frozen=True, slots=True)
class Welcomed:
    """Who was welcomed, and the day on which the letter with the PIN sets out."""

    participant_id: int
    pin_on: date


async def welcome(transaction: Transaction, external_id: str, now: datetime) -> Welcomed:
    """Owe both letters to the participant of that number. Raises InputError where nobody has it,
    and for who has a PIN, or was welcomed already."""
    driver = await driver_connection(transaction.connection)
    row = await driver.fetchrow(_READER, external_id)
    if row is None:
        raise InputError("no participant has this number; nobody was welcomed")
    if row["has_pin"]:
        raise InputError("this participant has a PIN already; nobody was welcomed")
    # The batch in which the first letter goes is closed that day, or on the one it counts on.
    pin_on = next_business_day(due_by(now, 0))
    recorded = await transaction.record_all(
        [
            Obligation(
                key=f"welcome:{row['id']}",
                notice=WELCOME,
                participant_id=row["id"],
                language=row["language"],
                facts=WelcomeFacts(name=row["name"], participant_number=external_id),
                route=in_order(Channel.MAIL),
                requested_at=now,
            ),
            Obligation(
                key=f"welcome_pin:{row['id']}",
                notice=WELCOME_PIN,
                participant_id=row["id"],
                language=row["language"],
                facts=TemporaryPinFacts(name=row["name"]),
                route=in_order(Channel.MAIL),
                requested_at=now,
                wait=datetime.combine(pin_on, _MORNING, PACIFIC) - now.astimezone(PACIFIC),
            ),
        ]
    )
    if not recorded:
        raise InputError("this participant was welcomed already")
    return Welcomed(row["id"], pin_on)
