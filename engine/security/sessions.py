"""Signed-in browsers: kept on the server, known by a token that only the browser holds."""

import hashlib
import secrets
from dataclasses import dataclass, field, replace
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
INSERT INTO portal_session
       (token_hash, participant_id, stage, opened_at, seen_at, ends_at, credential_id)
VALUES ($1, $2, $3, $4, $4, $5, $6) RETURNING id
"""
# A session is over, too, when the PIN that it was opened with works no more.
_LIVE: Final = """
token_hash = $1 AND ended_at IS NULL AND ends_at > $2 AND seen_at > $3
AND (credential_id IS NULL OR EXISTS (SELECT FROM pin_credential WHERE id = credential_id
     AND used_at IS NULL AND voided_at IS NULL))
"""
_FIND: Final = f"""
SELECT portal_session.id, portal_session.participant_id, stage, seen_at, ends_at, credential_id,
       (SELECT count(*) FROM document WHERE document.participant_id = portal_session.participant_id
        AND opened_at IS NULL) AS unread
FROM portal_session WHERE {_LIVE} AND stage = ANY($4::text[])
"""  # noqa: S608  joined from constants of this module
_STILL: Final = f"""
SELECT EXISTS (SELECT FROM portal_session WHERE {_LIVE} AND stage = $4)
"""  # noqa: S608  likewise
_SEEN: Final = "UPDATE portal_session SET seen_at = $2 WHERE id = $1 AND seen_at < $2"
_ROTATE: Final = """
UPDATE portal_session SET token_hash = $2, stage = $3, seen_at = $4, credential_id = $5
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
    APPLICANT = "applicant"
    """By username and password, to the application site: no PIN session, and none becomes one."""


BY_PIN: Final = (Stage.PIN_CHANGE, Stage.FULL)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in, with the PIN of `credential_id`. `unread` documents wait for
    its reader."""

    id: int
    participant_id: int
    stage: Stage
    token: str = field(repr=False)
    ends_at: datetime
    credential_id: int | None = None
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Sessions:
    """Opens, finds and ends them. `idle` is how long one lasts when nothing is asked for, `whole`
    how long at most (OWASP ASVS 4.0.3, 3.3). Those at other `stages` are not found: what was opened
    at one of the two doors is worth nothing at the other."""

    clock: Clock
    idle: timedelta
    whole: timedelta
    stages: tuple[Stage, ...] = BY_PIN

    async def open(
        self,
        connection: AsyncConnection,
        participant_id: int,
        stage: Stage,
        credential_id: int | None = None,
    ) -> Session:
        """A new session, under a new token; over as soon as the PIN of `credential_id` is."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self.clock()
        driver = await driver_connection(connection)
        id_ = await driver.fetchval(
            _OPEN, _hashed(token), participant_id, stage, now, now + self.whole, credential_id
        )
        return Session(id_, participant_id, stage, token, now + self.whole, credential_id)

    async def find(self, connection: AsyncConnection, token: str) -> Session | None:
        """The live session of `token`, which has now been seen; None for any other token."""
        now = self.clock()
        driver = await driver_connection(connection)
        row = await driver.fetchrow(_FIND, _hashed(token), now, now - self.idle, list(self.stages))
        if row is None:
            return None
        if now - row["seen_at"] >= _SEEN_EVERY:
            await driver.execute(_SEEN, row["id"], now)
        return Session(
            row["id"], row["participant_id"], Stage(row["stage"]), token, row["ends_at"],
            row["credential_id"], row["unread"],
        )  # fmt: skip

    async def still(self, connection: AsyncConnection, session: Session) -> bool:
        """Whether `session`, which was found a while ago, is still what it was then."""
        now = self.clock()
        driver = await driver_connection(connection)
        live: bool = await driver.fetchval(
            _STILL, _hashed(session.token), now, now - self.idle, session.stage
        )
        return live

    async def rotate(
        self, connection: AsyncConnection, session: Session, stage: Stage, credential_id: int | None
    ) -> Session:
        """The same session at `stage`, under a new token and the PIN that took the older one's
        place; the old token is worth nothing."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        driver = await driver_connection(connection)
        await driver.execute(
            _ROTATE, session.id, _hashed(token), stage, self.clock(), credential_id
        )
        return replace(session, stage=stage, token=token, credential_id=credential_id)

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
