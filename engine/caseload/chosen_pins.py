"""The PIN that a participant chooses: when a temporary one is changed, and at will."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.alerts import security_alert
from engine.clock import Clock
from engine.communications.outbox import Transaction
from engine.database import driver_connection
from engine.security.pin_checking import PinChecker
from engine.security.pins import is_easy
from engine.security.sessions import Session, Sessions, Stage

_LIVE: Final = """
SELECT participant.external_id,
       (SELECT hash FROM pin_credential WHERE participant_id = participant.id
        AND kind = 'temporary' AND used_at IS NULL AND voided_at IS NULL) AS temporary,
       (SELECT hash FROM pin_credential WHERE participant_id = participant.id
        AND kind = 'chosen' AND used_at IS NULL AND voided_at IS NULL) AS chosen
FROM participant WHERE participant.id = $1
"""
_END_OLDER: Final = """
UPDATE pin_credential SET used_at = CASE kind WHEN 'temporary' THEN $2::timestamptz END,
       voided_at = CASE kind WHEN 'chosen' THEN $2::timestamptz END
WHERE participant_id = $1 AND used_at IS NULL AND voided_at IS NULL
"""
_CHOOSE: Final = """
INSERT INTO pin_credential (participant_id, kind, hash, issued_at) VALUES ($1, 'chosen', $2, $3)
"""


class PinFault(StrEnum):
    """What is wrong with a PIN that was typed; templates/portal/change_pin.html has the words."""

    CURRENT_WRONG = "current_wrong"
    NOT_DIGITS = "not_digits"
    EASY = "easy"
    OF_THE_NUMBER = "of_the_number"
    SAME = "same"
    NOT_CONFIRMED = "not_confirmed"


@dataclass(frozen=True, slots=True)
class ChosenPins:
    """Changes PINs."""

    checker: PinChecker
    sessions: Sessions
    clock: Clock
    digits: int

    async def current_is(self, connection: AsyncConnection, participant_id: int, pin: str) -> bool:
        """Whether `pin` is the one the participant chose."""
        driver = await driver_connection(connection)
        live = await driver.fetchrow(_LIVE, participant_id)
        (same,) = await self.checker.matches(pin, (live["chosen"],))
        return same

    async def fault(
        self, connection: AsyncConnection, participant_id: int, new: str
    ) -> PinFault | None:
        """Why `new` may not be chosen: too easy to guess, part of the Participant ID Number, or
        the PIN there is."""
        if len(new) != self.digits or not (new.isascii() and new.isdigit()):
            return PinFault.NOT_DIGITS
        if is_easy(new):
            return PinFault.EASY
        driver = await driver_connection(connection)
        live = await driver.fetchrow(_LIVE, participant_id)
        if new in live["external_id"]:
            return PinFault.OF_THE_NUMBER
        same = await self.checker.matches(new, (live["temporary"], live["chosen"]))
        return PinFault.SAME if any(same) else None

    async def change(self, transaction: Transaction, session: Session, new: str) -> Session:
        """Make `new` the PIN, and tell its owner. The session goes on under a new token; all others
        of the participant are over, and every older PIN with them."""
        hashed = await self.checker.hash(new)
        now, participant_id = self.clock(), session.participant_id
        connection = transaction.connection
        driver = await driver_connection(connection)
        await driver.execute(
            "SELECT FROM participant WHERE id = $1 FOR NO KEY UPDATE", participant_id
        )
        await driver.execute(_END_OLDER, participant_id, now)
        await driver.execute(_CHOOSE, participant_id, hashed, now)
        await self.sessions.end_others(connection, participant_id, session)
        rotated = await self.sessions.rotate(connection, session, Stage.FULL)
        await security_alert(
            transaction, participant_id, "pin", f"pin:{session.id}:{now.timestamp():.6f}", now
        )
        return rotated
