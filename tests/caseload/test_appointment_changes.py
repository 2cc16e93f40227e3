"""Appointments made, moved and cancelled: the fact, who is told, and what is stopped, together."""

from datetime import date, datetime, timedelta
from typing import Any, Final

import icalendar
import pytest

from engine.bootstrap import Application
from engine.caseload.appointment_changes import Changed, NewAppointment
from engine.caseload.reminders import Reminded
from engine.clock import PACIFIC
from engine.errors import InputError
from tests.caseload.appointments import CASE, PLACE, add_appointment
from tests.caseload.test_reminders import (
    EMAIL,
    INBOX_AND_EMAIL,
    MAIL,
    MAIL_AND_EMAIL,
    Hours,
    add,
    application,
    clock,
    recorded,
)
from tests.database_rows import delivery_ids, execute, fetch, states
from tests.smtp_server import SmtpServer

__all__ = ["application", "clock"]

MONDAY: Final = date(2026, 11, 2)
NEAR: Final = datetime(2026, 11, 9, 9, tzinfo=PACIFIC)
FAR: Final = datetime(2026, 12, 9, 9, tzinfo=PACIFIC)
WITH_MAIL: Final = '["email", "mail"]'


def wanted(**changed: object) -> NewAppointment:
    """An appointment of the test's participant, a week ahead."""
    values: dict[str, object] = {
        "case_number": CASE,
        "participant_number": "0000000001",
        "kind": "office",
        "starts_at": NEAR,
        "place": PLACE,
    }
    return NewAppointment(**(values | changed))  # type: ignore[arg-type]  # changed by the test


async def family(application: Application, **person: object) -> int:
    """Somebody who is a party of a case, and whose only appointment is long past."""
    participant = await add(application, **person)
    await add_appointment(application, participant, datetime(2020, 1, 6, 9, tzinfo=PACIFIC))
    return participant


async def schedule(application: Application, **changed: object) -> Changed:
    """Make one."""
    return await application.appointment_changes.schedule(wanted(**changed), "r.ortiz")


async def move(application: Application, number: int, to: datetime) -> Changed:
    """Move one."""
    return await application.appointment_changes.move(number, to, "r.ortiz")


async def acts(application: Application) -> list[dict[str, Any]]:
    """What the audit trail says."""
    return await fetch(
        application,
        "SELECT actor, act, participant_id, details->>'appointment' AS appointment,"
        " details->>'communication' AS communication FROM audit_entry ORDER BY id",
    )


@pytest.mark.parametrize(
    ("person", "kind", "starts", "route"),
    [
        ({}, "office", NEAR, EMAIL),
        ({}, "office", FAR, WITH_MAIL),
        ({"paperless": True}, "office", NEAR, INBOX_AND_EMAIL),
        ({"confidential": True}, "office", FAR, EMAIL),
        ({"email": None}, "office", FAR, MAIL),
        ({"email": None}, "office", NEAR, None),
        ({"paperless": True}, "court", FAR, MAIL_AND_EMAIL),
        ({"paperless": True}, "court", NEAR, INBOX_AND_EMAIL),
        ({"email": None}, "court", FAR, MAIL),
    ],
)
async def test_who_has_a_new_appointment_is_told_in_time(
    application: Application,
    person: dict[str, object],
    kind: str,
    starts: datetime,
    route: str | None,
) -> None:
    """By email, into the inbox too for who is enrolled; by mail while ten business days remain, and
    always so about a hearing; where neither comes in time, nothing is promised."""
    await family(application, **person)
    made = await schedule(application, kind=kind, starts_at=starts)
    expected = [] if route is None else [("appointment_scheduled", route)]
    assert await recorded(application) == expected
    assert (made.communication_id is None) == (route is None)
    [row] = await fetch(
        application,
        "SELECT kind, starts_at, place, status FROM appointment ORDER BY id DESC LIMIT 1",
    )
    assert row == {"kind": kind, "starts_at": starts, "place": PLACE, "status": "scheduled"}
    [entry] = await acts(application)
    assert entry["actor"] == "staff:r.ortiz"
    assert entry["act"] == "staff.appointment.scheduled"
    assert entry["appointment"] == str(made.appointment_id)


