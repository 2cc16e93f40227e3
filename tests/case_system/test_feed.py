"""The feed's order: nothing comes before a place that was given out, whoever commits when."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.bootstrap import Application
from engine.case_system.feed.reading import (
    Event,
    PlaceRemovedError,
    PlaceUnknownError,
    Wanted,
)
from engine.database import driver_connection
from engine.recovery.numbers import leap
from tests import people
from tests.database_rows import execute, fetch
from tests.promises import payment, record, sent

WRITE = """
INSERT INTO delivery_event (delivery_id, event, state, changed, reason)
VALUES ($1, $2, 'owed', true, $3)
"""


@pytest.fixture
async def delivery(application: Application) -> int:
    """One delivery that is owed; nothing of it is in the feed yet."""
    persons = await people.add(application.engine, people.Person())
    (id_,) = await record(application, payment(persons[0]))
    return id_


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[Any]:
    """One that is open until its end, on a connection of its own."""
    async with engine.begin() as connection:
        yield await driver_connection(connection)


async def write(driver: Any, delivery_id: int, said: str) -> None:
    """One event, which `said` tells from others."""
    await driver.execute(WRITE, delivery_id, "gathered", said)


async def read(application: Application, after: int | None = None) -> list[Event]:
    """Everything after a place, a few at a time."""
    found: list[Event] = []
    while True:
        page = await application.feed.page(after, 2)
        found += page.events
        if not page.more:
            return found
        after = page.position


async def said(application: Application, events: list[Event]) -> list[object]:
    """What tells them from each other."""
    rows = await fetch(
        application,
        "SELECT reason FROM feed_event JOIN delivery_event ON delivery_event.id = delivery_event_id"
        " WHERE position = ANY($1) ORDER BY position",
        [event.position for event in events],
    )
    return [row["reason"] for row in rows]


async def test_what_commits_later_comes_later(application: Application, delivery: int) -> None:
    """A transaction that wrote first and commits last has the lowest id, and the last place: the
    cursor that was given out before misses nothing of it."""
    async with transaction(application.engine) as slow:
        await write(slow, delivery, "slow")
        async with transaction(application.engine) as quick:
            await write(quick, delivery, "quick")
        await application.numbering.run()
        before = await read(application)
        cursor = before[-1].position
    await application.numbering.run()
    assert await said(application, before) == ["quick"]
    assert await said(application, await read(application, cursor)) == ["slow"]
    assert await application.numbering.run() == 0


async def test_what_was_under_way_for_long_is_not_forgotten(
    application: Application, delivery: int
) -> None:
    """However often was numbered while it wrote; what was rolled back never comes."""
    async with AsyncExitStack() as stack:
        slow = await stack.enter_async_context(transaction(application.engine))
        await write(slow, delivery, "slow")
        for turn in range(3):
            async with transaction(application.engine) as quick:
                await write(quick, delivery, f"quick {turn}")
            await application.numbering.run()
        async with application.engine.connect() as failing:
            await write(await driver_connection(failing), delivery, "undone")
            await failing.rollback()
        await write(slow, delivery, "slow again")
    await application.numbering.run()
    assert await said(application, await read(application)) == [
        *("quick 0", "quick 1", "quick 2", "slow", "slow again")
    ]


@dataclass
class Crowd:
    """Writers whose transactions are open for as long as they like, and a reader with a cursor."""

    application: Application
    delivery: int
    cursor: int = 0
    open: dict[int, AsyncConnection] = field(default_factory=dict)
    pending: dict[int, list[str]] = field(default_factory=dict)
    committed: list[str] = field(default_factory=list)
    got: list[str] = field(default_factory=list)

    async def write(self, writer: int) -> None:
        """One more event of a writer, in its transaction."""
        if writer not in self.open:
            self.open[writer] = await self.application.engine.connect()
            self.pending[writer] = []
        words = f"{writer} {len(self.committed) + len(self.pending[writer]):03d}"
        self.pending[writer].append(words)
        await write(await driver_connection(self.open[writer]), self.delivery, words)

    async def commit(self, writer: int) -> None:
        """A writer's transaction ends."""
        if writer in self.open:
            await self.open[writer].commit()
            await self.open.pop(writer).close()
            self.committed += self.pending.pop(writer)

    async def undo(self, writer: int) -> None:
        """A writer's transaction fails."""
        if writer in self.open:
            await self.open.pop(writer).close()
            del self.pending[writer]

    async def number(self, _: int = 0) -> None:
        """What was committed gets its place."""
        await self.application.numbering.run()

    async def read(self, _: int = 0) -> None:
        """The reader goes on from its cursor, to the end."""
        more = True
        while more:
            page = await self.application.feed.page(self.cursor, 2)
            self.got += map(str, await said(self.application, list(page.events)))
            self.cursor, more = page.position, page.more


