"""What became of deliveries: the one place where events are appended and states move."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.calendar.deadlines import due_by
from engine.clock import Clock
from engine.communications.catalogue import CATALOGUE, Channel
from engine.communications.ports import Desk, Secrets
from engine.communications.routing import route_from_json
from engine.communications.states import (
    FINAL,
    LEASED_EVENTS,
    LEFT,
    LOST,
    MET,
    TABLE,
    Event,
    State,
)
from engine.database import driver_connection

_LOCK = """
SELECT delivery.id, delivery.state, lease_token, channel, communication_id, meets_obligation,
       secret IS NOT NULL AS sealed, notice
FROM delivery JOIN communication ON communication.id = communication_id
WHERE delivery.id = ANY($1::bigint[]) ORDER BY delivery.id FOR UPDATE OF delivery
"""
_MOVE = """
UPDATE delivery SET
    state = moved.state,
    reason = moved.reason,
    next_attempt_at = clock_timestamp() + moved.delay,
    attempts = attempts - CASE WHEN moved.counted THEN 0 ELSE 1 END,
    lease_token = NULL,
    leased_until = NULL,
    final_at = CASE WHEN moved.final THEN moved.at END,
    secret = CASE WHEN moved.final THEN NULL ELSE secret END,
    secret_key_id = CASE WHEN moved.final THEN NULL ELSE secret_key_id END
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::interval[], $5::bool[], $6::bool[],
            $7::timestamptz[])
     AS moved (id, state, reason, delay, final, counted, at)
WHERE delivery.id = moved.id
"""
_APPEND = """
INSERT INTO delivery_event (delivery_id, event, state, changed, reason)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bool[], $5::text[])
"""
_SETTLE = """
UPDATE communication SET state = settled.state,
       met_at = CASE settled.state WHEN 'met' THEN settled.at END,
       given_to = NULL
FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) AS settled (id, state, at)
WHERE communication.id = settled.id
"""
_HELD = """
SELECT id, participant_id FROM communication WHERE id = ANY($1::bigint[])
"""
_GIVE = """
UPDATE communication SET given_to = given.desk
FROM unnest($1::bigint[], $2::text[]) AS given (id, desk) WHERE communication.id = given.id
"""
_NEXT_STEP = """
SELECT id, notice, participant_id, route::text AS route, step, requested_at, urgency,
       contact_point_id
