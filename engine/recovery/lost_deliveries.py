"""Deliveries that were made after the backup, of communications that it has: they are put back
under their own numbers, so that what comes back of them is still traced."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.states import Event
from engine.database import driver_connection
from engine.mail.rosters import RosterLetter

_KNOWN: Final = "SELECT id FROM delivery WHERE id = ANY($1::bigint[])"
_COMMUNICATIONS: Final = """
SELECT id, participant_id, step FROM communication WHERE id = ANY($1::bigint[])
"""
_DELIVERY: Final = """
INSERT INTO delivery (id, communication_id, step, channel, due_by, state, reason)
OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, 'mail', $4, $5, $6)
ON CONFLICT (communication_id, step, channel) DO NOTHING
RETURNING id
"""
# A person may have sent it on by mail once more than its notice's route says.
_STEP: Final = """
UPDATE communication
SET step = $2, due_by = $3, state = $4, met_at = NULL, given_to = $5,
    route = CASE WHEN jsonb_array_length(route) > $2 THEN route
                 ELSE route || '[[["mail", true]]]'::jsonb END
WHERE id = $1 AND step < $2
"""
_LEFT_BEHIND: Final = """
SELECT delivery.id FROM delivery JOIN communication ON communication.id = communication_id
WHERE communication_id = ANY($1::bigint[]) AND delivery.step < communication.step
      AND delivery.state IN ('owed', 'sending', 'batched', 'held') ORDER BY delivery.id
"""
_EVENT: Final = """
INSERT INTO delivery_event (delivery_id, event, state, changed, reason)
VALUES ($1, 'rejected', 'failed', true, $2)
"""
PIN_LOST: Final = "pin_lost"
"""Why a letter that arrived does not count: what it holds works no more."""


@dataclass(frozen=True, slots=True)
class LostDeliveries:
    """Puts them back, in the caller's transaction."""

    outcomes: Outcomes

    async def bring_back(
        self,
        connection: AsyncConnection,
        letters: Sequence[RosterLetter],
        brought_back: list[int],
        pins_lost: list[int],
    ) -> set[int]:
        """The deliveries of `letters` that the database knows, after those of communications that
        it knows were added to it; they, and communications whose PIN was lost, are named in the
        lists."""
        driver = await driver_connection(connection)
        named = {one.delivery_id: one for one in letters if one.delivery_id is not None}
        known = {row["id"] for row in await driver.fetch(_KNOWN, sorted(named))}
        lost = [one for id_, one in named.items() if id_ not in known]
        rows = await driver.fetch(_COMMUNICATIONS, [one.communication_id for one in lost])
        communications = {row["id"]: row for row in rows}
        desks = await self.outcomes.failover.desk.of(
            connection, {row["participant_id"] for row in rows}
        )
        added: list[RosterLetter] = []
        for one in lost:
            row = communications.get(one.communication_id)
            if row is not None and await _add(driver, one, row, desks[row["participant_id"]]):
                added.append(one)
        brought_back += [one.delivery_id for one in added if one.delivery_id is not None]
        pins_lost += [one.communication_id for one in added if one.secret and one.communication_id]
        await self._leave_behind(connection, [one.communication_id for one in added])
        return known | {one.delivery_id for one in added if one.delivery_id is not None}

    async def _leave_behind(
        self, connection: AsyncConnection, communications: Sequence[int | None]
    ) -> None:
        """What an earlier channel still owes was lost to it: that is why the letter was made."""
        driver = await driver_connection(connection)
        rows = await driver.fetch(_LEFT_BEHIND, communications)
        await self.outcomes.record(
            connection, [Outcome(row["id"], Event.CANCELLED, "went_on_by_mail") for row in rows]
        )


async def _add(driver: Any, one: RosterLetter, communication: Any, desk: str) -> bool:
    state, reason = ("failed", PIN_LOST) if one.secret else ("owed", None)
    added = await driver.fetchval(
        _DELIVERY, one.delivery_id, communication["id"], one.step, one.due_by, state, reason
    )
    if added is None:
        return False
    if one.secret:
        await driver.execute(_EVENT, one.delivery_id, PIN_LOST)
    standing, given_to = ("held", desk) if one.secret else ("owed", None)
    await driver.execute(_STEP, communication["id"], one.step, one.due_by, standing, given_to)
    return True
