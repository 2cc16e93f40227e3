"""How a communication stands, without anything that is personal: neither whom it is for, nor what
it says, nor where it goes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.database import driver_connection

_COMMUNICATION: Final = """
SELECT id, notice, language, urgency, state, step, requested_at, recorded_at, due_by, met_at
FROM communication WHERE id = $1
"""
_DELIVERIES: Final = """
SELECT id, step, channel, meets_obligation, due_by, state, attempts, reason, created_at, final_at
FROM delivery WHERE communication_id = $1 ORDER BY id
"""
_DELIVERY_EVENTS: Final = """
SELECT id, delivery_id, at, event, state, changed, reason FROM delivery_event
WHERE delivery_id = ANY($1::bigint[]) ORDER BY id
"""
_EVENTS: Final = """
SELECT id, step, event, at, reason FROM communication_event
WHERE communication_id = $1 ORDER BY id
"""
_BRIEFLY: Final = """
SELECT id, notice, language, urgency, state, requested_at, due_by
FROM communication WHERE id = ANY($1::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that became of a delivery, or, without `changed`, told of it too late to matter."""

    at: datetime
    event: str
    state: str
    changed: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class DeliveryStanding:
    """One attempt on one channel, and what happened to it, oldest first."""

    id: int
    step: int
    channel: str
    meets_obligation: bool
    due_by: date
    state: str
    attempts: int
    reason: str | None
    created_at: datetime
    final_at: datetime | None
    events: tuple[Happened, ...]


@dataclass(frozen=True, slots=True)
class PromiseEvent:
    """What became of the promise of one step."""

    step: int
    event: str
    at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class Brief:
    """What was recorded, and by when it is due."""

    id: int
    notice: str
    language: str
    urgency: str
    state: str
    requested_at: datetime
    due_by: date


@dataclass(frozen=True, slots=True)
class Standing:
    """A communication with its deliveries and events. `step` is the one that now carries it."""

    id: int
    notice: str
    language: str
    urgency: str
    state: str
    step: int
    requested_at: datetime
    recorded_at: datetime
    due_by: date
    met_at: datetime | None
    deliveries: tuple[DeliveryStanding, ...]
    events: tuple[PromiseEvent, ...]


async def standing(connection: AsyncConnection, communication_id: int) -> Standing | None:
    """How the communication stands; None where there is none of that id."""
    driver = await driver_connection(connection)
    row = await driver.fetchrow(_COMMUNICATION, communication_id)
    if row is None:
        return None
    deliveries = await driver.fetch(_DELIVERIES, communication_id)
    happened = await driver.fetch(_DELIVERY_EVENTS, [each["id"] for each in deliveries])
    by_delivery: dict[int, list[Happened]] = defaultdict(list)
    for each in happened:
        by_delivery[each["delivery_id"]].append(_told(Happened, each))
    return Standing(
        **dict(row),
        deliveries=tuple(
            DeliveryStanding(**dict(each), events=tuple(by_delivery[each["id"]]))
            for each in deliveries
        ),
        events=tuple(
            _told(PromiseEvent, each) for each in await driver.fetch(_EVENTS, communication_id)
        ),
    )


async def briefly(connection: AsyncConnection, ids: Sequence[int]) -> list[Brief]:
    """What these communications are, in the order of `ids`."""
    driver = await driver_connection(connection)
    found = {row["id"]: Brief(**dict(row)) for row in await driver.fetch(_BRIEFLY, ids)}
    return [found[id_] for id_ in ids]


def _told(kind: Any, row: Any) -> Any:
    return kind(**{name: row[name] for name in kind.__dataclass_fields__})