STEPS = st.lists(
    st.tuples(st.sampled_from(["write", "write", "commit", "undo", "number", "read"]),
              st.integers(0, 2)),
    max_size=18,
)  # fmt: skip


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_a_cursor_skips_nothing_and_repeats_nothing(
    application: Application, delivery: int, steps: list[tuple[str, int]]
) -> None:
    """Writers begin, commit and fail in any order, beside one that numbers and one that reads on
    from its cursor: it gets all that was committed, once each, and each writer's in its order."""
    await application.numbering.run()
    crowd = Crowd(application, delivery, await application.feed.end())
    for step, writer in steps:
        await getattr(crowd, step)(writer)
    for writer in list(crowd.open):
        await crowd.commit(writer)
    await crowd.number()
    await crowd.read()
    assert sorted(crowd.got) == sorted(crowd.committed)
    for writer in range(3):
        own = [words for words in crowd.committed if words.startswith(f"{writer} ")]
        assert [words for words in crowd.got if words.startswith(f"{writer} ")] == own


async def test_it_tells_what_became_of_deliveries_and_promises(application: Application) -> None:
    """Ids, states and words of ours; how workers fare with what stays owed, and what changed
    nothing, is not told. A page may ask for one notice, or one communication."""
    persons = await people.add(application.engine, *people.crowd(2))
    await sent(application, *(payment(id_, key=f"payment:{id_}") for id_ in persons))
    await execute(
        application,
        "INSERT INTO communication_event (communication_id, step, event, at)"
        " VALUES (2, 0, 'at_risk', now())",
    )
    await application.numbering.run()
    told = await read(application)
    assert [
        (event.communication_id, event.event, event.channel, event.delivery_state) for event in told
    ] == [
        (1, "accepted", "email", "sent"),
        (2, "accepted", "email", "sent"),
        (2, "at_risk", None, None),
    ]
    assert {event.communication_state for event in told} == {"met"}
    page = await application.feed.page(None, 10, Wanted(["payment_notice"], 2))
    assert [event.event for event in page.events] == ["accepted", "at_risk"]
    page = await application.feed.page(None, 10, Wanted(["monthly_statement"]))
    assert (page.events, page.position) == ((), told[-1].position)


async def test_a_cursor_of_another_time_is_said(application: Application, delivery: int) -> None:
    """Events after it were removed, or it is of a feed that went on elsewhere: never silence."""
    async with transaction(application.engine) as writing:
        await write(writing, delivery, "one")
    await application.numbering.run()
    with pytest.raises(PlaceUnknownError):
        await application.feed.page(2, 10)
    await execute(application, "UPDATE feed_event SET at = at - $1::interval", timedelta(days=60))
    removed = await application.purge.run("o.perator")
    assert removed["feed"] == 1
    with pytest.raises(PlaceRemovedError):
        await application.feed.page(0, 10)
    assert (await application.feed.page(None, 10)).position == 1
    async with transaction(application.engine) as writing:
        await write(writing, delivery, "two")
    await application.numbering.run()
    assert await said(application, await read(application, 1)) == ["two"]


async def test_a_dump_that_is_loaded_elsewhere_goes_on(
    application: Application, delivery: int
) -> None:
    """Another server counts its transactions anew: nothing that is written there is missed, and
    nothing that came along is told twice."""
    async with transaction(application.engine) as writing:
        await write(writing, delivery, "told")
    await application.numbering.run()
    # As a dump brings it: transactions of a server that had come further, one event not yet told.
    await execute(application, "ALTER TABLE delivery_event DISABLE TRIGGER append_only")
    await execute(application, "UPDATE delivery_event SET xact = xact + 1000000000")
    await execute(application, "ALTER TABLE delivery_event ENABLE TRIGGER append_only")
    await execute(
        application,
        "INSERT INTO delivery_event (delivery_id, event, state, changed, reason, xact)"
        " VALUES ($1, 'gathered', 'owed', true, 'came along', 2000000000)",
        delivery,
    )
    await execute(
        application, "UPDATE feed_head SET cluster = 7, snapshot = '1999999999:1999999999:'"
    )
    async with transaction(application.engine) as slow:
        await write(slow, delivery, "slow")
        async with transaction(application.engine) as writing:
            await write(writing, delivery, "new")
        await application.numbering.run()
    await application.numbering.run()
    assert await said(application, await read(application)) == [
        *("told", "came along", "new", "slow")
    ]


async def test_a_cursor_outlives_a_recovery(application: Application, delivery: int) -> None:
    """What was told in the hours that were lost has places that are not given out again, and
    whoever had read so far reads on."""
    async with transaction(application.engine) as writing:
        await write(writing, delivery, "before")
    await application.numbering.run()
    lost = await application.feed.end() + 5
    async with transaction(application.engine) as recovering:
        await leap(recovering, {})
    async with transaction(application.engine) as writing:
        await write(writing, delivery, "after")
    await application.numbering.run()
    assert await said(application, await read(application, lost)) == ["after"]
