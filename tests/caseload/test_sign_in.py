"""Signing in: who is let in, what a lock does, and that a failure tells nothing."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.caseload.sign_in import THROUGH_A_LOCK, Attempt, Device
from engine.security.sessions import Session, Stage
from engine.security.sign_in_standings import Manners
from engine.settings import Settings
from tests import people
from tests.acting import opened_in_parts
from tests.database_rows import execute, fetch

MONDAY = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
NUMBER = people.Person().external_id
PIN, TEMPORARY, WRONG = "481902", "730164", "999998"


class Hours:
    """A clock that a test sets."""

    now = MONDAY

    def __call__(self) -> datetime:
        """The hour that was set."""
        return self.now


@pytest.fixture
def clock() -> Hours:
    """Monday morning."""
    return Hours()


@pytest.fixture
async def application(
    settings: Settings, database: AsyncEngine, redis: Redis, clock: Hours
) -> AsyncIterator[Application]:
    """The application, with one participant who has chosen a PIN."""
    await people.add(database, people.Person())
    async with opened_in_parts(settings, clock) as opened:
        await has_pin(opened, "chosen", PIN)
        yield opened


async def has_pin(application: Application, kind: str, pin: str) -> None:
    """Give the participant a PIN."""
    await execute(
        application,
        "INSERT INTO pin_credential (participant_id, kind, hash, issued_at, expires_at)"
        " VALUES (1, $1, $2, $3, $4)",
        kind,
        application.chosen_pins.checker.hasher.hash(pin),
        application.clock(),
        application.clock() + timedelta(days=1) if kind == "temporary" else None,
    )


async def attempt(
    application: Application, pin: str, number: str = NUMBER, device: Device | None = None
) -> Session | None:
    """Try to sign in."""
    return await application.sign_in.attempt(Attempt(number, pin, "192.0.2.1", device))


async def lock(application: Application) -> None:
    """Five wrong PINs."""
    for _ in range(5):
        assert await attempt(application, WRONG) is None


async def test_the_right_pin_opens_a_session(application: Application) -> None:
    """A number and its PIN let in; the temporary one lets in to be changed."""
    session = await attempt(application, PIN)
    assert session is not None
    assert (session.participant_id, session.stage) == (1, Stage.FULL)
    await has_pin(application, "temporary", TEMPORARY)
    session = await attempt(application, TEMPORARY)
    assert session is not None
    assert session.stage is Stage.PIN_CHANGE


async def test_the_current_pin_works_until_the_temporary_one_is_used(
    application: Application,
) -> None:
    """A stranger who asks for a new PIN does not keep the parent out."""
    await has_pin(application, "temporary", TEMPORARY)
    assert await attempt(application, PIN) is not None


@pytest.mark.parametrize(("number", "pin"), [(NUMBER, WRONG), ("9999999999", PIN), (NUMBER, "")])
async def test_a_failure_lets_nobody_in(application: Application, number: str, pin: str) -> None:
    """A wrong PIN, an unknown number and no PIN at all are the same: nothing."""
    assert await attempt(application, pin, number) is None


async def test_an_expired_temporary_pin_does_not_work(
    application: Application, clock: Hours
) -> None:
    """It works until its last moment, and not after."""
    await has_pin(application, "temporary", TEMPORARY)
    clock.now += timedelta(days=1)
    assert await attempt(application, TEMPORARY) is None


async def test_five_failures_in_a_row_lock(application: Application, clock: Hours) -> None:
    """After five the right PIN does not let in, for five minutes; after them it does."""
    await lock(application)
    assert await attempt(application, PIN) is None
    clock.now += timedelta(minutes=5)
    assert await attempt(application, PIN) is not None


async def test_guessing_is_slowed_down_before_it_is_locked(application: Application) -> None:
    """Two failures in a row are free; each attempt after them takes longer, whoever's number it
    is, and whether the PIN is right or not."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    standings = application.sign_in.standings
    manners = replace(standings.manners, slow=timedelta(seconds=1))
    slow = replace(application.sign_in, sleep=sleep, standings=replace(standings, manners=manners))
    for number in (NUMBER, "9999999999"):
        waited.clear()
        for pin in (WRONG, WRONG, WRONG, WRONG, PIN):
            await slow.attempt(Attempt(number, pin, "192.0.2.1"))
        assert waited == [0, 0, 1, 2, 4]


async def test_a_success_ends_the_row(application: Application) -> None:
    """Four failures, a success, four failures: nothing is locked."""
    for _ in range(2):
        for _ in range(4):
            await attempt(application, WRONG)
        assert await attempt(application, PIN) is not None


