"""Reminders: on their days, by the right way, once, and never of what is no longer so."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.caseload import reminders
from engine.caseload.reminder_choices import choose_reminders
from engine.caseload.reminders import Reminded
from engine.clock import PACIFIC
from engine.settings import Settings
from tests import people
from tests.acting import opened_in_parts
from tests.caseload.appointments import add_appointment
from tests.database_rows import delivery_ids, execute, fetch, states
from tests.mail.print_shop import deliver, store_batch
from tests.smtp_server import SmtpServer

EMAIL: Final = '["email"]'
INBOX_AND_EMAIL: Final = '["inbox", "email"]'
MAIL: Final = '["mail"]'
MAIL_AND_EMAIL: Final = '["mail", "email"]'


@dataclass
class Hours:
    """A clock that a test sets; it stands still between."""

    now: datetime = datetime(2026, 11, 2, 8, tzinfo=PACIFIC)

    def __call__(self) -> datetime:
        """The hour it was set to."""
        return self.now

    def at(self, day: date, hour: int = 8) -> None:
        """Set it to an hour of a day in California."""
        self.now = datetime.combine(day, time(hour), PACIFIC)


@pytest.fixture
def clock() -> Hours:
    """A Monday morning in November, until a test says otherwise."""
    return Hours()


@pytest.fixture
async def application(
    settings: Settings, database: AsyncEngine, redis: Redis, clock: Hours
) -> AsyncIterator[Application]:
    """The application at the hour of the test's clock, with quiet hours kept by it."""
    quiet = settings.model_copy(update={"quiet_hours": "21:00-08:00"})
    async with opened_in_parts(quiet, clock) as opened:
        yield opened


async def recorded(application: Application) -> list[tuple[object, object]]:
    """Notice and channels of each communication, in order."""
    rows = await fetch(
        application,
        "SELECT notice, jsonb_path_query_array(route, '$[*][*][0]')::text AS route"
        " FROM communication ORDER BY id",
    )
    return [(row["notice"], row["route"]) for row in rows]


async def days_told(
    application: Application, clock: Hours, appointment: date, days: int = 30, hours: int = 1
) -> list[tuple[int, object]]:
    """Run the reminders each morning of `days` before an appointment, and the day after; how many
    days before something was recorded, and by which way."""
    told: list[tuple[int, object]] = []
    for ahead in range(days, -2, -1):
        for hour in range(8, 8 + hours):
            clock.at(appointment - timedelta(days=ahead), hour)
            before = len(await recorded(application))
            await application.reminders.run()
            told += [(ahead, route) for _, route in (await recorded(application))[before:]]
    return told


async def add(application: Application, **person: object) -> int:
    """Somebody with such traits."""
    (added,) = await people.add(application.engine, people.Person(**person))  # type: ignore[arg-type]  # of the test
    return added


@pytest.mark.parametrize(
    ("person", "hours", "told"),
    [
        ({}, 3, [(7, EMAIL), (3, EMAIL), (1, EMAIL)]),
        ({"paperless": True}, 1, [(n, INBOX_AND_EMAIL) for n in (7, 3, 1)]),
        ({"confidential": True}, 1, [(n, EMAIL) for n in (7, 3, 1)]),
        ({"email": None}, 2, [(23, MAIL)]),
        ({"email": None, "paperless": True}, 1, [(23, MAIL)]),
        ({"email_safe": False}, 1, [(23, MAIL)]),
        ({"email": None, "confidential": True, "substitute": True}, 1, [(23, MAIL)]),
    ],
)
async def test_each_reader_is_reminded_on_their_days_by_their_way(
    application: Application,
    clock: Hours,
    person: dict[str, object],
    hours: int,
    told: list[tuple[int, object]],
) -> None:
    """By email 7, 3 and 1 days before, into the inbox too for who is enrolled; by mail once, 15
    business days ahead, where no email may be used. Running every hour records nothing twice."""
    starts = datetime(2026, 12, 9, 9, 30, tzinfo=PACIFIC)
    await add_appointment(application, await add(application, **person), starts)
    # Fifteen business days before December 9 is November 16: Thanksgiving and the day after close.
    assert await days_told(application, clock, starts.date(), hours=hours) == told