async def test_moving_tells_the_new_hour_and_stops_the_old(
    application: Application, clock: Hours
) -> None:
    """In one transaction: the fact, its notice with both hours, and the end of a reminder that
    waits; the calendar's number goes up, and the new hour has its own reminders."""
    await family(application)
    made = await schedule(application)
    clock.at(date(2026, 11, 6))
    await application.dispatcher.deliver(await delivery_ids(application))
    assert await application.reminders.run() == Reminded(emails=1)
    to = datetime(2026, 11, 13, 14, tzinfo=PACIFIC)
    moved = await move(application, made.appointment_id, to)
    assert moved.stopped == 1
    assert await states(application) == ["sent", "cancelled", "owed"]
    [notice] = await fetch(
        application,
        "SELECT notice, facts->>'starts_at' AS at, facts->>'was_at' AS was, subject"
        " FROM communication WHERE id = $1",
        moved.communication_id,
    )
    assert notice == {
        "notice": "appointment_changed",
        "at": "2026-11-13T14:00:00-08:00",
        "was": "2026-11-09T09:00:00-08:00",
        "subject": f"appointment:{made.appointment_id}",
    }
    [row] = await fetch(
        application,
        "SELECT calendar_sequence AS n FROM appointment WHERE id = $1",
        made.appointment_id,
    )
    assert row["n"] == 1
    # On the day they were told of it nobody is reminded; three days before, they are.
    assert await application.reminders.run() == Reminded()
    clock.at(date(2026, 11, 10))
    assert await application.reminders.run() == Reminded(emails=1)


async def test_after_a_cancellation_nothing_but_that_is_said(
    application: Application, clock: Hours
) -> None:
    """A notice of the appointment that never went out is stopped with its reminders; no run of the
    reminders brings them back."""
    await family(application)
    made = await schedule(application)
    clock.at(date(2026, 11, 6))
    await application.reminders.run()
    gone = await application.appointment_changes.cancel(made.appointment_id, "r.ortiz")
    assert gone.stopped == 2
    for day in (6, 8, 9):
        clock.at(date(2026, 11, day), 8)
        assert await application.reminders.run() == Reminded()
    assert await states(application) == ["cancelled", "cancelled", "owed"]
    assert (await recorded(application))[-1] == ("appointment_cancelled", EMAIL)


async def test_a_letter_about_a_change_must_come_before_the_old_hour(
    application: Application,
) -> None:
    """Who reads it only afterwards has gone there for nothing: somebody has to telephone."""
    await family(application, email=None)
    made = await schedule(application, starts_at=FAR)
    await execute(
        application,
        "UPDATE appointment SET starts_at = $1 WHERE id = $2",
        NEAR,
        made.appointment_id,
    )
    moved = await move(application, made.appointment_id, FAR + timedelta(days=30))
    assert moved.communication_id is None


@pytest.mark.parametrize("hours", [30, 60])
async def test_what_is_near_is_urgent(application: Application, hours: int) -> None:
    """Inside two days a change overtakes what is sent in bulk."""
    await family(application)
    made = await schedule(application, starts_at=application.clock() + timedelta(hours=hours))
    [row] = await fetch(
        application, "SELECT urgency FROM communication WHERE id = $1", made.communication_id
    )
    assert row["urgency"] == ("urgent" if hours == 30 else "bulk")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"starts_at": datetime(2026, 11, 2, 7, tzinfo=PACIFIC)}, "must be ahead"),
        ({"place": ""}, "the place must be"),
        ({"place": "=HYPERLINK()"}, "the place must be"),
        ({"place": "x" * 201}, "the place must be"),
        ({"number": "a b"}, "the number must be"),
        ({"number": "A0"}, "already"),
        ({"case_number": "1"}, "no party"),
        ({"participant_number": "0000000002"}, "no party"),
    ],
)
async def test_what_cannot_be_an_appointment_is_refused(
    application: Application, changed: dict[str, object], said: str
) -> None:
    """And nothing of it is kept: no row, no notice, no act."""
    await family(application)
    with pytest.raises(InputError, match=said):
        await schedule(application, **changed)
    assert await recorded(application) == []
    assert await acts(application) == []
    [row] = await fetch(application, "SELECT count(*) AS n FROM appointment")
    assert row["n"] == 1


