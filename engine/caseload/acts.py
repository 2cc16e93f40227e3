"""What a participant does in the portal: one form, one transaction, one audit entry."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.clock import Clock
from engine.communications.outbox import Outbox, Transaction
from engine.database import driver_connection
from engine.errors import ConnectError
from engine.security.audit import Audit, Detail, Entry
from engine.security.sessions import Session, Sessions

_LOCK: Final = "SELECT FROM participant WHERE id = $1 FOR NO KEY UPDATE"
_ONCE: Final = """
INSERT INTO submission (participant_id, form, at) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING RETURNING true
"""
_FORGET: Final = "DELETE FROM submission WHERE at < $1"


class AlreadyDoneError(ConnectError):
    """This form was sent before: what it asked for is done, and nothing is done again."""


class SessionOverError(ConnectError):
    """The session ended while its form was on the way: nothing of it is done."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who does what, from where; `details` never hold a secret or the value of a contact."""

    session: Session
    name: str
    form: UUID
    network: str
    details: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(slots=True)
class Doing:
    """An act while it is done. `name` may still be made more precise; what turns out to be no
    change at all is `unchanged`, and not in the audit trail."""

    transaction: Transaction
    name: str
    unchanged: bool = False

    @property
    def connection(self) -> AsyncConnection:
        """The transaction's."""
        return self.transaction.connection


@dataclass(frozen=True, slots=True)
class Acts:
    """Opens the transactions in which participants change things."""

    outbox: Outbox
    audit: Audit
    sessions: Sessions
    clock: Clock

    @asynccontextmanager
    async def begin(self, act: Act) -> AsyncIterator[Doing]:
        """The transaction of `act`: all of it is done, and known to the audit trail, or nothing.

        A participant does one thing at a time: a second form waits here for the first. Raises
        AlreadyDoneError for a form that was sent before, and SessionOverError where its session
        ended meanwhile, as when its owner changed the PIN in another browser.
        """
        async with self.outbox.transaction() as transaction:
            driver = await driver_connection(transaction.connection)
            participant_id, now = act.session.participant_id, self.clock()
            await driver.execute(_LOCK, participant_id)
            if not await driver.fetchval(_ONCE, participant_id, act.form, now):
                raise AlreadyDoneError("the form was sent before")
            if not await self.sessions.still(transaction.connection, act.session):
                raise SessionOverError("the session ended before its form arrived")
            doing = Doing(transaction, act.name)
            yield doing
            if doing.unchanged:
                return
            await self.audit.append(
                transaction.connection,
                Entry(
                    actor=f"participant:{participant_id}",
                    act=doing.name,
                    participant_id=participant_id,
                    details=act.details,
                    network=act.network,
                ),
            )

    async def forget(self, connection: AsyncConnection) -> None:
        """Forms older than two days: the tokens they came with have long run out."""
        driver = await driver_connection(connection)
        await driver.execute(_FORGET, self.clock() - timedelta(days=2))
