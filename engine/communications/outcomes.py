"""What became of deliveries: the one place where events are appended and states move."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.clock import Clock
from engine.communications.catalogue import CATALOGUE, Channel
from engine.communications.failover import Failover, Lost
from engine.communications.met_at_once import meet_at_once
from engine.communications.owed import Owed, seal_into
from engine.communications.ports import Secrets
from engine.communications.printed import lying_in_stored_batches
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
from engine.database import driver_connection, driver_for_ids

# Where several channels meet one obligation together, all its deliveries are locked: of two workers
# the second sees what the first recorded.
_LOCK = """
WITH named AS (
    SELECT delivery.id, communication_id, delivery.step,
           jsonb_array_length(route -> delivery.step) > 1 AS shared
    FROM delivery JOIN communication ON communication.id = communication_id
    WHERE delivery.id = ANY($1::bigint[])
)
SELECT delivery.id, delivery.state, lease_token, channel, communication_id, meets_obligation,
       secret_key_id IS NOT NULL AS sealed, notice, participant_id, sent_to,
       delivery.step = communication.step AND communication.state <> 'cancelled' AS current
FROM delivery JOIN communication ON communication.id = communication_id
WHERE delivery.id = ANY(
    ARRAY(SELECT id FROM named)
    || ARRAY(SELECT beside.id FROM named JOIN delivery AS beside USING (communication_id, step)
             WHERE shared)
)
ORDER BY delivery.id FOR UPDATE OF delivery
"""
_MOVE = """
UPDATE delivery SET
    state = moved.state,
    reason = moved.reason,
    next_attempt_at = clock_timestamp() + moved.delay,
    attempts = attempts - CASE WHEN moved.counted THEN 0 ELSE 1 END,
    lease_token = NULL,
    leased_until = NULL,
    sent_to = coalesce(moved.contact_point, sent_to),
    final_at = CASE WHEN moved.final THEN moved.at END
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::interval[], $5::bool[], $6::bool[],
            $7::timestamptz[], $8::bigint[])
     AS moved (id, state, reason, delay, final, counted, at, contact_point)
WHERE delivery.id = moved.id
"""
# The portal may shred a secret, and may not read one.
_SHRED = """
UPDATE delivery SET secret = NULL, secret_key_id = NULL WHERE id = ANY($1::bigint[])
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


@dataclass(frozen=True, slots=True)
class Outcome:
    """One event for one delivery. `reason` is a word or a status code, never personal.

    An attempt that is not `counted` is given back: it was not the message's fault. `at` is when it
    happened, where somebody else tells us of it later; the clock's now otherwise. `contact_point`
    is where an email went, or was refused; with `dead` the server said that nobody is there.
    """

    delivery_id: int
    event: Event
    reason: str | None = None
    delay: timedelta = timedelta()
    counted: bool = True
    at: datetime | None = None
    contact_point: int | None = None
    dead: bool = False


@dataclass(slots=True)
class Recorded:
    """What a recording changed."""

    moved: dict[int, State] = field(default_factory=dict)
    owed: list[Owed] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Setback:
    """Something that tells against the way a delivery went. `contact_point` is where it went, where
    that is known."""

    delivery_id: int
    participant_id: int
    channel: Channel
    event: Event
    reason: str | None
    contact_point: int | None
    dead: bool


_Move = tuple[Any, Outcome, State]
_LATE = frozenset(
    {Event.BOUNCED, Event.BOUNCED_SOFT, Event.GIVEN_UP, Event.REJECTED, Event.RETURNED}
)


