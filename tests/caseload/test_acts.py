"""What a participant does: whole or not at all, once, and only while they are signed in."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from engine.bootstrap import Application
from engine.caseload.acts import Act, AlreadyDoneError, SessionOverError
from engine.caseload.preferences import change_language
from engine.database import driver_connection
from engine.security.sessions import Session, Stage
from tests import people
from tests.database_rows import execute, fetch

FORM = UUID("0b0e6a34-0000-4000-8000-000000000001")
NOON = datetime(2026, 11, 23, 20, tzinfo=UTC)


@pytest.fixture
async def session(application: Application) -> Session:
    """The participant, who reads Spanish, is signed in."""
    (participant,) = await people.add(application.engine, people.Person(language="es"))
    async with application.engine.begin() as connection:
        return await application.sessions.open(connection, participant, Stage.FULL)


def act(session: Session, form: UUID = FORM) -> Act:
    """A change of the language, as a form asks for it."""
    return Act(session, "language.changed", form, "192.0.2.1", {"to": "en"})


async def english(application: Application, session: Session) -> None:
    """Do it."""
    async with application.acts.begin(act(session)) as doing:
        await change_language(doing.transaction, 1, "en", str(FORM), lambda: NOON)


async def kept(application: Application) -> tuple[object, int, int, int]:
    """The language on file, and how many notices, entries and forms there are."""
    [reader] = await fetch(application, "SELECT language FROM participant")
    counts = [
        len(await fetch(application, f"SELECT FROM {table}"))
        for table in ("communication", "audit_entry", "submission")
    ]
    return reader["language"], counts[0], counts[1], counts[2]


async def test_the_fact_its_notice_and_its_trail_are_kept_together(
    application: Application, session: Session
) -> None:
    """One change, one notice, one entry."""
    await english(application, session)
    assert await kept(application) == ("en", 1, 1, 1)


async def test_what_fails_leaves_nothing(application: Application, session: Session) -> None:
    """Neither the change nor its notice, its entry or the form, which may be sent again."""

    async def failing() -> None:
        async with application.acts.begin(act(session)) as doing:
            await change_language(doing.transaction, 1, "en", str(FORM), lambda: NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()
    assert await kept(application) == ("es", 0, 0, 0)
    await english(application, session)


async def test_a_form_is_done_once(application: Application, session: Session) -> None:
    """Sent again it is refused, and changes nothing."""
    await english(application, session)
    with pytest.raises(AlreadyDoneError):
        await english(application, session)
    assert await kept(application) == ("en", 1, 1, 1)


async def test_no_change_is_no_entry(application: Application, session: Session) -> None:
    """The trail says what happened."""
    async with application.acts.begin(act(session)) as doing:
        doing.unchanged = True
    assert await kept(application) == ("es", 0, 0, 1)


@pytest.mark.parametrize(
    "over",
    [
        "UPDATE portal_session SET ended_at = now()",
        "UPDATE portal_session SET token_hash = 'another'",
        "UPDATE portal_session SET ends_at = now()",
        "UPDATE portal_session SET seen_at = now() - interval '16 minutes'",
    ],
)
async def test_a_session_that_ended_meanwhile_does_nothing(
    application: Application, session: Session, over: str
) -> None:
    """Logged out, rotated, run out: a form that was on the way is refused."""
    await execute(application, over)
    with pytest.raises(SessionOverError):
        await english(application, session)
    assert await kept(application) == ("es", 0, 0, 0)


async def test_one_thing_at_a_time(application: Application, session: Session) -> None:
    """While one form is done, a second of the same participant cannot take the same lock."""
    async with (
        application.acts.begin(act(session)),
        application.engine.connect() as connection,
    ):
        driver = await driver_connection(connection)
        free = await driver.fetch("SELECT FROM participant FOR NO KEY UPDATE SKIP LOCKED")
        assert free == []
