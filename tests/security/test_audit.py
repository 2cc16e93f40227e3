"""The audit trail: every way of meddling with it is found, and named."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncpg.exceptions import RaiseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.database import driver_connection
from engine.errors import InputError
from engine.security.audit import Audit, AuditBrokenError, Entry, Verified

NOON = datetime(2026, 11, 23, 20, tzinfo=UTC)
KEY = b"a key of these tests"


def audit(at: datetime = NOON) -> Audit:
    """A trail at one moment."""
    return Audit(KEY, lambda: at)


async def write(engine: AsyncEngine, number: int, at: datetime = NOON) -> None:
    """`number` entries, each in a transaction of its own."""
    for turn in range(number):
        async with engine.begin() as connection:
            await audit(at).append(
                connection,
                Entry(
                    f"participant:{turn}",
                    "profile.changed",
                    turn,
                    {"what": "teléfono", "turn": turn, "first": turn == 0, "none": None},
                    "192.0.2.0/24",
                ),
            )


async def proved(engine: AsyncEngine, head: tuple[int, str] | None = None) -> Verified:
    """The trail, if it is whole."""
    async with engine.connect() as connection:
        return await audit().verify(connection, head=head)


@asynccontextmanager
async def meddling(engine: AsyncEngine) -> AsyncIterator[Any]:
    """The database in the hands of somebody who owns it, and takes the triggers off."""
    async with engine.begin() as connection:
        driver = await driver_connection(connection)
        await driver.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        yield driver
        await driver.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")


async def test_a_whole_trail_is_proved(database: AsyncEngine) -> None:
    """From the first entry to the last, with a head that tells this trail from any other."""
    assert (await proved(database)).entries == 0
    await write(database, 5)
    whole = await proved(database)
    assert (whole.entries, whole.first_id, whole.last_id) == (5, 1, 5)
    assert len(whole.head) == 64
    assert await proved(database, (5, whole.head.upper())) == whole


@pytest.mark.parametrize(
    "change",
    [
        "at = at + interval '1 microsecond'",
        "actor = 'participant:4'",
        "participant_id = NULL",
        "act = 'profile.seen'",
        "details = details || '{\"turn\": 7}'",
        "details = details - 'none'",
        "network = '198.51.100.0/24'",
        "hash = sha256(hash)",
    ],
)
async def test_a_changed_entry_is_named(database: AsyncEngine, change: str) -> None:
    """Whichever of its columns was changed."""
    await write(database, 4)
    async with meddling(database) as driver:
        await driver.execute("UPDATE audit_entry SET " + change + " WHERE id = 3")
    with pytest.raises(AuditBrokenError, match=r"^entry 3 was changed$"):
        await proved(database)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM audit_entry WHERE id = 3", "entry 3 is missing"),
        ("DELETE FROM audit_entry WHERE id IN (2, 3)", "entry 2 is missing"),
        ("DELETE FROM audit_entry WHERE id <= 2", "entries before 3 are gone"),
        ("UPDATE audit_entry SET id = 9 WHERE id = 5", "entry 5 is missing"),
        ("UPDATE audit_entry SET previous = sha256('') WHERE id = 4", "entry 4 does not follow"),
        ("UPDATE audit_entry SET previous = sha256('') WHERE id = 1", "entry 1 was changed"),
        (
            "DELETE FROM audit_entry WHERE id = 3; UPDATE audit_entry SET id = id - 1 WHERE id > 3",
            "entry 3 does not follow entry 2",
        ),
        (
            (
                "UPDATE audit_entry SET id = 99 WHERE id = 2; UPDATE audit_entry SET id = 2"
                " WHERE id = 3; UPDATE audit_entry SET id = 3 WHERE id = 99"
            ),
            "entry 2 does not follow entry 1",
        ),
        (
            (
                "INSERT INTO audit_entry SELECT 6, at, actor, participant_id, act, details,"
                " network, hash, sha256(hash) FROM audit_entry WHERE id = 5"
            ),
            "entry 6 was changed",
        ),
    ],
)
async def test_what_was_removed_moved_or_added_is_named(
    database: AsyncEngine, statement: str, said: str
) -> None:
    """By the first entry at which the chain does not hold."""
    await write(database, 5)
    async with meddling(database) as driver:
        await driver.execute(statement)
    with pytest.raises(AuditBrokenError, match=said):
        await proved(database)


async def test_a_tail_that_was_cut_off_shows_against_a_head(database: AsyncEngine) -> None:
    """What is left is whole by itself; a head that was written down tells."""
    await write(database, 5)
    head = (5, (await proved(database)).head)
    async with meddling(database) as driver:
        await driver.execute("DELETE FROM audit_entry WHERE id > 3")
    assert (await proved(database)).last_id == 3
    with pytest.raises(AuditBrokenError, match=r"ends at entry 3, and entry 5 was written down"):
        await proved(database, head)
    await write(database, 4)
    with pytest.raises(AuditBrokenError, match=r"entry 5 is not the one that was written down"):
        await proved(database, head)
    async with meddling(database) as driver:
        await driver.execute("DELETE FROM audit_entry")
    with pytest.raises(AuditBrokenError, match=r"ends at entry 0"):
        await proved(database, head)


async def test_another_key_makes_another_trail(database: AsyncEngine) -> None:
    """Who can write to the database, and does not have the key, cannot write an entry."""
    await write(database, 2)
    async with database.begin() as connection:
        await Audit(b"a guess", lambda: NOON).append(connection, Entry("system", "forged"))
    with pytest.raises(AuditBrokenError, match="entry 3 was changed"):
        await proved(database)


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("UPDATE audit_entry SET act = 'another'", "append-only"),
        ("DELETE FROM audit_entry", "keeps what is in it"),
        ("TRUNCATE audit_entry", "keeps what is in it"),
    ],
)
async def test_the_database_refuses_to_change_or_remove(
    database: AsyncEngine, statement: str, refusal: str
) -> None:
    """Nobody changes or removes an entry by mistake; what is pruned goes with a word said first."""
    await write(database, 1)
    async with database.connect() as connection:
        driver = await driver_connection(connection)
        with pytest.raises(RaiseError, match=refusal):
            await driver.execute(statement)
    assert (await proved(database)).entries == 1


async def test_writers_wait_for_each_other(database: AsyncEngine) -> None:
    """Twenty at once make one chain, without a gap; one that is rolled back leaves none."""

    async def one(turn: int) -> None:
        async with database.connect() as connection:
            await audit().append(connection, Entry("system", f"act {turn}"))
            await (connection.rollback() if turn % 5 == 0 else connection.commit())

    await asyncio.gather(*(one(turn) for turn in range(20)))
    assert (await proved(database)).entries == 16


@pytest.mark.parametrize("value", [{"nested": 1}, [1], 1.5, b"bytes"])
def test_details_are_plain(value: Any) -> None:
    """What JSON may write in more than one way, and what holds more than one value, is refused."""
    with pytest.raises(TypeError, match="'detail' of something"):
        Entry("system", "something", details={"detail": value})


async def test_what_is_old_is_pruned_and_explained(database: AsyncEngine) -> None:
    """From the beginning only; the trail stays provable, and a second pruning too."""
    for years in (9, 8, 2, 0):
        await write(database, 3, NOON - timedelta(days=365 * years))
    eighth = await head_at(database, 8)
    assert await run(database, "old", years=7) == 6
    assert await run(database, "prune", years=7) == 6
    whole = await proved(database, (8, eighth))
    assert (whole.entries, whole.first_id, whole.last_id) == (7, 7, 13)
    assert await run(database, "prune", years=1) == 3
    assert (await proved(database)).first_id == 10
    assert await run(database, "prune", years=1) == 0
    with pytest.raises(InputError, match=r"entry 8 was pruned since"):
        await proved(database, (8, eighth))


async def test_everything_may_be_old(database: AsyncEngine) -> None:
    """The chain goes on after a pruning of all there was: it does not begin anew."""
    await write(database, 3, NOON - timedelta(days=9000))
    assert await run(database, "prune", years=7) == 3
    assert (await proved(database)).first_id == 4
    await write(database, 1)
    assert (await proved(database)).last_id == 5


async def test_a_wrong_clock_does_not_widen_a_pruning(database: AsyncEngine) -> None:
    """One entry that says it is ancient does not take those before it along."""
    await write(database, 2, NOON - timedelta(days=9000))
    await write(database, 2)
    await write(database, 1, NOON - timedelta(days=9000))
    assert await run(database, "prune", years=7) == 2


@pytest.mark.parametrize(
    "forged",
    [
        "DELETE FROM audit_entry WHERE id <= 4",
        (
            "DELETE FROM audit_entry WHERE id <= 4; INSERT INTO audit_entry SELECT 8, at,"
            " 'system', NULL, 'audit.pruned', jsonb_build_object('through', 4, 'hash',"
            " encode(previous, 'hex')), NULL, (SELECT hash FROM audit_entry WHERE id = 7),"
            " sha256('') FROM audit_entry WHERE id = 5"
        ),
    ],
)
async def test_a_pruning_cannot_be_forged(database: AsyncEngine, forged: str) -> None:
    """More than the trail says was pruned is missed, also where an entry is added that says so."""
    await write(database, 3, NOON - timedelta(days=9000))
    await write(database, 3)
    assert await run(database, "prune", years=7) == 3
    async with meddling(database) as driver:
        await driver.execute(forged)
    with pytest.raises(AuditBrokenError, match=r"before 5 are gone|entry 8 was changed"):
        await proved(database)


async def test_the_latest_entries_are_shown(database: AsyncEngine) -> None:
    """Newest first, of everybody or of one participant."""
    await write(database, 4)
    await write(database, 2)
    async with database.connect() as connection:
        assert [one.id for one in await audit().latest(connection, 3)] == [6, 5, 4]
        of_one = await audit().latest(connection, 10, participant_id=1)
    assert [one.id for one in of_one] == [6, 2]
    assert of_one[0].entry.details["what"] == "teléfono"
    assert of_one[0].at == NOON


async def test_a_long_trail_tells_how_far_it_is(database: AsyncEngine) -> None:
    """By the thousand; rows are streamed."""
    told: list[int] = []
    async with database.begin() as connection:
        for _ in range(2_500):
            await audit().append(connection, Entry("system", "something"))
    async with database.connect() as connection:
        await audit().verify(connection, progress=told.append)
    assert told == [1_000, 2_000]


async def head_at(engine: AsyncEngine, number: int) -> str:
    """The hash of one entry."""
    async with engine.connect() as connection:
        driver = await driver_connection(connection)
        return str(
            await driver.fetchval(
                "SELECT encode(hash, 'hex') FROM audit_entry WHERE id = $1", number
            )
        )


async def run(engine: AsyncEngine, what: str, years: int) -> int:
    """Prune, or ask how much there is to prune."""
    act: Callable[[AsyncConnection, datetime], Any] = getattr(audit(), what)
    async with engine.begin() as connection:
        return int(await act(connection, NOON - timedelta(days=365 * years)))
