"""A new participant gets two letters, on two days, in two batches."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.caseload.welcome import welcome
from engine.errors import InputError
from engine.settings import Settings
from tests import people
from tests.acting import opened_in_parts
from tests.database_rows import execute, fetch
from tests.promises import ASKED, Hand


@pytest.fixture
def clock() -> Hand:
    """Ten on a Monday morning."""
    return Hand()


@pytest.fixture
async def application(
    settings: Settings, database: AsyncEngine, redis: Redis, clock: Hand
) -> AsyncIterator[Application]:
    """The application at that hour."""
    async with opened_in_parts(settings, clock) as opened:
        yield opened


async def test_number_and_pin_never_travel_together(application: Application, clock: Hand) -> None:
    """The number goes today; the PIN waits for the morning of the next business day, and is in no
    letter of today's batch, nor the number in its letter."""
    await people.add(application.engine, people.Person())
    async with application.outbox.transaction() as transaction:
        welcomed = await welcome(transaction, "0000000001", clock())
    assert welcomed.pin_on == date(2026, 11, 24)
    ids = [item.delivery_id for item in transaction.owed]
    assert await application.dispatcher.deliver(ids) == 1
    (batch,) = await application.batches.close()
    assert batch.pieces == 1
    rows = await fetch(
        application,
        "SELECT notice, delivery.state, facts ? 'participant_number' AS has_number,"
        " next_attempt_at - now() > interval '21 hours' AS waits, secret IS NOT NULL AS sealed"
        " FROM communication JOIN delivery ON communication_id = communication.id ORDER BY 1",
    )
    assert rows == [
        {"notice": "welcome", "state": "handed_over", "has_number": True, "waits": False,
         "sealed": False},
        {"notice": "welcome_pin", "state": "owed", "has_number": False, "waits": True,
         "sealed": True},
    ]  # fmt: skip
    await execute(application, "UPDATE delivery SET next_attempt_at = now()")
    clock.now += timedelta(days=1)
    assert await application.dispatcher.deliver(ids) == 1
    (batch,) = await application.batches.close()
    assert batch.pieces == 1


@pytest.mark.parametrize(
    ("now", "pin_on"),
    [
        (datetime(2026, 11, 25, 1, 15, tzinfo=UTC), date(2026, 11, 30)),
        (datetime(2026, 11, 26, 18, 0, tzinfo=UTC), date(2026, 12, 1)),
    ],
)
async def test_after_hours_both_days_are_later(
    application: Application, now: datetime, pin_on: date
) -> None:
    """What is asked after office hours, or on a closed day, goes with the batch of a later day; the
    PIN with that of the business day after it."""
    await people.add(application.engine, people.Person())
    async with application.outbox.transaction() as transaction:
        assert (await welcome(transaction, "0000000001", now)).pin_on == pin_on


@pytest.mark.parametrize(
    ("number", "chosen", "twice", "why"),
    [
        ("9999999999", False, False, "no participant has this number"),
        ("0000000001", True, False, "has a PIN already"),
        ("0000000001", False, True, "was welcomed already"),
    ],
)
async def test_who_cannot_be_welcomed_is_told(
    application: Application, number: str, chosen: bool, twice: bool, why: str
) -> None:
    """A number of nobody's, a PIN that is there already, and a second welcome are refused, and
    nothing is owed for them."""
    (person,) = await people.add(application.engine, people.Person())
    if chosen:
        await execute(
            application,
            "INSERT INTO pin_credential (participant_id, kind, hash, issued_at)"
            " VALUES ($1, 'chosen', 'x', now())",
            person,
        )
    if twice:
        async with application.outbox.transaction() as transaction:
            await welcome(transaction, number, ASKED)
    before = await fetch(application, "SELECT count(*) FROM communication")
    with pytest.raises(InputError, match=why):
        async with application.outbox.transaction() as transaction:
            await welcome(transaction, number, ASKED)
    assert await fetch(application, "SELECT count(*) FROM communication") == before
