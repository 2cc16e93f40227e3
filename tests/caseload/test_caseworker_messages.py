"""Messages to caseworkers: taken down with a promise, shown to their own writer, read once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from engine.bootstrap import Application
from engine.caseload.caseworker_messages import (
    BODY_MOST,
    BodyFault,
    CaseworkerMessages,
    Conversation,
    body_fault,
    tidy,
)
from engine.errors import InputError
from engine.migrations.grants import PORTAL
from tests import people
from tests.database_rows import execute, fetch

NOON = datetime(2026, 11, 23, 20, tzinfo=UTC)
SERVICE = CaseworkerMessages(3)

pytestmark = pytest.mark.acting(PORTAL)


async def family(application: Application) -> None:
    """Participants 1 and 2 are parties of case 1; 1 alone is one of case 2."""
    await people.add(
        application.engine,
        people.Person(paperless=True),
        people.Person(external_id="0000000002", language="en"),
    )
    await execute(
        application,
        "INSERT INTO support_case (external_id, county, status, opened_on)"
        " VALUES ('000000000000001', 'Yolo', 'open', '2020-01-01'),"
        " ('000000000000002', 'Kern', 'closed', '2021-01-01')",
    )
    await execute(
        application,
        "INSERT INTO case_party (case_id, participant_id, role)"
        " VALUES (1, 1, 'payer'), (1, 2, 'payee'), (2, 1, 'payer')",
    )


async def write(
    application: Application,
    body: str,
    *,
    participant: int = 1,
    case: int = 1,
    now: datetime = NOON,
) -> date | None:
    """Write a message; by when it is to be answered."""
    async with application.outbox.transaction() as transaction:
        return await SERVICE.write(transaction, participant, case, body, now)


async def conversations(
    application: Application, participant: int = 1, *, limit: int = 10, case: int | None = None
) -> list[Conversation]:
    """What a participant sees."""
    async with application.engine.connect() as connection:
        return await SERVICE.conversations(connection, participant, limit=limit, case_id=case)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("", BodyFault.MISSING),
        ("x" * BODY_MOST, None),
        ("x" * (BODY_MOST + 1), BodyFault.TOO_LONG),
        ("line\n\n\tline", None),
        ("bell\a", BodyFault.UNREADABLE),
        ("c1\x9b31m", BodyFault.UNREADABLE),
        ("half \ud800", BodyFault.UNREADABLE),
        ("ñ 子ども 👪 \u200d \u2028", None),
    ],
)
def test_words_are_judged(body: str, fault: BodyFault | None) -> None:
    """Every script is welcome; what would steer a terminal or a printer is not."""
    assert body_fault(body) == fault


def test_line_breaks_become_one_kind() -> None:
    """As browsers, old machines and files end their lines."""
    assert tidy(" \r\na\r\nb\rc\n\n") == "a\nb\nc"


async def test_a_message_has_a_day_by_which_it_is_answered(application: Application) -> None:
    """So many business days on; none is taken down for a case that is not the writer's."""
    await family(application)
    assert await write(application, "Hello") == date(2026, 11, 30)
    assert await write(application, "Hello", participant=2, case=2) is None
    assert await write(application, "Hello", case=77) is None
    with pytest.raises(InputError, match="body_missing"):
        await write(application, "")
    assert len(await fetch(application, "SELECT FROM caseworker_message")) == 1


async def test_conversations_are_by_case_and_ones_own(application: Application) -> None:
    """The case that was written to last is first; the other party's words are not among them."""
    await family(application)
    await write(application, "first")
    await write(application, "other party", participant=2)
    await write(application, "about the other case", case=2)
    await write(application, "second")
    found = await conversations(application)
    assert [
        (one.case_number, one.total, [thread.messages[0].body for thread in one.threads])
        for one in found
    ] == [
        ("000000000000001", 2, ["second", "first"]),
        ("000000000000002", 1, ["about the other case"]),
    ]
    [one] = await conversations(application, limit=1, case=1)
    assert (one.total, len(one.threads)) == (2, 1)
    assert await conversations(application, 2, case=2) == []


async def test_a_reply_is_unread_until_it_was_shown(application: Application) -> None:
    """To its reader alone, and only what was on the page."""
    await family(application)
    await write(application, "question")
    await write(application, "another", participant=2)
    await execute(
        application,
        "INSERT INTO caseworker_message (participant_id, case_id, author, staff, body, written_at,"
        " answers_id) VALUES (1, 1, 'caseworker', 'r.ortiz', 'answer', $1, 1),"
        " (2, 1, 'caseworker', 'r.ortiz', 'theirs', $1, 2)",
        NOON,
    )
    shown = await conversations(application)
    assert shown[0].threads[0].reply_due is None
    assert [message.unread for message in shown[0].threads[0].messages] == [False, True]
    async with application.engine.begin() as connection:
        assert await SERVICE.unread(connection, 1) == 1
        await SERVICE.read(connection, 2, shown, NOON)
        assert await SERVICE.unread(connection, 1) == 1
        await SERVICE.read(connection, 1, shown, NOON)
        assert await SERVICE.unread(connection, 1) == 0
        await SERVICE.read(connection, 1, shown, NOON + timedelta(days=1))
    rows = await fetch(application, "SELECT read_at FROM caseworker_message ORDER BY id")
    assert [row["read_at"] for row in rows] == [None, None, NOON, None]


async def test_the_cases_that_may_be_written_about(application: Application) -> None:
    """The writer's own, open ones first."""
    await family(application)
    async with application.engine.connect() as connection:
        mine = await SERVICE.cases(connection, 1)
        theirs = await SERVICE.cases(connection, 2)
    assert [case.number for case in mine] == ["000000000000001", "000000000000002"]
    assert [case.id for case in theirs] == [1]
