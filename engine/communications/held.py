"""What waits for a person: why, whose task it is, until when; and how it goes on."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.calendar.deadlines import due_by
from engine.communications.catalogue import CATALOGUE, Channel
from engine.communications.doorbell import Doorbell
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.owed import Owed, seal_into
from engine.communications.ports import Secrets
from engine.communications.routing import Leg, route_from_json, route_to_json
from engine.communications.states import Event, State
from engine.database import driver_connection

# Soonest due first: the deadline of what is held keeps running.
_HELD: Final = """
SELECT communication.id, notice, channel, reason, given_to, communication.due_by
FROM communication JOIN delivery ON communication_id = communication.id
     AND delivery.step = communication.step AND meets_obligation
WHERE communication.state = 'held' ORDER BY communication.due_by, communication.id
"""
_LOCK_DELIVERIES: Final = """
SELECT id FROM delivery WHERE communication_id = ANY($1::bigint[]) ORDER BY id FOR UPDATE
"""
_TAKE_UP: Final = """
SELECT communication.id, notice, participant_id, route::text AS route, communication.step,
       requested_at, urgency, delivery.id AS delivery_id, delivery.state, channel
FROM communication JOIN delivery ON communication_id = communication.id
     AND delivery.step = communication.step AND meets_obligation
WHERE communication.state = 'held' AND communication.id = ANY($1::bigint[])
      AND delivery.state IN ('held', 'failed', 'returned')
ORDER BY communication.id FOR UPDATE OF communication
"""
_ONE_MORE_STEP: Final = """
WITH moved AS (
    UPDATE communication
    SET route = $2::jsonb, step = $3, due_by = $4, state = 'owed', given_to = NULL WHERE id = $1
)
INSERT INTO delivery (communication_id, step, channel, due_by) VALUES ($1, $3, $5, $4)
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Held:
    """One task. `reason` is a word for what stopped it."""

    communication_id: int
    notice: str
    channel: str
    reason: str | None
    given_to: str | None
    due_by: date


@dataclass(frozen=True, slots=True)
class HeldDesk:
    """Lists the tasks, and sends on what a person has mended."""

    engine: AsyncEngine
    outcomes: Outcomes
    secrets: Secrets
    doorbell: Doorbell

    async def tasks(self) -> list[Held]:
        """What is held now, soonest due first."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            return [
                Held(
                    communication_id=row["id"],
                    notice=row["notice"],
                    channel=row["channel"],
                    reason=row["reason"],
                    given_to=row["given_to"],
                    due_by=row["due_by"],
                )
                for row in await driver.fetch(_HELD)
            ]

    async def send_on(self, communication_ids: Collection[int]) -> int:
        """Try these again on the channel on which they stopped; how many of them were held."""
        async with self.engine.begin() as connection:
            taken_up = await self.take_up(connection, communication_ids)
        await self.doorbell.ring(taken_up.values())
        return len(taken_up)

    async def take_up(
        self, connection: AsyncConnection, communication_ids: Collection[int]
    ) -> Mapping[int, Owed]:
        """Those of these communications that were held, and what is owed of each from now on: ring
        for it once the transaction has committed.

        Where nothing was mended, they are soon held again. What came back once is a new delivery.
        """
        driver = await driver_connection(connection)
        # Deliveries before communications, as everywhere: two who wait for each other stop both.
        await driver.execute(_LOCK_DELIVERIES, list(communication_ids))
        rows = await driver.fetch(_TAKE_UP, list(communication_ids))
        waiting = [row for row in rows if row["state"] == State.HELD]
        await self.outcomes.record(
            connection, [Outcome(row["delivery_id"], Event.RELEASED) for row in waiting]
        )
        owed = {row["id"]: Owed(row["delivery_id"], row["urgency"]) for row in waiting}
        for row in rows:
            if row["id"] not in owed:
                owed[row["id"]] = await self._one_more(connection, row)
        return owed

    async def _one_more(self, connection: AsyncConnection, row: Any) -> Owed:
        driver = await driver_connection(connection)
        notice, channel = CATALOGUE[row["notice"]], Channel(row["channel"])
        route = (*route_from_json(row["route"])[: row["step"] + 1], (Leg(channel),))
        delivery_id = await driver.fetchval(
            _ONE_MORE_STEP,
            row["id"],
            route_to_json(route),
            row["step"] + 1,
            due_by(row["requested_at"], notice.days[channel]),
            channel,
        )
        if notice.carries_secret:
            await seal_into(connection, self.secrets, row["participant_id"], delivery_id)
        return Owed(delivery_id, row["urgency"])
