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
from engine.security.audit import Audit, Entry

_ONCE: Final = """
INSERT INTO submission (participant_id, form, at) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING RETURNING true
"""
_FORGET: Final = "DELETE FROM submission WHERE at < $1"


class AlreadyDoneError(ConnectError):
    """This form was sent before: what it asked for is done, and nothing is done again."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who does what, from where; `details` never hold a secret or the value of a contact."""

    participant_id: int
    name: str
    form: UUID
    network: str
    details: Mapping[str, str | int | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Acts:
    """Opens the transactions in which participants change things."""

    outbox: Outbox
    audit: Audit
    clock: Clock

    @asynccontextmanager
    async def begin(self, act: Act) -> AsyncIterator[Transaction]:
        """The transaction of `act`: all of it is done, and known to the audit trail, or nothing.

        Raises AlreadyDoneError for a form that was sent before; one that is sent twice at the same
        moment waits here for the first to be done.
        """
        async with self.outbox.transaction() as transaction:
            driver = await driver_connection(transaction.connection)
            now = self.clock()
            if not await driver.fetchval(_ONCE, act.participant_id, act.form, now):
                raise AlreadyDoneError("the form was sent before")
            yield transaction
            await self.audit.append(
                transaction.connection,
                Entry(
                    actor=f"participant:{act.participant_id}",
                    act=act.name,
                    participant_id=act.participant_id,
                    details=act.details,
                    network=act.network,
                ),
            )

    async def forget(self, connection: AsyncConnection) -> None:
        """Forms older than two days: the tokens they came with have long run out."""
        driver = await driver_connection(connection)
        await driver.execute(_FORGET, self.clock() - timedelta(days=2))