FROM communication WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE
"""
_TAKE_STEP = """
WITH moved AS (
    UPDATE communication
    SET step = $2, due_by = $3, state = 'owed', met_at = NULL, given_to = NULL WHERE id = $1
)
INSERT INTO delivery (communication_id, step, channel, meets_obligation, due_by)
VALUES ($1, $2, $4, $5, $3) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One event for one delivery. `reason` is a word or a status code, never personal.

    An attempt that is not `counted` is given back: it was not the message's fault. `at` is when it
    happened, where somebody else tells us of it later; the clock's now otherwise.
    """

    delivery_id: int
    event: Event
    reason: str | None = None
    delay: timedelta = timedelta()
    counted: bool = True
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """A delivery for which the doorbell should be rung once the transaction has committed."""

    delivery_id: int
    urgency: str
    after: timedelta = timedelta()


@dataclass(slots=True)
class Recorded:
    """What a recording changed."""

    moved: dict[int, State] = field(default_factory=dict)
    owed: list[Owed] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Records outcomes by the state table, and takes the next step of a route that failed."""

    clock: Clock
    secrets: Secrets
    desk: Desk

    async def record(
        self,
        connection: AsyncConnection,
        outcomes: Iterable[Outcome],
        lease_token: UUID | None = None,
    ) -> Recorded:
        """Append every outcome as an event and move the states that the table moves.

        Events of a lease that `lease_token` no longer holds change nothing. In one transaction
        with whatever else `connection` does: an obligation whose channel failed has its next
        delivery when the failure is committed.
        """
        by_delivery = {outcome.delivery_id: outcome for outcome in outcomes}
        if not by_delivery:
            return Recorded()
        driver = await driver_connection(connection)
        rows = await driver.fetch(_LOCK, sorted(by_delivery))
        moves = [
            (row, outcome, _next_state(row, outcome.event, lease_token))
            for row in rows
            for outcome in (by_delivery[row["id"]],)
        ]
        await _append(driver, moves)
        moved = [(row, outcome, state) for row, outcome, state in moves if state is not None]
        if moved:
            await self._move(driver, moved)
        recorded = Recorded({row["id"]: state for row, _, state in moved})
        await self._settle(connection, moved, recorded)
        return recorded

    async def _move(self, driver: Any, moved: Sequence[tuple[Any, Outcome, State]]) -> None:
        await driver.execute(
            _MOVE,
            [row["id"] for row, _, _ in moved],
            [state.value for _, _, state in moved],
            [outcome.reason for _, outcome, _ in moved],
            [outcome.delay for _, outcome, _ in moved],
            [state in FINAL for _, _, state in moved],
            [outcome.counted and outcome.event is not Event.PUT_BACK for _, outcome, _ in moved],
            [outcome.at or self.clock() for _, outcome, _ in moved],
        )

    async def _settle(
        self,
        connection: AsyncConnection,
        moved: Sequence[tuple[Any, Outcome, State]],
        recorded: Recorded,
    ) -> None:
        """Bring the communications of `moved` in step with their deliveries."""
        now = self.clock()
        meeting = [move for move in moved if move[0]["meets_obligation"]]
        settled = {
            row["communication_id"]: (standing, outcome.at or now)
            for row, outcome, state in meeting
            if (standing := _standing(State(row["state"]), state))
        }
        lost = [row["communication_id"] for row, _, state in meeting if state in LOST]
        await self._tell_secrets(connection, moved, now)
        if lost:
            for standing, ended in await self._take_next_steps(connection, lost, recorded):
                settled[ended] = (standing, now)
        if settled:
            driver = await driver_connection(connection)
            standings = [standing for standing, _ in settled.values()]
            await driver.execute(
                _SETTLE, list(settled), standings, [at for _, at in settled.values()]
            )
            held = [key for key, (standing, _) in settled.items() if standing == "held"]
            await self._give(connection, held)

    async def _give(self, connection: AsyncConnection, held: Collection[int]) -> None:
        """What a machine cannot go on with is somebody's task from the moment it is held."""
        if not held:
            return
        driver = await driver_connection(connection)
        rows = await driver.fetch(_HELD, list(held))
        desks = await self.desk.of(connection, {row["participant_id"] for row in rows})
        await driver.execute(
            _GIVE, [row["id"] for row in rows], [desks[row["participant_id"]] for row in rows]
        )

    async def _tell_secrets(
        self,
        connection: AsyncConnection,
        moved: Sequence[tuple[Any, Outcome, State]],
        now: datetime,
    ) -> None:
        for channel in Channel:
            arrived = [
                row["id"]
                for row, _, state in moved
                if state in LEFT and row["sealed"] and row["channel"] == channel
            ]
            if arrived:
                await self.secrets.delivered(connection, channel, arrived, now)
        ended = [
            row["id"]
            for row, _, state in moved
            if state in LOST | {State.CANCELLED} and CATALOGUE[row["notice"]].carries_secret
        ]
        if ended:
            await self.secrets.ended(connection, ended)

    async def _take_next_steps(
        self, connection: AsyncConnection, communications: Sequence[int], recorded: Recorded
    ) -> list[tuple[str, int]]:
        """Give each obligation its next channel; how those stand that have none. A person must
        have them, but for what was to reach one contact alone: that cannot be reached."""
        driver = await driver_connection(connection)
        without_next: list[tuple[str, int]] = []
        for row in await driver.fetch(_NEXT_STEP, list(communications)):
            route = route_from_json(row["route"])
            step = row["step"] + 1
            if step >= len(route):
                bound = row["contact_point_id"] is not None
                without_next.append(("cancelled" if bound else "held", row["id"]))
                continue
            notice = CATALOGUE[row["notice"]]
            for leg in route[step]:
                due = due_by(row["requested_at"], notice.days[leg.channel])
                delivery_id = await driver.fetchval(
                    _TAKE_STEP, row["id"], step, due, leg.channel, leg.meets
                )
                if notice.carries_secret:
                    await seal_into(connection, self.secrets, row["participant_id"], delivery_id)
                recorded.owed.append(Owed(delivery_id, row["urgency"]))
        return without_next


def _standing(before: State, after: State) -> str | None:
    """What a delivery's move makes of its communication, or None where it stays as it was."""
    if after in MET:
        return "met"
    if after in {State.HELD, State.CANCELLED}:
        return after.value
    return "owed" if before is State.HELD else None


def _next_state(row: Any, event: Event, lease_token: UUID | None) -> State | None:
    if event in LEASED_EVENTS and row["lease_token"] != lease_token:
        return None
    return TABLE[State(row["state"]), event]


async def _append(driver: Any, moves: Sequence[tuple[Any, Outcome, State | None]]) -> None:
    await driver.execute(
        _APPEND,
        [row["id"] for row, _, _ in moves],
        [outcome.event.value for _, outcome, _ in moves],
        [(state or State(row["state"])).value for row, _, state in moves],
        [state is not None for _, _, state in moves],
        [outcome.reason for _, outcome, _ in moves],
    )


async def seal_into(
    connection: AsyncConnection, secrets: Secrets, participant_id: int, delivery_id: int
) -> None:
    """Issue a new secret and put it, sealed, into its delivery."""
    sealed = await secrets.issue(connection, participant_id, delivery_id)
    driver = await driver_connection(connection)
    await driver.execute(
        "UPDATE delivery SET secret = $2, secret_key_id = $3 WHERE id = $1",
        delivery_id,
        sealed.to_bytes(),
        sealed.key_id,
    )
