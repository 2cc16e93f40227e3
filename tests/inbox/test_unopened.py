"""Documents that nobody opened: one reminder, then paper where the notice asks for it."""

import json
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from engine.bootstrap import Application
from engine.caseload.notices import route_of
from engine.clock import PACIFIC
from engine.communications.catalogue import (
    APPOINTMENT_SCHEDULED,
    DOCUMENT_READY,
    PAYMENT_NOTICE,
    Notice,
)
from engine.communications.outbox import Obligation
from tests import people
from tests.database_rows import delivery_ids, execute, fetch
from tests.inbox.hours import Hours
from tests.smtp_server import SmtpServer

THIRD_DAY = datetime(2026, 11, 30, 9, tzinfo=PACIFIC)
"""The third business day after Monday, November 23: Thanksgiving and the day after are none."""


async def post(
    application: Application,
    notice: Notice = DOCUMENT_READY,
    *,
    participant: int = 1,
    confidential: bool = False,
    **facts: object,
) -> None:
    """A document in a reader's inbox, and the email that says so."""
    async with application.outbox.transaction() as transaction:
        await transaction.record(
            Obligation(
                key=str(uuid4()),
                notice=notice,
                participant_id=participant,
                language="es",
                facts=notice.sample.model_copy(update=facts),
                route=route_of(enrolled=True, by_email=True, confidential=confidential),
                requested_at=application.clock(),
            )
        )
    await application.dispatcher.deliver(await delivery_ids(application))


async def open_documents(application: Application) -> None:
    """The first reader opens every document there is."""
    for row in await fetch(application, "SELECT id FROM document"):
        async with application.engine.begin() as connection:
            await application.documents.open(connection, 1, int(str(row["id"])))


async def reminders(application: Application) -> list[tuple[object, object, object]]:
    """Who was reminded, of what since when, by which route."""
    rows = await fetch(
        application,
        "SELECT participant_id, facts->>'waiting_since' AS since, route::text AS route"
        " FROM communication WHERE notice = 'inbox_reminder' ORDER BY id",
    )
    return [(row["participant_id"], row["since"], json.loads(str(row["route"]))) for row in rows]


EMAIL = [[["email", True]]]


async def letters(application: Application) -> list[dict[str, object]]:
    """What is owed by mail."""
    return await fetch(
        application,
        "SELECT notice, delivery.state, communication.state AS standing, delivery.due_by::text"
        " AS due FROM delivery JOIN communication ON communication.id = communication_id"
        " WHERE channel = 'mail' ORDER BY delivery.id",
    )


@pytest.fixture
async def reader(application: Application) -> int:
    """Somebody who is enrolled."""
    [id_] = await people.add(application.engine, people.Person(paperless=True))
    return id_


async def test_one_email_reminds_of_all_that_waits(
    application: Application, reader: int, hours: Hours, smtp: SmtpServer
) -> None:
    """On the third business day and not before; of each document once, though it stays unopened;
    the email names none of them."""
    await post(application)
    await post(application, PAYMENT_NOTICE)
    hours.now = THIRD_DAY - timedelta(days=1)
    assert await application.unopened.remind() == 0
    hours.now = THIRD_DAY
    assert await application.unopened.remind() == 1
    assert await application.unopened.remind() == 0
    assert await reminders(application) == [(reader, "2026-11-23", EMAIL)]
    before = len(smtp.taken)
    await application.dispatcher.deliver(await delivery_ids(application))
    assert len(smtp.taken) == before + 1
    hours.forward(days=30)
    assert await application.unopened.remind() == 0


async def test_no_reader_is_reminded_twice_in_a_day(
    application: Application, reader: int, hours: Hours
) -> None:
    """What becomes due later that day waits for the next day's reminder."""
    await post(application)
    hours.now = THIRD_DAY
    assert await application.unopened.remind() == 1
    await post(application, PAYMENT_NOTICE)
    await execute(
        application,
        "UPDATE document SET posted_at = posted_at - interval '10 days' WHERE reminded_at IS NULL",
    )
    hours.forward(hours=8)
    assert await application.unopened.remind() == 0
    hours.forward(days=1)
    assert await application.unopened.remind() == 1
    assert len(await reminders(application)) == 2


async def test_what_was_opened_is_never_reminded_of_or_mailed(
    application: Application, reader: int, hours: Hours
) -> None:
    """However long ago it came."""
    await post(application)
    await open_documents(application)
    hours.forward(days=60)
    await application.unopened.run()
    assert await reminders(application) == []
    assert await letters(application) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE participant SET paperless = false",
        "UPDATE contact_point SET bounced_at = now() WHERE kind = 'email'",
        "UPDATE contact_point SET safe_to_use = false WHERE kind = 'email'",
        "UPDATE contact_point SET superseded_at = now() WHERE kind = 'email'",
    ],
)
async def test_who_may_not_be_emailed_is_not_reminded(
    application: Application, reader: int, hours: Hours, change: str
) -> None:
    """Nor who has withdrawn; what the notice asks for goes by mail all the same."""
    await post(application)
    await execute(application, change)
    hours.forward(days=10)
    await application.unopened.run()
    assert await reminders(application) == []
    assert len(await letters(application)) == 1