@pytest.mark.parametrize(
    "starts",
    [
        datetime(2026, 11, 1, 0, 30, tzinfo=PACIFIC),
        datetime(2026, 11, 1, 1, 30, fold=1, tzinfo=PACIFIC),
        datetime(2026, 11, 2, 9, tzinfo=PACIFIC),
        datetime(2026, 11, 4, 23, 30, tzinfo=PACIFIC),
        datetime(2027, 3, 14, 3, tzinfo=PACIFIC),
        datetime(2027, 3, 15, 9, tzinfo=PACIFIC),
        datetime(2027, 3, 17, 0, 15, tzinfo=PACIFIC),
    ],
)
async def test_clocks_that_change_move_no_reminder(
    application: Application, clock: Hours, starts: datetime
) -> None:
    """The days are the calendar's, 23 and 25 hours long among them, and the hour that is told is
    that of the wall clock."""
    await add_appointment(application, await add(application), starts)
    told = await days_told(application, clock, starts.date(), days=9)
    assert told == [(7, EMAIL), (3, EMAIL), (1, EMAIL)]
    rows = await fetch(application, "SELECT DISTINCT facts->>'starts_at' AS at FROM communication")
    assert [str(row["at"])[:16] for row in rows] == [f"{starts:%Y-%m-%dT%H:%M}"]


async def test_what_was_missed_is_caught_up_on_the_same_day_alone(
    application: Application, clock: Hours
) -> None:
    """In the afternoon of the seventh day it is still the seventh day; on the sixth no seventh is
    sent late, and who has an appointment entered two days before hears of it on the last."""
    starts = datetime(2026, 11, 18, 9, tzinfo=PACIFIC)
    await add_appointment(application, await add(application), starts)
    clock.at(date(2026, 11, 11), 17)
    assert await application.reminders.run() == Reminded(emails=1)
    later = datetime(2026, 11, 13, 9, tzinfo=PACIFIC)
    other = await add(application, external_id="0000000002", email="b@example.com")
    await add_appointment(application, other, later)
    told = []
    for day in (11, 12, 13):
        clock.at(date(2026, 11, day), 18)
        told.append((await application.reminders.run()).emails)
    assert told == [0, 1, 0]


@pytest.mark.parametrize("hour", [0, 5, 7, 21, 23])
async def test_nothing_is_recorded_for_email_at_night(
    application: Application, clock: Hours, hour: int
) -> None:
    """From 21:00 to 8:00 the run says that it is night; by day the same appointment is told of."""
    starts = datetime(2026, 11, 9, 9, tzinfo=PACIFIC)
    await add_appointment(application, await add(application), starts)
    clock.at(date(2026, 11, 2), hour)
    assert await application.reminders.run() == Reminded(night=True)
    clock.at(date(2026, 11, 2), 20)
    assert await application.reminders.run() == Reminded(emails=1)


async def test_what_is_near_overtakes_what_is_sent_in_bulk(
    application: Application, clock: Hours
) -> None:
    """The reminder of tomorrow is urgent; the earlier ones are not."""
    starts = datetime(2026, 11, 18, 9, tzinfo=PACIFIC)
    await add_appointment(application, await add(application), starts)
    await days_told(application, clock, starts.date(), days=8)
    rows = await fetch(application, "SELECT urgency, subject FROM communication ORDER BY id")
    assert [row["urgency"] for row in rows] == ["bulk", "bulk", "urgent"]
    assert {row["subject"] for row in rows} == {"appointment:1"}


@pytest.mark.parametrize(
    ("person", "wanted", "told"),
    [
        ({}, True, [(23, MAIL_AND_EMAIL), (7, EMAIL), (3, EMAIL), (1, EMAIL)]),
        (
            {"paperless": True},
            True,
            [(23, MAIL_AND_EMAIL), *((n, INBOX_AND_EMAIL) for n in (7, 3, 1))],
        ),
        ({"email": None}, True, [(23, MAIL)]),
        ({"paperless": True}, False, [(23, MAIL)]),
        (
            {"confidential": True, "substitute": True},
            True,
            [(23, MAIL_AND_EMAIL), (7, EMAIL), (3, EMAIL), (1, EMAIL)],
        ),
    ],
)
async def test_a_court_date_is_always_told_of_on_paper(
    application: Application,
    clock: Hours,
    person: dict[str, object],
    wanted: bool,
    told: list[tuple[int, object]],
) -> None:
    """Once, whatever its reader chose; the email besides meets nothing, and the emails of the last
    days are those of any appointment. Who wants no reminders still gets the letter."""
    starts = datetime(2026, 12, 9, 8, 30, tzinfo=PACIFIC)
    participant = await add(application, **person)
    await add_appointment(application, participant, starts, "court")
    await choose(application, participant, wanted=wanted)
    assert await days_told(application, clock, starts.date()) == told
    assert (await recorded(application))[0][0] == "court_date_reminder"
    legs = await fetch(
        application,
        "SELECT channel, meets_obligation AS meets FROM delivery WHERE communication_id = 1",
    )
    assert {(leg["channel"], leg["meets"]) for leg in legs} <= {("mail", True), ("email", False)}


