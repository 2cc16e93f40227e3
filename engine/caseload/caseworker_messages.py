"""Messages between a participant and the caseworker of a case: a question, and what answers it.

The two parties of a case each have a conversation of their own: neither sees the other's.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.calendar.deadlines import due_by
from engine.caseload import personal
from engine.caseload.personal import MESSAGE
from engine.communications.outbox import Transaction
from engine.database import driver_connection
from engine.errors import InputError
from engine.security.sealed_columns import box_of, clear_of, key_of

BODY_MOST: Final = 4_000
"""Characters."""

_CASES: Final = """
SELECT support_case.id, external_id FROM case_party JOIN support_case ON support_case.id = case_id
WHERE participant_id = $1 ORDER BY status DESC, opened_on DESC, support_case.id
"""
_WRITE: Final = f"""
INSERT INTO caseworker_message (participant_id, case_id, author, sealed_body, body_key_id,
                                written_at, reply_due, body)
SELECT participant_id, case_id, 'participant', {box_of("$3::json")}, {key_of("$3::json")}, $4, $5,
       {clear_of("$3::json")}
FROM case_party WHERE participant_id = $1 AND case_id = $2
RETURNING id
"""  # noqa: S608  joined from constants of ours
# The thread that was written to last comes first, in the case that was written to last.
_CONVERSATION: Final = f"""
WITH thread AS (
    SELECT id, case_id, greatest(id, (SELECT max(id) FROM caseworker_message AS reply
                                      WHERE reply.answers_id = question.id)) AS latest
    FROM caseworker_message AS question
    WHERE participant_id = $1 AND answers_id IS NULL AND ($2::bigint IS NULL OR case_id = $2)
), ranked AS (
    SELECT id, latest, row_number() OVER (PARTITION BY case_id ORDER BY latest DESC) AS rank,
           count(*) OVER (PARTITION BY case_id) AS total,
           max(latest) OVER (PARTITION BY case_id) AS case_latest
    FROM thread
)
SELECT message.id, message.case_id, external_id AS case_number, author,
       {MESSAGE.read("message")} AS body, written_at, reply_due, read_at, ranked.id AS thread, total
FROM ranked
JOIN caseworker_message AS message ON coalesce(message.answers_id, message.id) = ranked.id
JOIN support_case ON support_case.id = message.case_id
WHERE message.participant_id = $1 AND rank > $3 AND rank <= $3 + $4
ORDER BY case_latest DESC, latest DESC, message.id
"""  # noqa: S608  joined from constants of ours
_READ: Final = """
UPDATE caseworker_message SET read_at = $3
WHERE participant_id = $1 AND id = ANY($2::bigint[]) AND author = 'caseworker' AND read_at IS NULL
"""
_UNREAD: Final = """
SELECT count(*) FROM caseworker_message
WHERE participant_id = $1 AND author = 'caseworker' AND read_at IS NULL
"""


class BodyFault(StrEnum):
    """What is wrong with the words of a message."""

    MISSING = "body_missing"
    TOO_LONG = "body_too_long"
    UNREADABLE = "body_unreadable"


@dataclass(frozen=True, slots=True)
class MyCase:
    """A case of the reader's."""

    id: int
    number: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message as its reader sees it; `unread` is a reply that was not shown before."""

    id: int
    from_caseworker: bool
    body: str
    written_at: datetime
    reply_due: date | None
    unread: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """A question, and what answers it, in the order in which they were written."""

    messages: tuple[Message, ...]

    @property
    def reply_due(self) -> date | None:
        """By when an answer is due; None where there is one."""
        answered = any(message.from_caseworker for message in self.messages)
        return None if answered else self.messages[0].reply_due


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was written about one case, the thread that was written to last first; of `total`."""

    case_id: int
    case_number: str
    threads: tuple[Thread, ...]
    total: int


