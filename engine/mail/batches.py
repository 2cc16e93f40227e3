"""Closing a print batch: frozen in the database, composed, sealed, stored, handed over.

Each step commits before the next begins, and each can be taken again: a close that was cut short
is finished by the next one, whoever calls it. After `stored` the bytes never change.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.calendar.business_days import add_business_days, is_business_day
from engine.clock import PACIFIC, Clock, pacific_date
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.states import Event
from engine.database import driver_connection
from engine.errors import ConnectError
from engine.mail.contract import BatchName, Done, Environment, sha256
from engine.mail.filing import Outgoing
from engine.mail.printing import Frozen, Printed, Printer

log: Final = structlog.get_logger()

CLOSES_AT: Final = time(17, 30)
"""Pacific time, on business days."""

MAIL_WITHIN: Final = 2
"""Business days the vendor has to mail a batch, counted from the day it is closed."""

_UNFINISHED = """
SELECT * FROM print_batch WHERE job = $1 AND state IN ('closing', 'stored') ORDER BY id
"""
_OPEN_BATCH = """
SELECT id FROM print_batch
WHERE job = $1 AND state = 'open' AND opened_at < coalesce($2::timestamptz, 'infinity')
FOR UPDATE
"""
_FREEZE = """
UPDATE print_batch
SET state = 'closing', closed_at = $2, document_date = $3, mail_by = $4, name = $5,
    sequence = $6, previous_name = $7
WHERE id = $1 AND state = 'open'
RETURNING *
"""
_HOLD_CLOSING = "SELECT * FROM print_batch WHERE id = $1 AND state = 'closing' FOR UPDATE"
_STILL_BATCHED = """
SELECT id FROM delivery WHERE id = ANY($1::bigint[]) AND state = 'batched' ORDER BY id FOR UPDATE
"""
_STORE = """
UPDATE print_batch SET state = 'stored', pieces = $2, pages = $3, sheets = $4, bytes = $5,
       sha256 = $6
