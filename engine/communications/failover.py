"""Where an obligation goes when its channel has failed: to its next channel, or to a person."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.calendar.deadlines import due_by
from engine.clock import Clock
from engine.communications.catalogue import CATALOGUE
from engine.communications.owed import Owed, seal_into
from engine.communications.ports import Desk, Secrets
from engine.communications.routing import Step, route_from_json
from engine.database import driver_connection

_MISSED: Final = """
INSERT INTO communication_event (communication_id, step, event, at, reason)
SELECT id, step, 'promise_missed', $3, reason
FROM unnest($1::bigint[], $2::text[]) AS missed (missed_id, reason)
JOIN communication ON communication.id = missed_id
ON CONFLICT DO NOTHING
"""
_HELD: Final = """
SELECT id, participant_id FROM communication WHERE id = ANY($1::bigint[])
"""
_GIVE: Final = """
UPDATE communication SET given_to = given.desk
FROM unnest($1::bigint[], $2::text[]) AS given (id, desk) WHERE communication.id = given.id
"""
_NEXT_STEP: Final = """
SELECT id, notice, participant_id, route::text AS route, step, requested_at, urgency,
       contact_point_id
FROM communication WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE
"""
_TAKE_STEP: Final = """
UPDATE communication
SET step = $2, due_by = $3, state = 'owed', met_at = NULL, given_to = NULL WHERE id = $1
"""
_DELIVERY: Final = """
INSERT INTO delivery (communication_id, step, channel, meets_obligation, due_by)
VALUES ($1, $2, $3, $4, $5) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Lost:
    """Why a channel failed an obligation, in a word; whether that broke what the channel had
    promised."""

    reason: str
    missed: bool


@dataclass(frozen=True, slots=True)
class Failover:
    """Gives each obligation its next channel, in the transaction in which the last one failed."""

    clock: Clock
    secrets: Secrets
    desk: Desk

    async def take_next_steps(
        self, connection: AsyncConnection, lost: Mapping[int, Lost]
    ) -> tuple[list[Owed], dict[int, str]]:
        """Take the next step of each of these communications: what that made owed, and how those
        stand that have none. A person must have them, but for what was to reach one contact alone:
        that cannot be reached."""
        if not lost:
            return [], {}
        driver = await driver_connection(connection)
        rows = await driver.fetch(_NEXT_STEP, list(lost))
        missed = [
            row["id"] for row in rows if row["contact_point_id"] is None and lost[row["id"]].missed
        ]
        reasons = [lost[id_].reason for id_ in missed]
        await driver.execute(_MISSED, missed, reasons, self.clock())
        owed: list[Owed] = []
        without_next: dict[int, str] = {}
        for row in rows:
            route = route_from_json(row["route"])
            if row["step"] + 1 < len(route):
                owed += await self._take_step(connection, row, route[row["step"] + 1])
            else:
                bound = row["contact_point_id"] is not None
                without_next[row["id"]] = "cancelled" if bound else "held"
        return owed, without_next

    async def give(self, connection: AsyncConnection, held: Collection[int]) -> None:
        """What a machine cannot go on with is somebody's task from the moment it is held."""
        if not held:
            return
        driver = await driver_connection(connection)
        rows = await driver.fetch(_HELD, list(held))
        desks = await self.desk.of(connection, {row["participant_id"] for row in rows})
        await driver.execute(
            _GIVE, [row["id"] for row in rows], [desks[row["participant_id"]] for row in rows]
        )

    async def _take_step(self, connection: AsyncConnection, row: Any, legs: Step) -> Sequence[Owed]:
        driver = await driver_connection(connection)
        notice = CATALOGUE[row["notice"]]
        due = {leg: due_by(row["requested_at"], notice.days[leg.channel]) for leg in legs}
        first = min(day for leg, day in due.items() if leg.meets)
        await driver.execute(_TAKE_STEP, row["id"], row["step"] + 1, first)
        owed = []
        for leg, day in due.items():
            delivery_id = await driver.fetchval(
                _DELIVERY, row["id"], row["step"] + 1, leg.channel, leg.meets, day
            )
            if notice.carries_secret:
                await seal_into(connection, self.secrets, row["participant_id"], delivery_id)
            owed.append(Owed(delivery_id, row["urgency"]))
        return owed
