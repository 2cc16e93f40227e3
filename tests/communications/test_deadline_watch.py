"""Deadlines are called out before they break, and written down when they did."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.communications.catalogue import Channel
from engine.communications.deadline_watch import Called, Endangered
from engine.communications.outcomes import Outcome
from engine.communications.routing import in_order
from engine.communications.states import Event
from engine.settings import Settings
from tests import people
from tests.acting import opened_in_parts
from tests.database_rows import execute
from tests.promises import ASKED, Hand, bounced, events, payment, record, sent

BY_MAIL = in_order(Channel.MAIL)


@pytest.fixture
def clock() -> Hand:
    """Ten in the morning of the day everything is asked for."""
    return Hand()


@pytest.fixture
async def application(
    settings: Settings, database: AsyncEngine, redis: Redis, clock: Hand
) -> AsyncIterator[Application]:
    """The whole application, at the hour the clock shows."""
    async with opened_in_parts(settings, clock) as opened:
        yield opened


async def at_risk(application: Application) -> list[Endangered]:
    """What is at risk now."""
    return list((await application.deadlines.outlook()).at_risk)


async def created(application: Application, moment: datetime) -> None:
    """Deliveries are made by the database's clock; in these tests at `moment`."""
    await execute(application, "UPDATE delivery SET created_at = $1", moment)


async def test_an_unsent_email_is_at_risk_on_its_last_day(
    application: Application, clock: Hand
) -> None:
    """An hour is given to what has just been asked for; after that the last day is a risk."""
    (person,) = await people.add(application.engine, people.Person())
    await record(application, payment(person))
    await created(application, ASKED)
    assert await at_risk(application) == []
    clock.now = ASKED + timedelta(days=1)
    assert await at_risk(application) == [
        Endangered(1, "payment_notice", "email", 0, date(2026, 11, 24), None, "not sent yet")
    ]


async def test_an_email_that_hangs_is_at_risk_the_day_before(
    application: Application, clock: Hand
) -> None:
    """Half an office day without an answer is a sign: a person may look while there is time."""
    (person,) = await people.add(application.engine, people.Person())
    await record(application, payment(person))
    await created(application, ASKED)
    await execute(application, "UPDATE delivery SET reason = 'SMTPConnectError'")
    clock.now = ASKED + timedelta(hours=3)
    assert await at_risk(application) == []
    clock.now = ASKED + timedelta(hours=5)
    assert [item.why for item in await at_risk(application)] == ["not sent: SMTPConnectError"]


@pytest.mark.parametrize(
    ("handed_over", "day", "why"),
    [
        (False, date(2026, 12, 3), None),
        (False, date(2026, 12, 4), "not handed over to print yet"),
        (True, date(2026, 12, 4), None),
        (True, date(2026, 12, 7), "not mailed yet"),
    ],
)
async def test_a_letter_is_at_risk_while_it_can_still_be_printed(
    application: Application, clock: Hand, handed_over: bool, day: date, why: str | None
) -> None:
    """Three business days before it is due it should be with the vendor, two before it mailed."""
    (person,) = await people.add(application.engine, people.Person())
    (letter,) = await sent(application, payment(person, BY_MAIL))
    await created(application, ASKED)
    if handed_over:
        async with application.engine.begin() as connection:
            await application.outcomes.record(connection, [Outcome(letter, Event.HANDED_OVER)])
    clock.now = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
    assert [item.why for item in await at_risk(application)] == ([why] if why else [])


async def test_what_is_held_is_at_risk_two_days_before(
    application: Application, clock: Hand
) -> None:
    """A person's task is called out with its reason and whose it is."""
    (person,) = await people.add(application.engine, people.Person(mail_safe=False))
    await sent(application, payment(person, BY_MAIL))
    clock.now = datetime(2026, 12, 4, 18, tzinfo=UTC)
    assert await at_risk(application) == []
    clock.now = datetime(2026, 12, 7, 18, tzinfo=UTC)
    (found,) = await at_risk(application)
    assert (found.why, found.given_to) == ("held: not_safe_to_use", "customer service")


