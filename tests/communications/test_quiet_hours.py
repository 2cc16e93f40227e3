"""Quiet hours: reminders wait for the morning, on both nights when the clocks change too."""

from datetime import UTC, datetime, time, timedelta

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.communications.catalogue import APPOINTMENT_REMINDER, AppointmentFacts, Channel, Urgency
from engine.communications.outbox import Obligation
from engine.communications.quiet_hours import QuietHours
from engine.communications.routing import in_order
from engine.settings import Settings
from tests import people
from tests.acting import opened_in_parts
from tests.communications.test_outbox import payment
from tests.database_rows import fetch
from tests.smtp_server import SmtpServer

QUIET = QuietHours()


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("2026-11-23T08:00:00-08:00", timedelta()),
        ("2026-11-23T20:59:59-08:00", timedelta()),
        ("2026-11-23T21:00:00-08:00", timedelta(hours=11)),
        ("2026-11-23T23:30:00-08:00", timedelta(hours=8, minutes=30)),
        ("2026-11-24T07:59:00-08:00", timedelta(minutes=1)),
        # The night of 2026-11-01 is an hour longer, that of 2027-03-14 an hour shorter.
        ("2026-10-31T21:00:00-07:00", timedelta(hours=12)),
        ("2027-03-13T21:00:00-08:00", timedelta(hours=10)),
    ],
)
def test_until_the_morning(now: str, left: timedelta) -> None:
    """Nothing is left of them in the daytime; at night they last until eight by the wall clock."""
    assert QUIET.left(datetime.fromisoformat(now)) == left


def test_hours_as_written() -> None:
    """The setting says when they begin and end."""
    assert QuietHours.written("22:30-06:15") == QuietHours(time(22, 30), time(6, 15))


def reminder(participant: int, key: str, urgency: Urgency | None = None) -> Obligation:
    """A reminder by email."""
    return Obligation(
        key=key,
        notice=APPOINTMENT_REMINDER,
        participant_id=participant,
        language="es",
        facts=AppointmentFacts(
            name="Inés Peña-Ibáñez",
            kind="office",
            starts_at=datetime(2026, 12, 1, 17, 0, tzinfo=UTC),
            place="1200 Example Street",
        ),
        route=in_order(Channel.EMAIL),
        requested_at=datetime(2026, 11, 24, 16, 0, tzinfo=UTC),
        urgency=urgency,
    )


async def test_a_reminder_waits_for_the_morning_and_nothing_else_does(
    settings: Settings, database: AsyncEngine, redis: Redis, smtp: SmtpServer
) -> None:
    """At night a reminder is put off without an attempt being counted; what is urgent, and what
    was not meant to keep quiet, goes out."""
    night = datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
    awake = settings.model_copy(update={"quiet_hours": "21:00-08:00"})
    async with opened_in_parts(awake, lambda: night) as application:
        (person,) = await people.add(application.engine, people.Person())
        async with application.outbox.transaction() as transaction:
            await transaction.record_all(
                [
                    reminder(person, "asleep"),
                    reminder(person, "urgent", Urgency.URGENT),
                    payment(person),
                ]
            )
        await application.dispatcher.deliver([item.delivery_id for item in transaction.owed])
        rows = await fetch(
            application,
            "SELECT idempotency_key AS key, delivery.state, attempts, reason,"
            " next_attempt_at - now() > interval '8 hours' AS waits"
            " FROM delivery JOIN communication ON communication.id = communication_id ORDER BY 1",
        )
    assert rows == [
        {"key": "asleep", "state": "owed", "attempts": 0, "reason": "quiet_hours", "waits": True},
        {"key": "payment:1", "state": "sent", "attempts": 1, "reason": "250", "waits": False},
        {"key": "urgent", "state": "sent", "attempts": 1, "reason": "250", "waits": False},
    ]
    assert len(smtp.taken) == 2
