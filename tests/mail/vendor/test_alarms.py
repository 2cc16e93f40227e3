"""Alarms at the drop: raised when something is late or disagrees, once, and cleared when over."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.clock import PACIFIC
from engine.settings import Settings
from tests.acting import opened_in_parts
from tests.database_rows import execute, fetch
from tests.mail.print_shop import alarm_kinds, closed_batch, vendor_of
from tests.vendor.answers import Status
from tests.vendor.manners import Mischief

MONDAY_EVENING = datetime(2026, 11, 23, 18, tzinfo=PACIFIC)


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = MONDAY_EVENING

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def hand() -> Hand:
    """Monday evening, until it is moved."""
    return Hand()


@pytest.fixture
async def application(
    settings: Settings, database: AsyncEngine, redis: Redis, hand: Hand
) -> AsyncIterator[Application]:
    """The application with a clock of the test's own."""
    async with opened_in_parts(settings, hand) as opened:
        yield opened


async def test_a_missing_ack_alarms_after_two_hours(application: Application, hand: Hand) -> None:
    """Not a minute before, at any hour; and the ack ends it."""
    batch = await closed_batch(application)
    hand.now = MONDAY_EVENING + timedelta(hours=1, minutes=59)
    assert await alarm_kinds(application) == set()
    hand.now = MONDAY_EVENING + timedelta(hours=2)
    assert await alarm_kinds(application) == {"no_ack"}
    shop = vendor_of(application)
    await shop.take_in(batch)
    shop.ack(batch)
    await application.pickup.run()
    assert await alarm_kinds(application) == set()
    rows = await fetch(application, "SELECT kind, cleared_at = $1 AS over FROM alarm", hand.now)
    assert rows == [{"kind": "no_ack", "over": True}]


@pytest.mark.parametrize(
    ("day", "alarms"),
    [(25, set()), (26, {"no_final"}), (27, {"no_final"})],
)
async def test_a_missing_final_alarms_after_two_business_days(
    application: Application, hand: Hand, day: int, alarms: set[str]
) -> None:
    """Handed over on a Monday, it is due by the end of Wednesday."""
    batch = await closed_batch(application)
    shop = vendor_of(application)
    await shop.take_in(batch)
    shop.ack(batch)
    await application.pickup.run()
    hand.now = datetime(2026, 11, day, 0, 30, tzinfo=PACIFIC)
    assert await alarm_kinds(application) == alarms


async def test_a_holiday_does_not_count(application: Application, hand: Hand) -> None:
    """Handed over on the eve of Thanksgiving, the final is due on the Tuesday after."""
    hand.now = datetime(2026, 11, 25, 18, tzinfo=PACIFIC)
    batch = await closed_batch(application)
    shop = vendor_of(application)
    await shop.take_in(batch)
    shop.ack(batch)
    await application.pickup.run()
    hand.now = datetime(2026, 12, 1, 23, tzinfo=PACIFIC)
    assert await alarm_kinds(application) == set()
    hand.now = datetime(2026, 12, 2, 1, tzinfo=PACIFIC)
    assert await alarm_kinds(application) == {"no_final"}


async def test_answers_a_week_late_still_count(application: Application, hand: Hand) -> None:
    """The alarms stood meanwhile; what was mailed was mailed."""
    batch = await closed_batch(application)
    hand.now = MONDAY_EVENING + timedelta(days=7)
    assert await alarm_kinds(application) == {"no_ack", "no_final"}
    await vendor_of(application).work(batch)
    await application.pickup.run()
    assert await alarm_kinds(application) == set()
    rows = await fetch(application, "SELECT DISTINCT state FROM communication")
    assert rows == [{"state": "met"}]


async def test_a_gap_in_the_status_files_alarms(application: Application) -> None:
    """Files 001 and 003 without 002: one is missing, until it comes."""
    batch = await closed_batch(application)
    shop = vendor_of(application)
    await shop.take_in(batch)
    shop.ack(batch)
    shop.accept(batch)
    shop.mail(batch, Mischief.GAP)
    await application.pickup.run()
    assert await alarm_kinds(application) == {"status_gap"}
    shop.status(batch, [], number=2)
    await application.pickup.run()
    assert await alarm_kinds(application) == set()


async def test_a_gap_in_the_sequence_alarms(application: Application) -> None:
    """A later batch is acknowledged, and the one before it is not."""
    first = await closed_batch(application, 1)
    second = await closed_batch(application, 1, first=2)
    shop = vendor_of(application)
    await shop.take_in(first)
    await shop.take_in(second)
    shop.ack(second)
    await application.pickup.run()
    found = [
        alarm for alarm in await application.drop_alarms.look() if alarm.kind == "sequence_gap"
    ]
    assert [alarm.subject for alarm in found] == [first]
    shop.ack(first)
    await application.pickup.run()
    assert await alarm_kinds(application) == set()


async def test_data_that_is_not_destroyed_alarms(application: Application, hand: Hand) -> None:
    """From the day after `purge_by`, until the final comes again."""
    batch = await closed_batch(application)
    shop = vendor_of(application)
    await shop.work(batch)
    await application.pickup.run()
    await execute(
        application,
        "UPDATE print_answer SET content = jsonb_set(content, '{destroyed_at}', 'null')"
        " WHERE kind = 'final'",
    )
    (row,) = await fetch(application, "SELECT purge_by::text FROM print_batch")
    due = datetime.fromisoformat(str(row["purge_by"])).replace(tzinfo=PACIFIC)
    hand.now = due + timedelta(hours=23)
    assert "not_destroyed" not in await alarm_kinds(application)
    hand.now = due + timedelta(hours=25)
    assert "not_destroyed" in await alarm_kinds(application)


async def test_a_confidential_letter_that_was_looked_up_alarms(application: Application) -> None:
    """An NCOA code on a confidential piece: it may have gone to where it must not."""
    batch = await closed_batch(application, 1)
    await execute(application, "UPDATE print_piece SET confidential = true")
    shop = vendor_of(application)
    await shop.take_in(batch)
    piece = shop.job(batch).pieces[0].piece_id
    shop.status(batch, [shop.event(batch, piece, Status.ACCEPTED, ncoa_code="A")])
    (taken,) = await application.pickup.run()
    assert taken.reason is None
    assert "confidential_redirected" in await alarm_kinds(application)


async def test_an_alarm_is_raised_once(application: Application, hand: Hand) -> None:
    """However often is looked: one row, with the moment at which it began."""
    await closed_batch(application)
    hand.now = MONDAY_EVENING + timedelta(hours=3)
    for _ in range(3):
        await application.drop_alarms.look()
        hand.now += timedelta(minutes=1)
    rows = await fetch(application, "SELECT kind, raised_at FROM alarm")
    assert rows == [{"kind": "no_ack", "raised_at": MONDAY_EVENING + timedelta(hours=3)}]