class Aftermath(Protocol):
    """What else follows from setbacks, in the same transaction."""

    async def of(
        self, connection: AsyncConnection, setbacks: Sequence[Setback], now: datetime
    ) -> Sequence[Owed]:
        """Suppress what is not to be written to again, and tell; what that made owed."""
        ...


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Records outcomes by the state table, and has the next step of a route that failed taken."""

    clock: Clock
    secrets: Secrets
    failover: Failover
    aftermath: Aftermath

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
        met = await self._meet_at_once(connection, by_delivery, lease_token)
        recorded = Recorded(dict.fromkeys(met, State.SENT))
        rest = {id_: outcome for id_, outcome in by_delivery.items() if id_ not in met}
        if rest:
            await self._record_by_table(connection, rest, lease_token, recorded)
        return recorded

    async def _meet_at_once(
        self,
        connection: AsyncConnection,
        by_delivery: Mapping[int, Outcome],
        lease_token: UUID | None,
    ) -> Collection[int]:
        """All of them, where a lease's holder says that each was accepted and no more follows."""
        if lease_token is None or not all(map(_is_accepted_now, by_delivery.values())):
            return ()
        accepted = [
            (id_, outcome.contact_point, outcome.reason) for id_, outcome in by_delivery.items()
        ]
        driver = await driver_for_ids(connection)
        return await meet_at_once(driver, accepted, lease_token, self.clock())

    async def _record_by_table(
        self,
        connection: AsyncConnection,
        by_delivery: Mapping[int, Outcome],
        lease_token: UUID | None,
        recorded: Recorded,
    ) -> None:
        driver = await driver_for_ids(connection)
        rows = await driver.fetch(_LOCK, sorted(by_delivery))
        told = [(row, by_delivery[row["id"]]) for row in rows if row["id"] in by_delivery]
        moot = await self._moot(connection, told)
        leaving = await _leaving(driver, told)
        moves = [
            (row, outcome, _next_state(row, outcome.event, lease_token, moot, leaving))
            for row, outcome in told
        ]
        await _append(driver, moves)
        moved = [(row, outcome, state) for row, outcome, state in moves if state is not None]
        if moved:
            await self._move(driver, moved)
        recorded.moved |= {row["id"]: state for row, _, state in moved}
        await self._settle(connection, rows, moved, moot, recorded)
        setbacks = [
            _setback(row, outcome) for row, outcome, state in moves if _is_setback(outcome, state)
        ]
        if setbacks:
            recorded.owed += await self.aftermath.of(connection, setbacks, self.clock())

    async def _moot(
        self, connection: AsyncConnection, told: Sequence[tuple[Any, Outcome]]
    ) -> Collection[int]:
        """Those whose secret was used, or replaced by a newer one: nothing is owed for them."""
        carried = [
            row["id"]
            for row, outcome in told
            if CATALOGUE[row["notice"]].carries_secret and outcome.event in _LATE
        ]
        return await self.secrets.moot(connection, carried) if carried else ()

    async def _move(self, driver: Any, moved: Sequence[_Move]) -> None:
        await driver.execute(
            _MOVE,
            [row["id"] for row, _, _ in moved],
            [state.value for _, _, state in moved],
            [outcome.reason for _, outcome, _ in moved],
            [outcome.delay for _, outcome, _ in moved],
            [state in FINAL for _, _, state in moved],
            [outcome.counted and outcome.event is not Event.PUT_BACK for _, outcome, _ in moved],
            [outcome.at or self.clock() for _, outcome, _ in moved],
            [outcome.contact_point for _, outcome, _ in moved],
        )
        final = [row["id"] for row, _, state in moved if row["sealed"] and state in FINAL]
        if final:
            await driver.execute(_SHRED, final)

    async def _settle(
        self,
        connection: AsyncConnection,
        rows: Sequence[Any],
        moved: Sequence[_Move],
        moot: Collection[int],
        recorded: Recorded,
    ) -> None:
        """Bring the communications of `moved` in step with their deliveries."""
        now = self.clock()
        await self._tell_secrets(connection, moved, now)
        settled: dict[int, tuple[str, datetime]] = {}
        lost: dict[int, Lost] = {}
        abreast = _abreast(rows, recorded.moved)
        for row, outcome, state in moved:
            key = row["communication_id"]
            if not (row["meets_obligation"] and row["current"]):
                continue
            beside = [other for id_, other in abreast[key].items() if id_ != row["id"]]
            if state in LOST and row["id"] in moot:
                settled[key] = ("cancelled", now)
            elif state in LOST:
                # What nobody opened was there in time.
                missed = outcome.event is not Event.UNOPENED
                lost[key] = Lost(outcome.reason or outcome.event.value, missed)
            elif standing := standing_of(State(row["state"]), state, beside):
                settled[key] = (standing, outcome.at or now)
        owed, without_next = await self.failover.take_next_steps(connection, lost)
        recorded.owed += owed
        settled |= {key: (standing, now) for key, standing in without_next.items()}
        if settled:
            driver = await driver_connection(connection)
            standings = [standing for standing, _ in settled.values()]
            await driver.execute(
                _SETTLE, list(settled), standings, [at for _, at in settled.values()]
            )
            held = [key for key, (standing, _) in settled.items() if standing == "held"]
            await self.failover.give(connection, held)
        # An alert that something waits in the inbox is not sent where nothing does.
        empty = {
            row["communication_id"]
            for row, _, state in moved
            if row["channel"] == Channel.INBOX and state is State.FAILED
        }
        nothing_waits = [
            Outcome(row["id"], Event.CANCELLED, "nothing_waits")
            for row in rows
            if row["current"]
            and row["channel"] == Channel.EMAIL
            and row["communication_id"] in empty
        ]
        await self.record(connection, nothing_waits)

    async def _tell_secrets(
        self,
        connection: AsyncConnection,
        moved: Sequence[_Move],
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
        for row, outcome, _ in moved:
            # The secret was shredded when it was sent: what is sent again carries a new one.
            if outcome.event is Event.BOUNCED_SOFT and CATALOGUE[row["notice"]].carries_secret:
                await seal_into(connection, self.secrets, row["participant_id"], row["id"])
        ended = [
            row["id"]
            for row, _, state in moved
            if state in LOST | {State.CANCELLED} and CATALOGUE[row["notice"]].carries_secret
        ]
        if ended:
            await self.secrets.ended(connection, ended)


def standing_of(before: State, after: State, beside: Collection[State]) -> str | None:
    """What a delivery's move, not a loss, makes of its communication, or None where it stays as it
    was. `beside` are the deliveries that meet it together with this one: all of them must."""
    together = {after, *beside}
    if together & LOST:
        return None
    if together <= MET:
        return "met"
    if State.HELD in together:
        return "held" if after is State.HELD else None
    if State.CANCELLED in together:
        return "cancelled" if together <= MET | {State.CANCELLED} else None
    return "owed" if before in MET | {State.HELD} else None


def _abreast(rows: Sequence[Any], moved: Mapping[int, State]) -> dict[int, dict[int, State]]:
    """Communication → the deliveries that are to meet it now, and where each stands."""
    found: dict[int, dict[int, State]] = defaultdict(dict)
    for row in rows:
        if row["meets_obligation"] and row["current"]:
            state = moved.get(row["id"], State(row["state"]))
            found[row["communication_id"]][row["id"]] = state
    return found


def _setback(row: Any, outcome: Outcome) -> Setback:
    return Setback(
        delivery_id=row["id"],
        participant_id=row["participant_id"],
        channel=Channel(row["channel"]),
        event=outcome.event,
        reason=outcome.reason,
        contact_point=outcome.contact_point or row["sent_to"],
        dead=outcome.dead,
    )


def _is_accepted_now(outcome: Outcome) -> bool:
    return outcome.event is Event.ACCEPTED and outcome.at is None


def _is_setback(outcome: Outcome, state: State | None) -> bool:
    if outcome.event is Event.COMPLAINED:
        return True
    return state in LOST or (state is not None and outcome.event is Event.BOUNCED_SOFT)


async def _leaving(driver: Any, told: Sequence[tuple[Any, Outcome]]) -> Collection[int]:
    """Those that were to be cancelled, and leave with their print batch."""
    batched = [
        row["id"]
        for row, outcome in told
        if outcome.event is Event.CANCELLED and row["state"] == State.BATCHED
    ]
    return await lying_in_stored_batches(driver, batched) if batched else ()


def _next_state(
    row: Any,
    event: Event,
    lease_token: UUID | None,
    moot: Collection[int],
    leaving: Collection[int],
) -> State | None:
    if event in LEASED_EVENTS and row["lease_token"] != lease_token:
        return None
    if row["id"] in leaving:
        return None
    # Only what is still owed by this channel is sent again.
    if event is Event.BOUNCED_SOFT and (row["id"] in moot or not row["current"]):
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
