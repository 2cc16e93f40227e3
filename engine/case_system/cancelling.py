"""Cancelling what was recorded by mistake, as long as none of it has left us."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.case_system.keys import Caller
from engine.case_system.recording import KEY_PREFIX
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.printed import lying_in_stored_batches
from engine.communications.states import MET, TABLE, Event, State
from engine.database import driver_connection
from engine.security.audit import Audit, Entry

CANCELLED: Final = "api.cancelled"
_REASON: Final = "case_system"

_OURS: Final = """
SELECT participant_id, state, idempotency_key LIKE $2 || '%' AS by_the_case_system
FROM communication WHERE id = $1
"""
# Deliveries before communications, as everywhere.
_LOCK: Final = """
SELECT id, state, leased_until > clock_timestamp() AS held_by_a_worker
FROM delivery WHERE communication_id = $1 ORDER BY id FOR UPDATE
"""
# A person's task of which no delivery is open: there is nothing left to move but the task.
_TAKE_BACK: Final = """
UPDATE communication SET state = 'cancelled', given_to = NULL WHERE id = $1 AND state = 'held'
"""


class RecordedElsewhereError(Exception):
    """It was recorded at another door, and is that one's to cancel."""


class HasLeftError(Exception):
    """It was sent, or lies in a print batch that is on its way."""


class BeingSentError(Exception):
    """A worker holds it at this moment: in a minute it has left, or may be cancelled."""


@dataclass(frozen=True, slots=True)
class Cancelling:
    """Cancels, by the state table."""

    outcomes: Outcomes
    audit: Audit

    async def cancel(
        self, connection: AsyncConnection, communication_id: int, caller: Caller, network: str
    ) -> bool:
        """Nothing more of the communication is sent; whether anything was to be. Once it is
        cancelled, nothing is to be done. Raises LookupError for none of that id, and the three
        errors above."""
        driver = await driver_connection(connection)
        found = await driver.fetchrow(_OURS, communication_id, KEY_PREFIX)
        if found is None:
            raise LookupError
        if not found["by_the_case_system"]:
            raise RecordedElsewhereError
        rows = await driver.fetch(_LOCK, communication_id)
        unsent = [row["id"] for row in rows if _may_be_cancelled(row)]
        if any(State(row["state"]) in MET | {State.HANDED_OVER} for row in rows):
            raise HasLeftError
        if await lying_in_stored_batches(driver, unsent):
            raise HasLeftError
        if any(row["state"] == State.SENDING and row["held_by_a_worker"] for row in rows):
            raise BeingSentError
        if not unsent and found["state"] != "held":
            return False
        outcomes = [Outcome(id_, Event.CANCELLED, _REASON) for id_ in unsent]
        await self.outcomes.record(connection, outcomes)
        await driver.execute(_TAKE_BACK, communication_id)
        details = {"communication": communication_id, "deliveries": len(unsent)}
        entry = Entry(caller.actor, CANCELLED, found["participant_id"], details, network)
        await self.audit.append(connection, entry)
        return True


def _may_be_cancelled(row: Any) -> bool:
    return TABLE[State(row["state"]), Event.CANCELLED] is not None