async def choose(application: Application, participant: int, *, wanted: bool) -> bool:
    """Let a participant choose whether reminders come by email."""
    async with application.engine.begin() as connection:
        return await choose_reminders(
            connection, participant, "profile", application.clock(), wanted=wanted
        )


async def test_who_wants_no_reminders_gets_none_until_they_do(
    application: Application, clock: Hours
) -> None:
    """Neither by email nor, in its place, by mail; what was waiting to be sent is stopped."""
    starts = datetime(2026, 12, 9, 9, 30, tzinfo=PACIFIC)
    participant = await add(application, paperless=True)
    await add_appointment(application, participant, starts)
    clock.at(date(2026, 12, 2))
    assert (await application.reminders.run()).emails == 1
    assert await choose(application, participant, wanted=False)
    assert not await choose(application, participant, wanted=False)
    assert await application.reminders.run() == Reminded(overtaken=1)
    assert await days_told(application, clock, starts.date(), days=6) == []
    assert await choose(application, participant, wanted=True)
    clock.at(date(2026, 12, 8))
    assert (await application.reminders.run()).emails == 1


@pytest.mark.parametrize(
    ("change", "stopped"),
    [
        ("status = 'cancelled'", True),
        ("starts_at = starts_at + interval '1 hour'", True),
        ("place = '9 Elsewhere Ave'", True),
        ("status = status", False),
    ],
)
@pytest.mark.parametrize("run", [True, False], ids=["by a run", "at the moment of sending"])
async def test_what_an_import_overtook_does_not_set_out(
    application: Application, smtp: SmtpServer, change: str, *, stopped: bool, run: bool
) -> None:
    """It tells nobody that it moved or cancelled an appointment; the reminder that waits says what
    was so before, and is stopped by the next run, or when its turn comes to be sent."""
    starts = datetime(2026, 11, 9, 9, tzinfo=PACIFIC)
    await add_appointment(application, await add(application), starts)
    await application.reminders.run()
    await execute(application, f"UPDATE appointment SET {change}")
    if run:
        done = await application.reminders.run()
        assert done.overtaken == int(stopped)
        return
    await application.dispatcher.deliver(await delivery_ids(application))
    assert await states(application) == ["cancelled" if stopped else "sent"]
    assert len(smtp.taken) == int(not stopped)


