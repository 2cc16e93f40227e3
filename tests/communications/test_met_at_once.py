"""The ordinary outcome in one statement says what the state table would have said."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bootstrap import Application
from engine.communications import outcomes
from engine.communications.claims import Lease, claim
from engine.communications.met_at_once import _MET_AT_ONCE
from engine.communications.outcomes import Outcome
from engine.communications.states import Event, State
from engine.database import driver_connection
from tests.communications.test_races import owed

_SNAPSHOT = """
SELECT delivery.id, delivery.state, reason, lease_token, leased_until, secret_key_id, attempts,
       sent_to, final_at, communication.state AS communication, met_at, given_to,
       communication.step,
       (SELECT array_agg((event, state, changed, reason)::text ORDER BY id) FROM delivery_event
        WHERE delivery_id = delivery.id) AS events
FROM delivery JOIN communication ON communication.id = communication_id ORDER BY delivery.id
"""
_ONE = "WHERE id = (SELECT max(id) FROM delivery)"
SITUATIONS = {
    "all as they were claimed": "SELECT",
    "one is of another lease": f"UPDATE delivery SET lease_token = gen_random_uuid() {_ONE}",
    "one has been put back": f"UPDATE delivery SET state = 'owed', lease_token = NULL {_ONE}",
    "one was cancelled meanwhile": f"UPDATE delivery SET state = 'cancelled' {_ONE}",
    "one is an alert beside a letter": f"UPDATE delivery SET meets_obligation = false {_ONE}",
    "one is of a step that is over": "UPDATE communication SET step = step + 1 "
    "WHERE id = (SELECT max(id) FROM communication)",
    "one is no longer owed": "UPDATE communication SET state = 'cancelled' "
    "WHERE id = (SELECT max(id) FROM communication)",
    "one is held": "UPDATE communication SET state = 'held', given_to = 'operators' "
    "WHERE id = (SELECT max(id) FROM communication)",
    "one step has two channels": "UPDATE communication SET route = "
    "jsonb_set(route, '{0}', (route -> 0) || (route -> 0)) "
    "WHERE id = (SELECT max(id) FROM communication)",
}


async def _after(
    application: Application, connection: AsyncConnection, lease: Lease, ids: list[int]
) -> tuple[object, list[dict[str, Any]]]:
    """What recording that all were accepted changed, and how everything stands; then undone."""
    told = [Outcome(id_, Event.ACCEPTED, "250", contact_point=None) for id_ in ids]
    async with connection.begin_nested() as undone:
        recorded = await application.outcomes.record(connection, told, lease.token)
        driver = await driver_connection(connection)
        rows = [dict(row) for row in await driver.fetch(_SNAPSHOT)]
        await undone.rollback()
    for row in rows:
        for moment in ("final_at", "met_at"):
            row[moment] = row[moment] is not None
    return recorded.moved, rows


@pytest.mark.parametrize("change", SITUATIONS.values(), ids=list(SITUATIONS))
async def test_it_says_what_the_state_table_says(
    application: Application, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Deliveries, events and communications are the same by either way, in every situation."""
    ids = await owed(application, 3)
    async with application.engine.begin() as connection:
        lease, claimed = await claim(connection, ids, 60)
        assert len(claimed) == 3
        driver = await driver_connection(connection)
        await driver.execute(change)
        at_once = await _after(application, connection, lease, ids)
        monkeypatch.setattr(outcomes, "_is_accepted_now", lambda _: False)
        assert at_once == await _after(application, connection, lease, ids)


async def test_only_what_is_all_plain_is_met_at_once(application: Application) -> None:
    """The state table is not asked where all are plain, and is where one of them is not."""
    ids = await owed(application, 3)
    async with application.engine.begin() as connection:
        lease, _ = await claim(connection, ids, 60)
        told = {id_: Outcome(id_, Event.ACCEPTED, "250") for id_ in ids}
        meet = application.outcomes._meet_at_once
        async with connection.begin_nested() as undone:
            assert await meet(connection, told, lease.token) == set(ids)
            await undone.rollback()
        driver = await driver_connection(connection)
        await driver.execute(SITUATIONS["one is of a step that is over"])
        assert await meet(connection, told, lease.token) == set()
        recorded = await application.outcomes.record(connection, told.values(), lease.token)
    assert recorded.moved == dict.fromkeys(ids, State.SENT)


async def test_its_cost_grows_with_what_it_is_told_and_no_faster(application: Application) -> None:
    """Planned once for any number of deliveries, it looks each up: none is compared with every
    other, which for 250 at a time cost more than all that is written."""
    await owed(application, 3)
    async with application.engine.connect() as connection:
        driver = await driver_connection(connection)
        # Until this transaction ends PostgreSQL takes the few rows for many: what it would do with
        # a handful says nothing.
        await driver.execute(
            "UPDATE pg_class SET reltuples = 1000000, relpages = 1"
            " WHERE oid IN ('delivery'::regclass, 'communication'::regclass)"
        )
        plan = await driver.fetch(
            f"EXPLAIN (GENERIC_PLAN) {_MET_AT_ONCE}", [], [], [], uuid4(), datetime.now(UTC)
        )
    steps = "\n".join(row[0] for row in plan)
    moved = steps[steps.index("CTE moved") : steps.index("CTE logged")]
    assert "Update on delivery" in moved
    assert "Join Filter" not in moved