async def test_what_is_past_cancelled_or_unknown_is_not_changed(application: Application) -> None:
    """Nor is anything told where nothing would change, nor without an account."""
    changes = application.appointment_changes
    await family(application)
    made = (await schedule(application)).appointment_id
    for number, said in ((1, "is past"), (99, "no appointment 99")):
        with pytest.raises(InputError, match=said):
            await move(application, number, FAR)
        with pytest.raises(InputError, match=said):
            await changes.cancel(number, "r.ortiz")
    with pytest.raises(InputError, match="already"):
        await move(application, made, NEAR)
    with pytest.raises(InputError, match="--as"):
        await changes.cancel(made, " ")
    await changes.cancel(made, "r.ortiz")
    with pytest.raises(InputError, match="is cancelled"):
        await move(application, made, FAR)
    assert len(await acts(application)) == 2


async def test_a_change_that_fails_tells_nobody(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fact, the notice and the audit entry are one transaction: without the last there is none
    of them."""
    await family(application)
    made = await schedule(application)

    async def fails(*_arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("engine.security.audit.Audit.append", fails)
    with pytest.raises(RuntimeError):
        await move(application, made.appointment_id, FAR)
    [row] = await fetch(
        application, "SELECT starts_at FROM appointment WHERE id = $1", made.appointment_id
    )
    assert row["starts_at"] == NEAR
    assert await states(application) == ["owed"]


async def sent_files(application: Application, smtp: SmtpServer) -> list[Any]:
    """Deliver what is owed; the calendar of each email, and the email."""
    await application.dispatcher.deliver(await delivery_ids(application))
    found = []
    for _, _, message in smtp.taken:
        parts: list[Any] = [
            part.get_payload(decode=True)
            for part in message.walk()
            if part.get_content_type() == "text/calendar"
        ]
        found.append((message, [icalendar.Calendar.from_ical(bytes(part)) for part in parts]))
    return found


@pytest.mark.parametrize("language", ["en", "es"])
async def test_the_calendar_of_each_email_is_the_newer_word(
    application: Application, clock: Hours, smtp: SmtpServer, language: str
) -> None:
    """One entry under one identifier: published, published anew with a higher number when it is
    moved, and cancelled; none says where or what, and only the reminder can be unsubscribed."""
    await family(application, language=language)
    made = await schedule(application)
    await sent_files(application, smtp)
    clock.at(date(2026, 11, 6))
    await application.reminders.run()
    await sent_files(application, smtp)
    await move(application, made.appointment_id, NEAR + timedelta(days=2))
    await sent_files(application, smtp)
    await application.appointment_changes.cancel(made.appointment_id, "r.ortiz")
    mails = await sent_files(application, smtp)
    calendars = [calendar for _, [calendar] in mails]
    events = [calendar.walk("VEVENT")[0] for calendar in calendars]
    assert [str(calendar["METHOD"]) for calendar in calendars] == [
        "PUBLISH", "PUBLISH", "PUBLISH", "CANCEL",
    ]  # fmt: skip
    assert [event["SEQUENCE"] for event in events] == [0, 0, 1, 2]
    assert len({str(event["UID"]) for event in events}) == 1
    assert {str(event["SUMMARY"]) for event in events} == {
        "Cita" if language == "es" else "Appointment"
    }
    assert all("LOCATION" not in event and "DESCRIPTION" not in event for event in events)
    links = [message["List-Unsubscribe"] for message, _ in mails]
    assert [link is not None for link in links] == [False, True, False, False]
    token = application.unsubscribing.tokens.token(made.participant_id)
    assert links[1] == f"<{application.settings.public_url}/{language}/u/{token}>"
    assert [message["List-Unsubscribe-Post"] for message, _ in mails] == [
        None, "List-Unsubscribe=One-Click", None, None,
    ]  # fmt: skip
