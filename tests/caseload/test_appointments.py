"""Appointments of one participant: what is ahead, what is past, and what they answered."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.caseload.appointments import (
    WISH_MOST,
    Agenda,
    Answer,
    AppointmentView,
    NotAnswerableError,
    agenda_of,
    answer_appointment,
    appointment_of,
)
from engine.clock import PACIFIC
from engine.errors import InputError
from engine.migrations.grants import PORTAL
from tests import people
from tests.database_rows import execute, fetch

NOW = datetime(2026, 11, 23, 12, tzinfo=PACIFIC)
PLACE = "100 Example Street, Room 210; ring, twice"

pytestmark = pytest.mark.acting(PORTAL)


@pytest.fixture
async def mine(application: Application) -> int:
    """A participant with one appointment behind, two ahead of which one is cancelled; the other
    party of the case has one of theirs at the hour of the first."""
    mine, theirs = await people.add(
        application.engine, people.Person(), people.Person("0000000002", email=None)
    )
    await execute(
        application,
        "INSERT INTO support_case (external_id, county, status, opened_on)"
        " VALUES ('C1', 'Yolo', 'open', '2020-01-01')",
    )
    for number, (owner, days, status) in enumerate(
        [
            (mine, 16, "scheduled"),
            (mine, 3, "cancelled"),
            (mine, -9, "scheduled"),
            (theirs, 16, "scheduled"),
        ],
        1,
    ):
        await execute(
            application,
            "INSERT INTO appointment (external_id, case_id, participant_id, kind, starts_at, place,"
            " status) VALUES ($1, 1, $2, 'office', $3, $4, $5)",
            f"M{number}",
            owner,
            NOW + timedelta(days=days),
            PLACE,
            status,
        )
    return mine


async def agenda(engine: AsyncEngine, participant: int) -> Agenda:
    """What the participant sees."""
    async with engine.connect() as connection:
        return await agenda_of(connection, participant, NOW, past_most=20)


async def found(application: Application, participant: int, number: int) -> AppointmentView:
    """One appointment of the participant."""
    async with application.engine.connect() as connection:
        view = await appointment_of(connection, participant, number)
    assert view is not None
    return view


async def answer(
    application: Application,
    participant: int,
    seen: AppointmentView,
    what: Answer = Answer.CONFIRMED,
    wish: str | None = None,
) -> None:
    """An answer, in a transaction of its own."""
    async with application.outbox.transaction() as transaction:
        await answer_appointment(transaction, participant, seen, what, NOW, wish=wish)


async def test_the_agenda_is_the_readers_own(application: Application, mine: int) -> None:
    """The soonest first, cancelled ones too; the other party's hour is theirs."""
    shown = await agenda(application.engine, mine)
    assert [(one.id, one.cancelled) for one in shown.upcoming] == [(2, True), (1, False)]
    assert [one.id for one in shown.past] == [3]
    async with application.engine.connect() as connection:
        assert await appointment_of(connection, mine, 4) is None
        assert await appointment_of(connection, mine, 99) is None


async def test_the_last_answer_counts(application: Application, mine: int) -> None:
    """Who asked for another time may still confirm."""
    seen = await found(application, mine, 1)
    await answer(application, mine, seen, Answer.RESCHEDULE, "por las mañanas")
    asked = await found(application, mine, 1)
    assert (asked.answer, asked.wish, asked.answered_at) == (
        Answer.RESCHEDULE, "por las mañanas", NOW,
    )  # fmt: skip
    await answer(application, mine, seen)
    assert (await found(application, mine, 1)).answer is Answer.CONFIRMED
    assert len(await fetch(application, "SELECT FROM appointment_answer")) == 2


async def test_one_that_is_moved_is_answered_anew(application: Application, mine: int) -> None:
    """What was said of another hour is not said of this one; and nobody confirms an hour they did
    not see."""
    seen = await found(application, mine, 1)
    await answer(application, mine, seen)
    await execute(application, "UPDATE appointment SET starts_at = starts_at + interval '1 hour'")
    assert (await found(application, mine, 1)).answer is None
    with pytest.raises(NotAnswerableError):
        await answer(application, mine, seen)


@pytest.mark.parametrize("number", [2, 3])
async def test_what_is_cancelled_or_past_takes_no_answer(
    application: Application, mine: int, number: int
) -> None:
    """Nothing is taken down."""
    seen = await found(application, mine, number)
    assert not seen.answerable(NOW)
    with pytest.raises(NotAnswerableError):
        await answer(application, mine, seen)
    assert await fetch(application, "SELECT FROM appointment_answer") == []


async def test_nobody_answers_for_another(application: Application, mine: int) -> None:
    """Whatever the caller hands in, the row has to be the participant's own."""
    seen = await found(application, mine, 1)
    with pytest.raises(NotAnswerableError):
        await answer(application, mine + 1, seen)


async def test_a_wish_has_bounds(application: Application, mine: int) -> None:
    """Five hundred characters are taken, one more is not."""
    seen = await found(application, mine, 1)
    with pytest.raises(InputError):
        await answer(application, mine, seen, Answer.RESCHEDULE, "x" * (WISH_MOST + 1))
    await answer(application, mine, seen, Answer.RESCHEDULE, "x" * WISH_MOST)