async def test_locks_grow(application: Application, clock: Hours) -> None:
    """The second lock lasts twice as long as the first, and failures during one do not prolong
    it."""
    await lock(application)
    for _ in range(20):
        await attempt(application, WRONG)
    clock.now += timedelta(minutes=5)
    await lock(application)
    clock.now += timedelta(minutes=9)
    assert await attempt(application, PIN) is None
    clock.now += timedelta(minutes=1)
    assert await attempt(application, PIN) is not None


def test_a_lock_has_an_end() -> None:
    """However many there were, none lasts longer than the longest."""
    manners = Manners(5, timedelta(minutes=5), timedelta(days=1))
    assert [manners.lock(locks) for locks in (1, 2, 3, 500)] == [
        timedelta(minutes=5),
        timedelta(minutes=10),
        timedelta(minutes=20),
        timedelta(days=1),
    ]


async def test_an_unknown_number_is_locked_alike(application: Application) -> None:
    """What is kept of a number that nobody has is what is kept of one that somebody has, and not
    the number."""
    for number in (NUMBER, "9999999999"):
        for _ in range(5):
            await attempt(application, WRONG, number)
    rows = await fetch(application, "SELECT locks, failures, tell FROM sign_in_standing")
    assert rows[0] == rows[1]
    tags = await fetch(application, "SELECT tag FROM sign_in_standing")
    assert not any(NUMBER in str(row["tag"]) for row in tags)


async def test_a_temporary_pin_works_through_a_lock_and_ends_it(
    application: Application,
) -> None:
    """Whoever knows only the number cannot keep its owner out: a PIN reset ends the lock."""
    await lock(application)
    await has_pin(application, "temporary", TEMPORARY)
    assert await attempt(application, TEMPORARY) is not None
    assert await attempt(application, PIN) is not None


async def test_a_temporary_pin_is_not_to_be_guessed_through_a_lock(
    application: Application, clock: Hours
) -> None:
    """After so many wrong tries in a day it works through the lock no more, however many of them
    were asked for; it is not void, and works when the lock is over."""
    await lock(application)
    await execute(application, "UPDATE sign_in_standing SET locked_until = $1",
                  clock.now + timedelta(hours=6))  # fmt: skip
    await execute(application, "UPDATE sign_in_standing SET tries = $1, tries_since = $2",
                  THROUGH_A_LOCK - 1, clock.now)  # fmt: skip
    await attempt(application, WRONG)
    await has_pin(application, "temporary", TEMPORARY)
    assert await attempt(application, TEMPORARY) is None
    clock.now += timedelta(hours=6)
    assert await attempt(application, TEMPORARY) is not None


async def test_tries_through_a_lock_are_counted_by_the_day(
    application: Application, clock: Hours
) -> None:
    """A day after the first of them a temporary PIN works through a lock again."""
    await lock(application)
    await execute(application, "UPDATE sign_in_standing SET locked_until = $1",
                  clock.now + timedelta(days=3))  # fmt: skip
    await execute(application, "UPDATE sign_in_standing SET tries = $1, tries_since = $2",
                  THROUGH_A_LOCK, clock.now)  # fmt: skip
    clock.now += timedelta(days=1, seconds=1)
    await has_pin(application, "temporary", TEMPORARY)
    assert await attempt(application, TEMPORARY) is not None


KNOWN = Device("browser", 1, 1)
"""The browser of participant 1, who chose their PIN once."""


async def test_a_known_browser_is_counted_by_itself(application: Application) -> None:
    """Strangers' failures do not lock out the browser in which the parent signed in before; its
    own do."""
    await lock(application)
    assert await attempt(application, PIN, device=KNOWN) is not None
    for _ in range(5):
        await attempt(application, WRONG, device=KNOWN)
    assert await attempt(application, PIN, device=KNOWN) is None


@pytest.mark.parametrize("device", [Device("browser", 2, 1), Device("browser", 1, 7)])
async def test_a_browser_known_otherwise_is_a_browser_like_any(
    application: Application, device: Device
) -> None:
    """Neither the browser of another participant, nor one in which somebody signed in with a PIN
    that was changed since, gets through a lock."""
    await lock(application)
    assert await attempt(application, PIN, device=device) is None


async def test_a_temporary_pin_ends_the_locks_of_every_browser(application: Application) -> None:
    """A PIN reset ends what stood against the number, in the parent's own browser too."""
    for _ in range(5):
        await attempt(application, WRONG, device=KNOWN)
    await has_pin(application, "temporary", TEMPORARY)
    assert await attempt(application, TEMPORARY) is not None
    assert await attempt(application, PIN, device=KNOWN) is not None


async def test_locks_stay_long_for_who_comes_back(application: Application, clock: Hours) -> None:
    """A day's pause does not make the next lock a first one again; a week's does."""
    for pause, minutes in ((timedelta(days=1, hours=1), 10), (timedelta(days=8), 5)):
        await lock(application)
        clock.now += pause
        await lock(application)
        [row] = await fetch(application, "SELECT locked_until FROM sign_in_standing")
        assert row["locked_until"] == clock.now + timedelta(minutes=minutes)
        await execute(application, "DELETE FROM sign_in_standing")


