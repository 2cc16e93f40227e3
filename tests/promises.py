"""Obligations of tests, sent at an hour of their own, and what became of them."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from engine.bootstrap import Application
from engine.communications.catalogue import PAYMENT_NOTICE, Channel, PaymentFacts
from engine.communications.outbox import Obligation
from engine.communications.routing import Route, in_order
from engine.stack.bouncing import Fate, report_of
from tests.database_rows import fetch

ASKED = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
"""A Monday, ten in the morning in California."""
EMAIL_THEN_MAIL = in_order(Channel.EMAIL, Channel.MAIL)


@dataclass
class Hand:
    """A clock that is moved by hand."""

    now: datetime = ASKED

    def __call__(self) -> datetime:
        return self.now


def payment(participant: int, route: Route = EMAIL_THEN_MAIL, key: str = "payment:1") -> Obligation:
    """A payment notice."""
    return Obligation(
        key=key,
        notice=PAYMENT_NOTICE,
        participant_id=participant,
        language="es",
        facts=PaymentFacts(
            name="Inés Peña-Ibáñez",
            direction="sent",
            amount_cents=12_345,
            paid_on=date(2026, 11, 20),
            case_number="000000000000042",
        ),
        route=route,
        requested_at=ASKED,
    )


async def record(application: Application, *obligations: Obligation) -> list[int]:
    """Record; the ids of the deliveries that are owed now."""
    async with application.outbox.transaction() as transaction:
        await transaction.record_all(obligations)
    return [item.delivery_id for item in transaction.owed]


async def sent(application: Application, *obligations: Obligation) -> list[int]:
    """Record and deliver; the ids of the deliveries."""
    ids = await record(application, *obligations)
    await application.dispatcher.deliver(ids)
    return ids


async def bounced(
    application: Application, delivery: int, fate: Fate = Fate.GONE, said: str = "one-report"
) -> bool:
    """A report of a delivery comes back; whether it told anything new."""
    path = application.returns.addressing.return_path(delivery)
    report = report_of(b"Subject: x\r\n\r\n", path, "ines@example.com", fate)
    report = re.sub(rb"Message-ID: <[^>]*>", f"Message-ID: <{said}@a.example>".encode(), report)
    return (await application.returns.take(report, [path])).new


async def standing(application: Application, communication: int = 1) -> tuple[object, ...]:
    """State, step and due day of a communication."""
    (row,) = await fetch(
        application, "SELECT state, step, due_by FROM communication WHERE id = $1", communication
    )
    return tuple(row.values())


async def deliveries(application: Application, communication: int = 1) -> list[tuple[object, ...]]:
    """Channel and state of the deliveries of a communication, oldest first."""
    rows = await fetch(
        application,
        "SELECT channel, state FROM delivery WHERE communication_id = $1 ORDER BY id",
        communication,
    )
    return [tuple(row.values()) for row in rows]


async def notices(application: Application) -> list[object]:
    """The notices that were recorded, oldest first."""
    rows = await fetch(application, "SELECT notice FROM communication ORDER BY id")
    return [row["notice"] for row in rows]


async def suppressions(application: Application) -> list[tuple[object, ...]]:
    """Contact point, cause, delivery and reason of what was suppressed."""
    rows = await fetch(
        application,
        "SELECT contact_point_id, cause, delivery_id, reason FROM contact_suppression ORDER BY id",
    )
    return [tuple(row.values()) for row in rows]


async def events(application: Application) -> list[tuple[object, ...]]:
    """Communication, step, event and reason of what became of promises."""
    rows = await fetch(
        application,
        "SELECT communication_id, step, event, reason FROM communication_event ORDER BY id",
    )
    return [tuple(row.values()) for row in rows]