@dataclass(frozen=True, slots=True)
class CaseworkerMessages:
    """The participant's side. A reply is promised within `reply_days` business days."""

    reply_days: int

    async def cases(self, connection: AsyncConnection, participant_id: int) -> list[MyCase]:
        """The cases a participant may write about, open ones first."""
        driver = await driver_connection(connection)
        rows = await driver.fetch(_CASES, participant_id)
        return [MyCase(row["id"], row["external_id"]) for row in rows]

    async def write(
        self,
        transaction: Transaction,
        participant_id: int,
        case_id: int,
        body: str,
        now: datetime,
    ) -> date | None:
        """Take down a message; the day by which it is to be answered, or None where the case is
        not one of the participant's. Raises InputError for words with a fault."""
        refuse_fault(body)
        due = due_by(now, self.reply_days)
        driver = await driver_connection(transaction.connection)
        sealed = personal.message(participant_id, case_id, "participant", body)
        written = await driver.fetchval(_WRITE, participant_id, case_id, sealed, now, due)
        return due if written is not None else None

    async def conversations(
        self,
        connection: AsyncConnection,
        participant_id: int,
        *,
        limit: int,
        offset: int = 0,
        case_id: int | None = None,
    ) -> list[Conversation]:
        """What the participant and the caseworkers wrote, by case: `limit` threads of each,
        `offset` later ones left out; of one case, or of all. One statement, however much it is."""
        driver = await driver_connection(connection)
        rows = await driver.fetch(_CONVERSATION, participant_id, case_id, offset, limit)
        by_case: dict[int, dict[int, list[Any]]] = {}
        for row in rows:
            by_case.setdefault(row["case_id"], {}).setdefault(row["thread"], []).append(row)
        return [_conversation(threads) for threads in by_case.values()]

    async def read(
        self,
        connection: AsyncConnection,
        participant_id: int,
        shown: Sequence[Conversation],
        now: datetime,
    ) -> None:
        """The replies in what was `shown` are read from now on."""
        unread = [
            message.id
            for conversation in shown
            for thread in conversation.threads
            for message in thread.messages
            if message.unread
        ]
        if unread:
            driver = await driver_connection(connection)
            await driver.execute(_READ, participant_id, unread, now)

    async def unread(self, connection: AsyncConnection, participant_id: int) -> int:
        """How many replies were not shown to the participant yet."""
        driver = await driver_connection(connection)
        number: int = await driver.fetchval(_UNREAD, participant_id)
        return number


def tidy(typed: str) -> str:
    """The words of a message with one kind of line break (forms send CR LF) and no blank edge."""
    return typed.replace("\r\n", "\n").replace("\r", "\n").strip()


def body_fault(body: str) -> BodyFault | None:
    """What is wrong with the words of a message, once they are tidy."""
    if not body:
        return BodyFault.MISSING
    if len(body) > BODY_MOST:
        return BodyFault.TOO_LONG
    if any(unicodedata.category(mark) in {"Cc", "Cs"} and mark not in "\n\t" for mark in body):
        return BodyFault.UNREADABLE
    return None


def refuse_fault(body: str) -> None:
    """Raise InputError for words with a fault."""
    fault = body_fault(body)
    if fault is not None:
        raise InputError(
            f"the words of the message cannot be taken ({fault}): from 1 to {BODY_MOST} "
            "characters, and no control characters"
        )


def _conversation(threads: dict[int, list[Any]]) -> Conversation:
    first = next(iter(threads.values()))[0]
    return Conversation(
        first["case_id"],
        first["case_number"],
        tuple(Thread(tuple(_message(row) for row in rows)) for rows in threads.values()),
        first["total"],
    )


def _message(row: Any) -> Message:
    from_caseworker = row["author"] == "caseworker"
    return Message(
        id=row["id"],
        from_caseworker=from_caseworker,
        body=row["body"],
        written_at=row["written_at"],
        reply_due=row["reply_due"],
        unread=from_caseworker and row["read_at"] is None,
    )