async def test_those_locked_are_told_once_a_day(application: Application, clock: Hours) -> None:
    """One notice for the first lock of a day, none for the next, one the day after; none for a
    number that nobody has."""
    await lock(application)
    for _ in range(5):
        await attempt(application, WRONG, "9999999999")
    assert await application.sign_in.tell_locked() == 2
    clock.now += timedelta(minutes=6)
    await lock(application)
    assert await application.sign_in.tell_locked() == 0
    clock.now += timedelta(hours=20)
    await lock(application)
    await application.sign_in.tell_locked()
    told = await fetch(application, "SELECT notice, participant_id FROM communication")
    assert told == [{"notice": "sign_in_locked", "participant_id": 1}] * 2


async def test_an_operator_unlocks(application: Application) -> None:
    """What stood against a number is gone."""
    await lock(application)
    async with application.engine.begin() as connection:
        assert await application.sign_in.unlock(connection, NUMBER, 1)
        assert not await application.sign_in.unlock(connection, NUMBER, 1)
    assert await attempt(application, PIN) is not None


async def test_an_operator_unlocks_every_browser(application: Application) -> None:
    """Also the one that was counted by itself."""
    for _ in range(5):
        await attempt(application, WRONG, device=KNOWN)
    async with application.engine.begin() as connection:
        assert await application.sign_in.unlock(connection, NUMBER, 1)
    assert await attempt(application, PIN, device=KNOWN) is not None


async def test_the_notice_tells_when_it_was_locked(application: Application, clock: Hours) -> None:
    """And not when a stranger tried last."""
    await lock(application)
    clock.now += timedelta(minutes=2)
    await attempt(application, WRONG)
    await application.sign_in.tell_locked()
    [row] = await fetch(application, "SELECT facts->>'locked_at' AS at FROM communication")
    assert datetime.fromisoformat(str(row["at"])) == MONDAY


async def test_every_attempt_is_in_the_audit_trail(application: Application) -> None:
    """With whose number, from where and whether; never with what was typed. Who fails is unknown,
    whosever number it was; what locks a number is told from what does not."""
    await attempt(application, WRONG)
    await attempt(application, PIN)
    await attempt(application, PIN, "9999999999")
    for _ in range(6):
        await attempt(application, WRONG)
    rows = await fetch(
        application, "SELECT actor, act, network, details::text FROM audit_entry ORDER BY id"
    )
    assert [(row["actor"], row["act"]) for row in rows] == [
        ("unknown", "sign_in.failed"),
        ("participant:1", "sign_in.succeeded"),
        *[("unknown", "sign_in.failed")] * 5,
        ("unknown", "sign_in.locked"),
        ("unknown", "sign_in.failed"),
    ]
    assert {row["network"] for row in rows} == {"192.0.2.1"}
    assert {row["details"] for row in rows} == {"{}"}


async def test_a_failure_runs_the_same_statements_whoever_it_is(
    application: Application,
) -> None:
    """A wrong PIN, an unknown number, a locked one: the database is asked the same."""
    asked: list[list[str]] = []
    for number, pin in ((NUMBER, WRONG), ("9999999999", WRONG)):
        statements = await statements_of(application, number, pin)
        asked.append(statements)
    await lock(application)
    asked.append(await statements_of(application, NUMBER, PIN))
    assert asked[0] == asked[1] == asked[2]
    assert len(asked[0]) > 5


async def statements_of(application: Application, number: str, pin: str) -> list[str]:
    """What the database is asked during one attempt."""
    asked: list[str] = []

    connections: list[Any] = []
    async with application.sign_in.engine.connect() as connection:
        raw = await connection.get_raw_connection()
        connections.append(raw.driver_connection)
    for driver in connections:
        driver.add_query_logger(lambda record: asked.append(record.query))
    try:
        await attempt(application, pin, number)
    finally:
        for driver in connections:
            driver._query_loggers.clear()
    return asked


async def test_a_hash_of_another_cost_is_replaced_while_the_pin_is_at_hand(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When what a hash costs is raised, or its pepper changed, whoever signs in is let in as ever,
    and has a hash of the new kind from then on: the portal has the right to write it."""
    before = await fetch(application, "SELECT hash FROM pin_credential")
    hasher = application.sign_in.checker.hasher
    monkeypatch.setattr(hasher, "_argon2", PasswordHasher(2, 16, 1))
    assert hasher.needs_rehash(str(before[0]["hash"]))
    assert await application.sign_in.attempt(Attempt(NUMBER, PIN, "network")) is not None
    after = await fetch(application, "SELECT hash FROM pin_credential")
    assert not hasher.needs_rehash(str(after[0]["hash"]))
    assert hasher.verify(str(after[0]["hash"]), PIN)
