"""The PIN that a participant chooses: when a temporary one is changed, and at will."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.alerts import security_alert
from engine.caseload.carried_pins import CarriedPins
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
RETURNING id
"""

CHANGE_RATE: Final = "5/15minute"
"""How often a participant may try to change the PIN, whichever door they came by."""
CHOOSE_RATE: Final = "20/15minute"
"""Likewise after a temporary PIN, where the current one is not asked for."""


class PinFault(StrEnum):
    """What is wrong with a PIN that was typed; templates/portal/change_pin.html has the words."""

    CURRENT_WRONG = "current_wrong"
    NOT_DIGITS = "not_digits"
    EASY = "easy"
    OF_THE_NUMBER = "of_the_number"
    SAME = "same"
    NOT_CONFIRMED = "not_confirmed"


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form held; `current` is None where none is asked for."""

    current: str | None
    new: str
    confirmed: str


@dataclass(frozen=True, slots=True)
class LivePins:
    """What a participant has now: their number, and the hashes of their PINs."""

    external_id: str
    temporary: str | None
    chosen: str | None


@dataclass(frozen=True, slots=True)
class ChosenPins:
    """Changes PINs."""

    checker: PinChecker
    sessions: Sessions
    carried: CarriedPins
    clock: Clock
    digits: int

    async def live(self, connection: AsyncConnection, participant_id: int) -> LivePins:
        """What the participant has now."""
        driver = await driver_connection(connection)
        return LivePins(**await driver.fetchrow(_LIVE, participant_id))

    def slips(self, live: LivePins, typed: Typed) -> dict[str, PinFault]:
        """Field → what is wrong with it that can be seen without a hash: too easy to guess, part
        of the Participant ID Number, not the same twice."""
        new = typed.new
        if len(new) != self.digits or not (new.isascii() and new.isdigit()):
            return {"new_pin": PinFault.NOT_DIGITS}
        if is_easy(new):
            return {"new_pin": PinFault.EASY}
        if new in live.external_id:
            return {"new_pin": PinFault.OF_THE_NUMBER}
        return {} if new == typed.confirmed else {"confirm_pin": PinFault.NOT_CONFIRMED}

    async def wrongs(self, live: LivePins, typed: Typed) -> dict[str, PinFault]:
        """Field → what is wrong with it by the hashes. Whether the new PIN is the one there is, is
        told only to whoever knows that one."""
        if typed.current is not None and not await self.knows(live, typed.current):
            return {"current_pin": PinFault.CURRENT_WRONG}
        same = await self.checker.matches(typed.new, (live.temporary, live.chosen))
        return {"new_pin": PinFault.SAME} if any(same) else {}

    async def knows(self, live: LivePins, current: str) -> bool:
        """Whether `current` is the PIN that the participant chose."""
        (right,) = await self.checker.matches(current, (live.chosen,))
        return right

    async def confirms(self, hashed: str, again: str) -> bool:
        """Whether `again` is the PIN of a hash that `hash` gave, where the PIN itself is not kept
        until it is entered once more."""
        (same,) = await self.checker.matches(again, (hashed,))
        return same

    async def hash(self, new: str) -> str:
        """`new` as it is kept. It takes a while, and no connection is to wait for it."""
        return await self.checker.hash(new)

    async def change(self, transaction: Transaction, session: Session, hashed: str) -> Session:
        """Make the PIN of `hashed` the participant's, and tell them. The session goes on under a
        new token; all others are over, every older PIN with them, and a letter that would bring
        one is not printed."""
        now, participant_id = self.clock(), session.participant_id
        connection = transaction.connection
        driver = await driver_connection(connection)
        await self.carried.cancel(
            connection, participant_id, "pin_chosen", besides=session.credential_id
        )
        await driver.execute(_END_OLDER, participant_id, now)
        chosen_id = await driver.fetchval(_CHOOSE, participant_id, hashed, now)
        await self.sessions.end_others(connection, participant_id, session)
        rotated = await self.sessions.rotate(connection, session, Stage.FULL, chosen_id)
        await security_alert(
            transaction, participant_id, "pin", f"pin:{session.id}:{now.timestamp():.6f}", now
        )
        return rotated


def read_typed(fields: Mapping[str, str], most: int, *, current: bool) -> Typed:
    """The PINs of a form, each cut to `most` characters."""

    def typed(name: str) -> str:
        return fields.get(name, "").strip()[:most]

    return Typed(typed("current_pin") if current else None, typed("new_pin"), typed("confirm_pin"))
