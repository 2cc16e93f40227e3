"""Replies of caseworkers: what waits for one, by when, and how it is told."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload import personal
from engine.caseload.caseworker_messages import refuse_fault
from engine.caseload.notices import READER, route_of
from engine.caseload.personal import MESSAGE, NAME
from engine.clock import pacific_date
from engine.communications.catalogue import CASEWORKER_REPLY, CaseworkerReplyFacts
from engine.communications.outbox import Obligation, Transaction
from engine.database import driver_connection
from engine.errors import InputError
from engine.security.sealed_columns import box_of, clear_of, key_of

_WAITING: Final = """
SELECT question.id, county, participant_id, written_at, reply_due
FROM caseworker_message AS question JOIN support_case ON support_case.id = case_id
WHERE author = 'participant'
      AND NOT EXISTS (SELECT FROM caseworker_message AS reply WHERE reply.answers_id = question.id)
ORDER BY reply_due, question.id LIMIT $1
"""
_THREAD: Final = f"""
WITH asked AS (SELECT coalesce(answers_id, id) AS id FROM caseworker_message WHERE id = $1)
SELECT id, staff, {MESSAGE.read()} AS body, written_at, reply_due, read_at FROM caseworker_message
WHERE id = (SELECT id FROM asked) OR answers_id = (SELECT id FROM asked) ORDER BY id
"""  # noqa: S608  joined from constants of ours
_ABOUT: Final = f"""
SELECT participant_id, participant.external_id AS participant_number, language,
       {NAME} AS name, support_case.external_id AS case_number, county
FROM caseworker_message
JOIN participant ON participant.id = participant_id
JOIN support_case ON support_case.id = case_id
WHERE caseworker_message.id = $1
"""  # noqa: S608  joined from constants of ours
_QUESTION: Final = f"""
SELECT author, participant_id, case_id, support_case.external_id AS case_number, {READER},
       EXISTS (SELECT FROM caseworker_message AS reply
               WHERE reply.answers_id = question.id) AS answered
FROM caseworker_message AS question
JOIN participant ON participant.id = participant_id
JOIN support_case ON support_case.id = case_id
WHERE question.id = $1
"""  # noqa: S608  joined from constants of ours
_REPLY: Final = f"""
INSERT INTO caseworker_message (participant_id, case_id, author, staff, sealed_body, body_key_id,
                                written_at, answers_id, body)
VALUES ($1, $2, 'caseworker', $3, {box_of("$4::json")}, {key_of("$4::json")}, $5, $6,
        {clear_of("$4::json")}) RETURNING id
"""  # noqa: S608  joined from constants of ours


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that nobody answered yet."""

    id: int
    county: str
    participant_id: int
    written_at: datetime
    reply_due: date


@dataclass(frozen=True, slots=True)
class StaffMessage:
    """One message as staff see it."""

    id: int
    staff: str | None
    body: str
    written_at: datetime
    reply_due: date | None
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class StaffThread:
    """A question with its answers, and who asks about which case."""

    participant_id: int
    participant_number: str
    name: str
    language: str
    case_number: str
    county: str
    messages: tuple[StaffMessage, ...]


@dataclass(frozen=True, slots=True)
class Replied:
    """A reply that was written, and the communication that tells of it."""

    id: int
    participant_id: int
    communication_id: int


async def waiting(connection: AsyncConnection, limit: int) -> list[Waiting]:
    """What nobody answered yet, soonest due first."""
    driver = await driver_connection(connection)
    return [Waiting(**row) for row in await driver.fetch(_WAITING, limit)]


async def thread(connection: AsyncConnection, message_id: int) -> StaffThread:
    """The thread that a message is in, for staff. Raises InputError where there is none."""
    driver = await driver_connection(connection)
    about = await driver.fetchrow(_ABOUT, message_id)
    if about is None:
        raise _no_message(message_id)
    rows = await driver.fetch(_THREAD, message_id)
    messages = tuple(StaffMessage(**row) for row in rows)
    return StaffThread(**about, messages=messages)


async def reply(
    transaction: Transaction,
    message_id: int,
    staff: str,
    body: str,
    now: datetime,
    *,
    again: bool = False,
) -> Replied:
    """Answer a message, and owe its writer a `caseworker_reply`. Raises InputError for words
    with a fault, for what is no participant's message, and for one that was answered, unless
    it is to be answered `again`."""
    refuse_fault(body)
    driver = await driver_connection(transaction.connection)
    await driver.execute(
        "SELECT FROM caseworker_message WHERE id = $1 FOR NO KEY UPDATE", message_id
    )
    question = await driver.fetchrow(_QUESTION, message_id)
    if question is None:
        raise _no_message(message_id)
    if question["author"] != "participant":
        raise InputError(f"message {message_id} is a reply: answer the message it replies to")
    if question["answered"] and not again:
        raise InputError(
            f"message {message_id} was answered already; to answer it once more: --again"
        )
    owner, case_id = question["participant_id"], question["case_id"]
    sealed = personal.message(owner, case_id, "caseworker", body)
    reply_id = await driver.fetchval(_REPLY, owner, case_id, staff, sealed, now, message_id)
    communication_id = await transaction.record(_told(question, reply_id, body, now))
    assert communication_id is not None  # noqa: S101  the key holds the number of a new row
    return Replied(reply_id, question["participant_id"], communication_id)


def _no_message(message_id: int) -> InputError:
    return InputError(f"there is no message {message_id}; see: connect staff messages")


def _told(question: Any, reply_id: int, body: str, now: datetime) -> Obligation:
    return Obligation(
        key=f"caseworker_reply:{reply_id}",
        notice=CASEWORKER_REPLY,
        participant_id=question["participant_id"],
        language=question["language"],
        facts=CaseworkerReplyFacts(
            name=question["name"],
            body=body,
            replied_on=pacific_date(now),
            case_number=question["case_number"],
        ),
        route=route_of(
            enrolled=question["paperless"],
            by_email=question["has_email"],
            confidential=question["confidential"],
        ),
        requested_at=now,
    )