async def test_each_is_called_out_once(application: Application, clock: Hand) -> None:
    """At risk, then breached: one event each for a step, however often the watch looks; the next
    channel has a promise of its own, and the missed one is shown beside it."""
    (person,) = await people.add(application.engine, people.Person())
    await record(application, payment(person))
    await created(application, ASKED)
    clock.now = ASKED + timedelta(days=1)
    assert await application.deadlines.look() == Called(at_risk=1, breached=0)
    assert await application.deadlines.look() == Called(at_risk=0, breached=0)
    clock.now = ASKED + timedelta(days=2)
    assert await application.deadlines.look() == Called(at_risk=0, breached=1)
    assert await application.deadlines.look() == Called(at_risk=0, breached=0)
    assert [item.communication_id for item in (await application.deadlines.outlook()).overdue] == [
        1
    ]
    async with application.engine.begin() as connection:
        await application.outcomes.record(connection, [Outcome(1, Event.BOUNCED, "5.1.1")])
    assert await application.deadlines.look() == Called(at_risk=0, breached=0)
    assert [(step, event) for _, step, event, _ in await events(application)] == [
        (0, "at_risk"), (0, "breached"), (0, "promise_missed"),
    ]  # fmt: skip


async def test_what_is_met_is_in_no_danger(application: Application, clock: Hand) -> None:
    """Neither what was sent in time, nor an inbox whose alert is out."""
    (person,) = await people.add(application.engine, people.Person())
    await sent(application, payment(person))
    clock.now = ASKED + timedelta(days=30)
    assert await application.deadlines.look() == Called(at_risk=0, breached=0)


async def test_what_is_due_is_counted_by_notice_and_channel(
    application: Application, clock: Hand
) -> None:
    """Today and the next business day; what a bounce has made a letter of counts as a letter."""
    first, second = await people.add(application.engine, *people.crowd(2))
    await record(application, payment(first))
    (email,) = await sent(application, payment(second, key="payment:2"))
    await bounced(application, email)
    outlook = await application.deadlines.outlook()
    assert (outlook.today, outlook.tomorrow) == (date(2026, 11, 23), date(2026, 11, 24))
    assert [(due.day, due.notice, due.channel, due.number) for due in outlook.due] == [
        (date(2026, 11, 24), "payment_notice", "email", 1)
    ]
    clock.now = datetime(2026, 12, 8, 18, tzinfo=UTC)
    due = (await application.deadlines.outlook()).due
    assert [(item.notice, item.channel, item.number) for item in due] == [
        ("payment_notice", "mail", 1),
        ("reverted_to_paper", "mail", 1),
    ]


async def test_many_in_danger_are_one_alarm(application: Application, clock: Hand) -> None:
    """One for each notice, channel and day, until none of it is owed: a promise that broke
    meanwhile is a second alarm, and no danger that is over."""
    persons = await people.add(application.engine, *people.crowd(7))
    await record(application, *(payment(person, key=f"payment:{person}") for person in persons))
    await created(application, ASKED)

    async def standing() -> list[tuple[str, str, str]]:
        await application.deadlines.look()
        alarms = await application.alarms.standing()
        return [(alarm.kind, alarm.subject, alarm.detail) for alarm in alarms]

    assert await standing() == []
    clock.now = ASKED + timedelta(days=1)
    about = "payment_notice by email, due 2026-11-24"
    detail = "communications: 7 (1, 2, 3, 4, 5 and 2 more)"
    assert await standing() == [("at_risk", about, detail)]
    clock.now = ASKED + timedelta(days=2)
    assert await standing() == [("at_risk", about, detail), ("breached", about, detail)]
    await execute(application, "UPDATE communication SET state = 'met'")
    assert await standing() == []