async def test_a_letter_that_is_printed_is_overtaken_too_late(
    application: Application, clock: Hours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stored batch leaves as it is: the record does not say that its letter was stopped."""
    starts = datetime(2026, 12, 9, 9, 30, tzinfo=PACIFIC)
    await add_appointment(application, await add(application, email=None), starts)
    clock.at(starts.date() - timedelta(days=23))
    assert (await application.reminders.run()).letters == 1
    await deliver(application)
    await store_batch(application, monkeypatch)
    await execute(application, "UPDATE appointment SET status = 'cancelled'")
    assert (await application.reminders.run()).overtaken == 0
    await application.handover.run()
    assert await states(application) == ["handed_over"]


async def test_a_moved_appointment_has_a_fresh_set(application: Application, clock: Hours) -> None:
    """What was recorded for the old hour is stopped, and each day of the new one has its own."""
    participant = await add(application)
    await add_appointment(application, participant, datetime(2026, 11, 9, 9, tzinfo=PACIFIC))
    assert await application.reminders.run() == Reminded(emails=1)
    moved = datetime(2026, 11, 20, 14, tzinfo=PACIFIC)
    await execute(application, "UPDATE appointment SET starts_at = $1", moved)
    assert await days_told(application, clock, moved.date(), days=18) == [
        (7, EMAIL), (3, EMAIL), (1, EMAIL),
    ]  # fmt: skip
    rows = await fetch(
        application, "SELECT state, count(*) AS n FROM communication GROUP BY state ORDER BY state"
    )
    # The clock went past the appointment without a worker: the later ones were stopped unsent.
    assert [(row["state"], row["n"]) for row in rows] == [("cancelled", 4)]


async def test_one_that_is_moved_back_before_anything_was_sent_is_told_of(
    application: Application, clock: Hours
) -> None:
    """What was never sent was never said, so that it is recorded anew; once it was sent, it is
    not said again."""
    participant = await add(application)
    starts = datetime(2026, 11, 9, 9, tzinfo=PACIFIC)
    await add_appointment(application, participant, starts)
    await application.reminders.run()
    for at in (starts + timedelta(days=1), starts):
        await execute(application, "UPDATE appointment SET starts_at = $1", at)
        done = await application.reminders.run()
    assert done == Reminded(emails=1)
    await application.dispatcher.deliver(await delivery_ids(application))
    for at in (starts + timedelta(days=1), starts):
        await execute(application, "UPDATE appointment SET starts_at = $1", at)
        assert await application.reminders.run() == Reminded()


async def test_a_letter_that_waits_in_the_batch_is_stopped(
    application: Application, clock: Hours
) -> None:
    """A hearing that is cancelled while its letter waits for the evening's batch."""
    starts = datetime(2026, 11, 23, 9, tzinfo=PACIFIC)
    await add_appointment(application, await add(application, email=None), starts, "court")
    assert await application.reminders.run() == Reminded(letters=1)
    await application.dispatcher.deliver(await delivery_ids(application))
    assert await states(application) == ["batched"]
    await execute(application, "UPDATE appointment SET status = 'cancelled'")
    assert await application.reminders.run() == Reminded(overtaken=1)
    assert await states(application) == ["cancelled"]


async def test_nothing_is_sent_of_what_is_past(
    application: Application, clock: Hours, smtp: SmtpServer
) -> None:
    """A mail server that was away until the appointment was over does not get its reminder."""
    starts = datetime(2026, 11, 3, 9, tzinfo=PACIFIC)
    await add_appointment(application, await add(application), starts)
    assert await application.reminders.run() == Reminded(emails=1)
    clock.at(date(2026, 11, 3), 10)
    await application.dispatcher.deliver(await delivery_ids(application))
    assert await states(application) == ["cancelled"]
    assert smtp.taken == []


@pytest.mark.parametrize(
    ("person", "kind", "days", "unreached"),
    [
        ({}, "office", 3, 0),
        ({"email": None}, "office", 3, 1),
        ({"email": None}, "office", 21, 0),
        ({"email_safe": False}, "court", 8, 1),
        ({}, "office", 0, 1),
    ],
)
async def test_whom_nothing_reaches_is_named(
    application: Application, person: dict[str, object], kind: str, days: int, unreached: int
) -> None:
    """Without an email, and too late for a letter, somebody has to telephone; no promise is made
    that a letter would break."""
    participant = await add(application, **person)
    starts = datetime.combine(date(2026, 11, 2) + timedelta(days=days), time(15), PACIFIC)
    number = await add_appointment(application, participant, starts, kind)
    done = await application.reminders.run()
    assert done.unreached == unreached
    found = await application.reminders.unreached()
    assert [each.appointment_id for each in found] == [number] * unreached
    assert not (unreached and await recorded(application))


async def test_without_reminders_a_hearing_is_still_a_matter_for_the_telephone(
    application: Application, clock: Hours
) -> None:
    """To do without reminders of meetings is a choice, and nobody's task."""
    participant = await add(application)
    await choose(application, participant, wanted=False)
    at = datetime(2026, 11, 5, 9, tzinfo=PACIFIC)
    await add_appointment(application, participant, at)
    hearing = await add_appointment(application, participant, at, "court")
    found = await application.reminders.unreached()
    assert [each.appointment_id for each in found] == [hearing]


async def test_many_are_reminded_in_pages(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than one page of appointments: none is skipped, none is told twice."""
    monkeypatch.setattr(reminders, "_AT_ONCE", 20)
    participant = await add(application)
    await add_appointment(application, participant, datetime(2026, 11, 9, 9, tzinfo=PACIFIC))
    await execute(
        application,
        "INSERT INTO appointment (external_id, case_id, participant_id, kind, starts_at, place,"
        " status) SELECT 'B' || n, case_id, participant_id, kind, starts_at, place, status"
        " FROM appointment, generate_series(1, 45) AS n",
    )
    assert (await application.reminders.run()).emails == 46
    assert (await application.reminders.run()).emails == 0