WHERE id = $1 AND state = 'closing'
RETURNING *
"""
_HANDED_OVER = """
UPDATE print_batch SET state = 'handed_over', handed_over_at = $2
WHERE id = $1 AND state = 'stored'
"""
_NUMBER = """
UPDATE print_piece SET seq = numbered.seq, pages = numbered.pages, sheets = numbered.sheets
FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[]) AS numbered (piece_id, seq, pages, sheets)
WHERE print_piece.piece_id = numbered.piece_id
"""


class BatchBusyError(ConnectError):
    """Somebody else is closing a batch of this job at this moment; their close goes on."""


class BatchAlarmError(ConnectError):
    """What is stored is not what was frozen: nothing is sent until a person has looked."""


@dataclass(frozen=True, slots=True)
class ClosedBatch:
    """What was handed over."""

    name: str
    pieces: int
    pages: int
    sheets: int
    bytes: int
    sha256: str
    held: int
    folder: Path


@dataclass(frozen=True, slots=True)
class PrintBatches:
    """The print batches of one job."""

    engine: AsyncEngine
    outcomes: Outcomes
    clock: Clock
    printer: Printer
    outgoing: Outgoing
    agency: str
    environment: Environment
    job: str

    async def close(self, opened_before: datetime | None = None) -> list[ClosedBatch]:
        """Finish what an earlier close left, then close the open batch; what was handed over.

        With `opened_before`, a batch that was opened later goes on gathering. Raises
        BatchBusyError while another close of this job runs, on whatever machine.
        """
        async with self._alone():
            closed = [await self._finish(batch) for batch in await self._unfinished()]
            if frozen := await self._freeze(opened_before):
                closed.append(await self._finish(frozen))
        return [batch for batch in closed if batch is not None]

    async def close_when_due(self) -> list[ClosedBatch]:
        """What the clock asks every minute: after CLOSES_AT on a business day, close what was
        opened before it, and finish what was cut short, whenever that was."""
        now = self.clock().astimezone(PACIFIC)
        deadline = datetime.combine(now.date(), CLOSES_AT, tzinfo=PACIFIC)
        if not is_business_day(now.date()) or now < deadline:
            return []
        try:
            return await self.close(opened_before=deadline)
        except BatchBusyError:
            return []

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Hold the job's advisory lock; PostgreSQL drops it with the connection if we die."""
        async with self.engine.connect() as connection:
            held = await connection.execution_options(isolation_level="AUTOCOMMIT")
            key = {"job": f"print_batch:{self.job}"}
            lock = text("SELECT pg_try_advisory_lock(hashtextextended(:job, 0))")
            if not await held.scalar(lock, key):
                raise BatchBusyError(f"a batch of {self.job} is being closed already")
            try:
                yield
            finally:
                await held.execute(
                    text("SELECT pg_advisory_unlock(hashtextextended(:job, 0))"), key
                )

    async def _unfinished(self) -> Sequence[Any]:
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            return list(await driver.fetch(_UNFINISHED, self.job))

    async def _freeze(self, opened_before: datetime | None) -> Any | None:
        """Close the open batch to new letters, and give it its name; None if it holds none."""
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            open_id = await driver.fetchval(_OPEN_BATCH, self.job, opened_before)
            if open_id is None or not await self._holds_letters(connection, open_id):
                return None
            now = self.clock()
            day = pacific_date(now)
            previous = await driver.fetchrow(
                "SELECT name, sequence FROM print_batch WHERE job = $1 AND sequence IS NOT NULL"
                " ORDER BY sequence DESC LIMIT 1",
                self.job,
            )
            of_the_day = await driver.fetchval(
                "SELECT count(*) FROM print_batch WHERE job = $1 AND document_date = $2",
                self.job,
                day,
            )
            return await driver.fetchrow(
                _FREEZE,
                open_id,
                now,
                day,
                add_business_days(day, MAIL_WITHIN),
                str(BatchName(self.agency, self.environment, self.job, day, of_the_day + 1)),
                previous["sequence"] + 1 if previous else 1,
                previous["name"] if previous else None,
            )

    async def _holds_letters(self, connection: AsyncConnection, batch_id: int) -> bool:
        driver = await driver_connection(connection)
        found = await driver.fetchval(
            "SELECT EXISTS (SELECT FROM print_piece JOIN delivery ON delivery.id = delivery_id"
            " WHERE batch_id = $1 AND delivery.state = 'batched')",
            batch_id,
        )
        return bool(found)

    async def _finish(self, batch: Any) -> ClosedBatch | None:
        held = 0
        while batch is not None and batch["state"] == "closing":
            printed = await self.printer.print(_frozen(batch))
            held += len(printed.held)
            batch = await self._store(batch, printed)
        return await self._hand_over(batch, held) if batch is not None else None

    async def _store(self, batch: Any, printed: Printed) -> Any | None:
        """Keep the ciphertext, with its hash and its pieces; None where no letter was left.

        What was cancelled while it was being printed must not leave: then nothing is kept, the
        batch is handed back as it was, and is printed again.
        """
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            current = await driver.fetchrow(_HOLD_CLOSING, batch["id"])
            if current is None:
                raise BatchBusyError(f"{batch['name']} was finished by another close")
            await self._hold(connection, printed.held)
            deliveries = [piece.delivery_id for piece in printed.pieces]
            if len(await driver.fetch(_STILL_BATCHED, deliveries)) != len(deliveries):
                return current
            if not printed.pieces:
                await driver.execute("DELETE FROM print_piece WHERE batch_id = $1", batch["id"])
                await driver.execute("DELETE FROM print_batch WHERE id = $1", batch["id"])
                return None
            self.outgoing.store(batch["name"], printed.ciphertext)
            stored = await self._keep(connection, batch, printed)
        log.info("batch_stored", batch=batch["name"], pieces=stored["pieces"])
        return stored

    async def _hold(self, connection: AsyncConnection, held: Mapping[int, str]) -> None:
        """Hold the letters that were left out; they may be gathered again."""
        await self.outcomes.record(
            connection, [Outcome(delivery, Event.HELD, why) for delivery, why in held.items()]
        )
        driver = await driver_connection(connection)
        await driver.execute(
            "DELETE FROM print_piece WHERE delivery_id = ANY($1::bigint[])", list(held)
        )

    async def _keep(self, connection: AsyncConnection, batch: Any, printed: Printed) -> Any:
        driver = await driver_connection(connection)
        await driver.execute(
            _NUMBER,
            [piece.piece_id for piece in printed.pieces],
            [piece.seq for piece in printed.pieces],
            [piece.pages for piece in printed.pieces],
            [piece.sheets for piece in printed.pieces],
        )
        return await driver.fetchrow(
            _STORE,
            batch["id"],
            len(printed.pieces),
            printed.pages,
            printed.sheets,
            len(printed.ciphertext),
            sha256(printed.ciphertext),
        )

    async def _hand_over(self, batch: Any, held: int) -> ClosedBatch:
        """Announce what is stored, if it still is what was stored, and record the hand-over."""
        name = batch["name"]
        if self.outgoing.hash_of(name) != batch["sha256"]:
            raise BatchAlarmError(
                f"{name}: the stored ciphertext does not have the hash that was recorded"
            )
        done = Done(
            batch_id=name,
            bytes=batch["bytes"],
            sha256=batch["sha256"],
            pieces=batch["pieces"],
            sheets=batch["sheets"],
        )
        self.outgoing.announce(name, batch["sha256"], done.to_json())
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_HANDED_OVER, batch["id"], self.clock())
            deliveries = await driver.fetch(
                "SELECT delivery_id FROM print_piece WHERE batch_id = $1 AND seq IS NOT NULL",
                batch["id"],
            )
            await self.outcomes.record(
                connection,
                [Outcome(row["delivery_id"], Event.HANDED_OVER, name) for row in deliveries],
            )
        log.info("batch_handed_over", batch=name, pieces=batch["pieces"])
        return ClosedBatch(
            name=name,
            pieces=batch["pieces"],
            pages=batch["pages"],
            sheets=batch["sheets"],
            bytes=batch["bytes"],
            sha256=batch["sha256"],
            held=held,
            folder=self.outgoing.folder,
        )


def _frozen(batch: Any) -> Frozen:
    return Frozen(
        id=batch["id"],
        name=BatchName.parse(batch["name"]),
        sequence=batch["sequence"],
        previous_name=batch["previous_name"],
        closed_at=batch["closed_at"],
        mail_by=batch["mail_by"],
    )
