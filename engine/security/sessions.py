"""Signed-in browsers: kept on the server, known by a token that only the browser holds."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.clock import Clock
from engine.database import driver_connection

TOKEN_BYTES: Final = 32
_SEEN_EVERY: Final = timedelta(seconds=20)
"""A session is marked as seen no oftener: reading a page is not to cost a write each time."""

_OPEN: Final = """
INSERT INTO portal_session (token_hash, participant_id, stage, opened_at, seen_at, ends_at)
VALUES ($1, $2, $3, $4, $4, $5) RETURNING id
"""
_FIND: Final = """
SELECT portal_session.id, portal_session.participant_id, stage, seen_at, ends_at,
       (SELECT count(*) FROM document WHERE document.participant_id = portal_session.participant_id
        AND opened_at IS NULL) AS unread
FROM portal_session
WHERE token_hash = $1 AND ended_at IS NULL AND ends_at > $2 AND seen_at > $3
"""
_SEEN: Final = "UPDATE portal_session SET seen_at = $2 WHERE id = $1 AND seen_at < $2"
_ROTATE: Final = """
UPDATE portal_session SET token_hash = $2, stage = $3, seen_at = $4
WHERE id = $1 AND ended_at IS NULL
"""
_END: Final = "UPDATE portal_session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL"
_END_ALL: Final = """
UPDATE portal_session SET ended_at = $2
WHERE participant_id = $1 AND ended_at IS NULL AND id IS DISTINCT FROM $3
"""
_FORGET: Final = "DELETE FROM portal_session WHERE ends_at < $1"


class Stage(StrEnum):
    """How far a browser is signed in."""

    PIN_CHANGE = "pin_change"
    """By a temporary PIN: the next thing, and the only one, is to choose a PIN of one's own."""
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in. `unread` documents wait for its reader."""

    id: int
    participant_id: int
    stage: Stage
    token: str = field(repr=False)
    ends_at: datetime
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Sessions:
    """Opens, finds and ends them. `idle` is how long one lasts when nothing is asked for, `whole`
    how long at most (OWASP ASVS 4.0.3, 3.3)."""

    clock: Clock
    idle: timedelta
    whole: timedelta

    async def open(self, connection: AsyncConnection, participant_id: int, stage: Stage) -> Session:
        """A new session, under a new token."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self.clock()
        driver = await driver_connection(connection)
        id_ = await driver.fetchval(
            _OPEN, _hashed(token), participant_id, stage, now, now + self.whole
        )
        return Session(id_, participant_id, stage, token, now + self.whole)

    async def find(self, connection: AsyncConnection, token: str) -> Session | None:
        """The live session of `token`, which has now been seen; None for any other token."""
        now = self.clock()
        driver = await driver_connection(connection)
        row = await driver.fetchrow(_FIND, _hashed(token), now, now - self.idle)
        if row is None:
            return None
        if now - row["seen_at"] >= _SEEN_EVERY:
            await driver.execute(_SEEN, row["id"], now)
        return Session(
            row["id"], row["participant_id"], Stage(row["stage"]), token, row["ends_at"],
            row["unread"],
        )  # fmt: skip

    async def rotate(self, connection: AsyncConnection, session: Session, stage: Stage) -> Session:
        """The same session at `stage`, under a new token; the old token is worth nothing."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        driver = await driver_connection(connection)
        await driver.execute(_ROTATE, session.id, _hashed(token), stage, self.clock())
        return Session(
            session.id, session.participant_id, stage, token, session.ends_at, session.unread
        )

    async def end(self, connection: AsyncConnection, session: Session) -> None:
        """The session is over."""
        driver = await driver_connection(connection)
        await driver.execute(_END, session.id, self.clock())

    async def end_others(
        self, connection: AsyncConnection, participant_id: int, kept: Session | None = None
    ) -> None:
        """Every session of the participant is over, but the one that is `kept`."""
        driver = await driver_connection(connection)
        await driver.execute(_END_ALL, participant_id, self.clock(), kept.id if kept else None)

    async def forget(self, connection: AsyncConnection) -> None:
        """Remove what ended a day ago or earlier; the audit trail says who was signed in when."""
        driver = await driver_connection(connection)
        await driver.execute(_FORGET, self.clock() - timedelta(days=1))


def _hashed(token: str) -> bytes:
    """A token is 256 random bits: one plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
