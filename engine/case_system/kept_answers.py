"""Answers, kept for when their request comes again (draft-ietf-httpapi-idempotency-key-header).

The answer is kept in the transaction that did what was asked: there is no request that was carried
out and is not remembered, nor one that is remembered and was not carried out. What was refused is
not kept: nothing came of it, and it may be asked again.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.clock import Clock
from engine.database import driver_connection

_ALONE: Final = "SELECT pg_try_advisory_xact_lock($1)"
_KNOWN: Final = """
SELECT request, status, location, body FROM kept_answer WHERE api_key_id = $1 AND key = $2
"""
_KEEP: Final = """
INSERT INTO kept_answer (api_key_id, key, request, status, location, body, kept_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


class StillAtWorkError(Exception):
    """A request under the same key is being worked on at this moment."""


class OtherRequestError(Exception):
    """Something else was asked under the same key before."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, the path of what was made, and a body."""

    status: int
    location: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A request that may come again: whose it is, under which key, and what is asked, in bytes."""

    key_id: int
    key: str
    request: bytes

    @property
    def key_digest(self) -> bytes:
        """What is kept of the key."""
        return hashlib.sha256(f"{self.key_id}:{self.key}".encode()).digest()

    @property
    def request_digest(self) -> bytes:
        """What is kept of the request."""
        return hashlib.sha256(self.request).digest()


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """Keeps them."""

    clock: Clock

    async def known(self, connection: AsyncConnection, asked: Repeatable) -> Answer | None:
        """What `asked` was answered, if it was asked before; until the transaction's end nobody
        else works on it. Raises StillAtWorkError where somebody does, and OtherRequestError."""
        driver = await driver_connection(connection)
        key = asked.key_digest
        if not await driver.fetchval(_ALONE, int.from_bytes(key[:8], signed=True)):
            raise StillAtWorkError
        row = await driver.fetchrow(_KNOWN, asked.key_id, key)
        if row is None:
            return None
        if row["request"] != asked.request_digest:
            raise OtherRequestError
        return Answer(row["status"], row["location"], row["body"])

    async def keep(self, connection: AsyncConnection, asked: Repeatable, answer: Answer) -> None:
        """Keep what `asked` is answered, in the transaction that does it."""
        driver = await driver_connection(connection)
        told = (asked.key_digest, asked.request_digest, answer.status, answer.location, answer.body)
        await driver.execute(_KEEP, asked.key_id, *told, self.clock())
