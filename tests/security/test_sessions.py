"""Sessions: kept on the server, over when they should be, worth nothing without the token."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.database import driver_connection
from engine.security.sessions import Sessions, Stage
from tests import people

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)


class Hours:
    """A clock that a test sets."""

    now = NOW

    def __call__(self) -> datetime:
        """The hour that was set."""
        return self.now


@pytest.fixture
def clock() -> Hours:
    """Monday morning."""
    return Hours()


@pytest.fixture
def sessions(clock: Hours) -> Sessions:
    """Fifteen minutes idle, twelve hours in all."""
    return Sessions(clock, timedelta(minutes=15), timedelta(hours=12))


@pytest.fixture
async def connection(database: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction over one participant, who is number 1."""
    await people.add(database, people.Person())
    async with database.begin() as opened:
        yield opened


async def test_a_session_is_found_by_its_token_alone(
    sessions: Sessions, connection: AsyncConnection
) -> None:
    """The token finds it; the database holds only a hash that is no token."""
    opened = await sessions.open(connection, 1, Stage.FULL)
    found = await sessions.find(connection, opened.token)
    assert found is not None
    assert (found.id, found.participant_id, found.stage) == (opened.id, 1, Stage.FULL)
    driver = await driver_connection(connection)
    stored = (await driver.fetchval("SELECT token_hash FROM portal_session")).hex()
    assert await sessions.find(connection, stored) is None
    assert await sessions.find(connection, "") is None
    assert opened.token not in repr(opened)


async def test_it_ends_when_nothing_is_asked_for(
    sessions: Sessions, connection: AsyncConnection, clock: Hours
) -> None:
    """Fourteen minutes between two pages keep it, fifteen end it."""
    token = (await sessions.open(connection, 1, Stage.FULL)).token
    for _ in range(3):
        clock.now += timedelta(minutes=14)
        assert await sessions.find(connection, token) is not None
    clock.now += timedelta(minutes=15)
    assert await sessions.find(connection, token) is None


async def test_it_ends_after_twelve_hours_whatever_happens(
    sessions: Sessions, connection: AsyncConnection, clock: Hours
) -> None:
    """Somebody who asks for a page every ten minutes signs in again after twelve hours."""
    token = (await sessions.open(connection, 1, Stage.FULL)).token
    for _ in range(71):
        clock.now += timedelta(minutes=10)
        assert await sessions.find(connection, token) is not None
    clock.now += timedelta(minutes=10)
    assert await sessions.find(connection, token) is None


async def credential(connection: AsyncConnection) -> int:
    """A PIN of the participant's."""
    driver = await driver_connection(connection)
    made: int = await driver.fetchval(
        "INSERT INTO pin_credential (participant_id, kind, hash, issued_at)"
        " VALUES (1, 'temporary', 'x', $1) RETURNING id",
        NOW,
    )
    return made


@pytest.mark.parametrize("end", ["used_at", "voided_at"])
async def test_a_session_ends_with_the_pin_it_was_opened_with(
    sessions: Sessions, connection: AsyncConnection, end: str
) -> None:
    """Whoever came in with a temporary PIN is out once a newer one took its place."""
    opened = await sessions.open(connection, 1, Stage.PIN_CHANGE, await credential(connection))
    assert await sessions.find(connection, opened.token) is not None
    driver = await driver_connection(connection)
    await driver.execute(f"UPDATE pin_credential SET {end} = $1", NOW)
    assert await sessions.find(connection, opened.token) is None
    assert not await sessions.still(connection, opened)


async def test_rotation_leaves_the_old_token_worthless(
    sessions: Sessions, connection: AsyncConnection
) -> None:
    """After a PIN change only the new token is good, at the new stage, until the same hour."""
    opened = await sessions.open(connection, 1, Stage.PIN_CHANGE)
    chosen = await credential(connection)
    assert await sessions.still(connection, opened)
    rotated = await sessions.rotate(connection, opened, Stage.FULL, chosen)
    assert not await sessions.still(connection, opened)
    assert await sessions.still(connection, rotated)
    assert await sessions.find(connection, opened.token) is None
    found = await sessions.find(connection, rotated.token)
    assert found is not None
    assert (found.stage, found.ends_at) == (Stage.FULL, opened.ends_at)


async def test_all_other_sessions_can_be_ended(
    sessions: Sessions, connection: AsyncConnection
) -> None:
    """The browser at hand stays signed in, the others do not."""
    kept, other, third = [await sessions.open(connection, 1, Stage.FULL) for _ in range(3)]
    await sessions.end_others(connection, 1, kept)
    assert await sessions.find(connection, kept.token) is not None
    assert await sessions.find(connection, other.token) is None
    assert await sessions.find(connection, third.token) is None
    await sessions.end(connection, kept)
    assert await sessions.find(connection, kept.token) is None


async def test_what_is_long_over_is_forgotten(
    sessions: Sessions, connection: AsyncConnection, clock: Hours
) -> None:
    """A day after its end a session's row is gone; one that lives stays."""
    await sessions.open(connection, 1, Stage.FULL)
    clock.now += timedelta(hours=37)
    living = await sessions.open(connection, 1, Stage.FULL)
    await sessions.forget(connection)
    driver = await driver_connection(connection)
    assert await driver.fetchval("SELECT array_agg(id) FROM portal_session") == [living.id]
