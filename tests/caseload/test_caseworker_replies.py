"""Replies of caseworkers: by when, once, and told by the way that its reader chose."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from engine.bootstrap import Application
from engine.caseload import caseworker_replies
from engine.caseload.caseworker_replies import Replied, Waiting
from engine.communications.frozen_facts import FACTS
from engine.errors import InputError
from engine.migrations.grants import OPERATOR
from tests import people
from tests.caseload.test_caseworker_messages import NOON, conversations, family, write
from tests.database_rows import execute, fetch

pytestmark = pytest.mark.acting(OPERATOR)


async def reply(
    application: Application, message: int, body: str = "An answer", *, again: bool = False
) -> Replied:
    """Answer a message."""
    async with application.outbox.transaction() as transaction:
        return await caseworker_replies.reply(
            transaction, message, "r.ortiz", body, NOON, again=again
        )


async def waiting(application: Application, limit: int = 10) -> list[Waiting]:
    """What waits for a reply."""
    async with application.engine.connect() as connection:
        return await caseworker_replies.waiting(connection, limit)


async def test_what_waits_is_soonest_due_first(application: Application) -> None:
    """Until it is answered; a reply waits for nobody."""
    await family(application)
    await write(application, "later", now=NOON + timedelta(days=1))
    await write(application, "sooner", participant=2)
    assert await waiting(application) == [
        Waiting(2, "Yolo", 2, NOON, date(2026, 11, 30)),
        Waiting(1, "Yolo", 1, NOON + timedelta(days=1), date(2026, 12, 1)),
    ]
    assert len(await waiting(application, 1)) == 1
    await reply(application, 2)
    assert [message.id for message in await waiting(application)] == [1]


@pytest.mark.parametrize(
    ("person", "route"),
    [
        (people.Person(paperless=True), [[["inbox", True], ["email", True]], [["mail", True]]]),
        (people.Person(), [[["email", True]], [["mail", True]]]),
        (people.Person(email=None), [[["mail", True]]]),
        (people.Person(email_safe=False), [[["mail", True]]]),
        (people.Person(confidential=True), [[["email", True]]]),
    ],
)
async def test_a_reply_is_told_as_its_reader_chose(
    application: Application, person: people.Person, route: list[object]
) -> None:
    """With its words, in the reader's language; a confidential reader's email is never followed by
    a letter."""
    await family(application)
    [reader] = await people.add(application.engine, replace(person, external_id="0000000003"))
    await execute(
        application,
        "INSERT INTO case_party (case_id, participant_id, role) VALUES (1, $1, 'payer')",
        reader,
    )
    await write(application, "question", participant=reader)
    replied = await reply(application, 1, "Dear Inés,\n\nyes.")
    assert (replied.id, replied.participant_id) == (2, reader)
    [told] = await fetch(
        application,
        f"SELECT id, notice, participant_id, language, {FACTS} AS facts, route::text, requested_at"
        " FROM communication",
    )
    assert told["id"] == replied.communication_id
    assert (told["notice"], told["participant_id"], told["language"]) == (
        "caseworker_reply",
        reader,
        "es",
    )
    assert json.loads(str(told["route"])) == route
    assert json.loads(str(told["facts"])) == {
        "name": "Inés Peña-Ibáñez",
        "body": "Dear Inés,\n\nyes.",
        "replied_on": "2026-11-23",
        "case_number": "000000000000001",
    }


async def test_a_message_is_answered_once(application: Application) -> None:
    """Unless it is asked for: of two at the same moment one is refused, and tells nobody."""
    await family(application)
    await write(application, "question")
    results = await asyncio.gather(
        *(reply(application, 1) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(result, Replied) for result in results) == 1
    assert all(isinstance(result, Replied) or "--again" in str(result) for result in results), (
        results
    )
    assert len(await fetch(application, "SELECT FROM communication")) == 1
    await reply(application, 1, "One thing more", again=True)
    [conversation] = await conversations(application)
    assert [message.body for message in conversation.threads[0].messages] == [
        "question",
        "An answer",
        "One thing more",
    ]
    assert len(await fetch(application, "SELECT FROM communication")) == 2


async def test_what_cannot_be_answered(application: Application) -> None:
    """A message that is not there, one that is a reply, and with words that cannot be taken."""
    await family(application)
    await write(application, "question")
    with pytest.raises(InputError, match="no message 9"):
        await reply(application, 9)
    with pytest.raises(InputError, match="body_too_long"):
        await reply(application, 1, "x" * 4001)
    await reply(application, 1)
    with pytest.raises(InputError, match="message 2 is a reply"):
        await reply(application, 2)


async def test_a_thread_is_whole_whichever_message_is_named(application: Application) -> None:
    """The question, its replies, and who asks; nothing of other threads."""
    await family(application)
    await write(application, "question")
    await write(application, "another")
    await reply(application, 1)
    async with application.engine.connect() as connection:
        by_question = await caseworker_replies.thread(connection, 1)
        by_reply = await caseworker_replies.thread(connection, 3)
        with pytest.raises(InputError, match="no message 4"):
            await caseworker_replies.thread(connection, 4)
    assert by_question == by_reply
    assert (by_question.name, by_question.participant_number) == ("Inés Peña-Ibáñez", "0000000001")
    assert [(message.staff, message.body) for message in by_question.messages] == [
        (None, "question"),
        ("r.ortiz", "An answer"),
    ]
    assert by_question.messages[0].written_at == datetime(2026, 11, 23, 20, tzinfo=UTC)