async def test_after_five_business_days_a_letter_is_owed(
    application: Application, reader: int, hours: Hours
) -> None:
    """Of a notice that asks for it, once, by the deadline that counted from the first request; the
    promise of the inbox was kept. Other notices stay where they are."""
    await post(application)
    await post(application, PAYMENT_NOTICE)
    hours.now = datetime(
        2026, 12, 1, 9, tzinfo=PACIFIC
    )  # Thanksgiving and the day after are closed
    assert await application.unopened.to_paper() == 0
    hours.forward(days=1)
    assert await application.unopened.to_paper() == 1
    assert await application.unopened.to_paper() == 0
    assert await letters(application) == [
        {"notice": "document_ready", "state": "owed", "standing": "owed", "due": "2026-12-09"}
    ]
    rows = await fetch(
        application, "SELECT event, reason FROM delivery_event WHERE event = 'unopened'"
    )
    assert rows == [{"event": "unopened", "reason": "unopened"}]
    assert await fetch(application, "SELECT FROM communication_event") == []


async def test_a_document_opened_after_its_letter_was_owed_is_opened(
    application: Application, reader: int, hours: Hours
) -> None:
    """The reader reads it; the letter goes on its way; nothing more comes of it."""
    await post(application)
    hours.forward(days=10)
    await application.unopened.run()
    await open_documents(application)
    [document] = await fetch(application, "SELECT opened_at FROM document")
    assert document["opened_at"] == hours.now
    hours.forward(days=10)
    await application.unopened.run()
    assert len(await letters(application)) == 1


async def test_a_protected_readers_document_is_a_caseworkers_task(
    application: Application, hours: Hours
) -> None:
    """No letter follows by itself."""
    await people.add(
        application.engine, people.Person(paperless=True, confidential=True, substitute=True)
    )
    await post(application, confidential=True)
    hours.forward(days=10)
    assert await application.unopened.to_paper() == 1
    assert await letters(application) == []
    [standing] = await fetch(
        application, "SELECT state, given_to IS NOT NULL AS given FROM communication"
    )
    assert standing == {"state": "held", "given": True}


async def test_no_letter_tells_of_an_appointment_that_is_past(
    application: Application, reader: int, hours: Hours
) -> None:
    """One that is still ahead is told of by mail."""
    for days in (6, 40):
        await post(application, APPOINTMENT_SCHEDULED, starts_at=hours.now + timedelta(days=days))
    hours.forward(days=10)
    assert await application.unopened.to_paper() == 1
    assert len(await letters(application)) == 1


@pytest.mark.parametrize(
    ("posted", "due"),
    [
        (datetime(2026, 11, 23, 17, tzinfo=PACIFIC), "2026-11-30"),
        (datetime(2026, 11, 23, 17, 0, 1, tzinfo=PACIFIC), "2026-12-01"),
        (datetime(2026, 11, 28, 11, tzinfo=PACIFIC), "2026-12-03"),
        (datetime(2026, 11, 26, 11, tzinfo=PACIFIC), "2026-12-03"),
    ],
)
async def test_days_are_counted_as_deadlines_are(
    application: Application, reader: int, hours: Hours, posted: datetime, due: str
) -> None:
    """What comes after five o'clock, at a weekend or on a holiday counts from the next business
    day; Thanksgiving 2026 and the day after it are none."""
    hours.now = posted
    await post(application)
    day = datetime.fromisoformat(due).replace(hour=9, tzinfo=PACIFIC)
    hours.now = day - timedelta(days=1)
    assert await application.unopened.remind() == 0
    hours.now = day
    assert await application.unopened.remind() == 1


async def test_a_crowd_is_gone_through_in_parts(
    application: Application, hours: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None is forgotten at the seam, and none is reminded twice."""
    monkeypatch.setattr("engine.inbox.unopened._AT_ONCE", 2)
    ids = await people.add(
        application.engine,
        *(
            people.Person(each.external_id, email=each.email, paperless=True)
            for each in people.crowd(5)
        ),
    )
    for id_ in ids:
        await post(application, participant=id_)
    hours.forward(days=10)
    assert await application.unopened.remind() == 5
    assert await application.unopened.to_paper() == 5
    assert {row[0] for row in await reminders(application)} == set(ids)
