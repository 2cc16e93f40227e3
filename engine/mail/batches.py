"""Closing a print batch: frozen in the database, composed, sealed, stored; then handed over.

Each step commits before the next begins, and each can be taken again: a close that was cut short
is finished by the next one, whoever calls it. After `stored` the bytes never change.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.calendar.business_days import add_business_days, is_business_day
from engine.clock import PACIFIC, Clock, pacific_date
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.states import Event
from engine.database import advisory_lock, driver_connection
from engine.errors import ConnectError
from engine.mail.contract import BatchName, Environment, piece_ids_sha256
from engine.mail.filing import Outgoing
from engine.mail.handover import Handover
from engine.mail.openpgp import require_usable_keys
from engine.mail.printing import Frozen, Printed, Printer, Progress

log: Final = structlog.get_logger()

CLOSES_AT: Final = time(17, 30)
"""Pacific time, on business days."""

MAIL_WITHIN: Final = 2
"""Business days the vendor has to mail a batch, counted from the day it is closed."""

PURGE_AFTER: Final = 30
"""Business days after `mail_by` until the vendor must have destroyed a batch's data."""

_ELSEWHERE: Final = "another process is emptying the store into the drop at this moment"

_UNFINISHED = "SELECT * FROM print_batch WHERE job = $1 AND state = 'closing' ORDER BY id"
_OPEN_BATCH = """
SELECT id FROM print_batch
WHERE job = $1 AND state = 'open' AND held_at IS NULL
  AND opened_at < coalesce($2::timestamptz, 'infinity')
FOR UPDATE
"""
_REPLACING_BATCH = """
SELECT id FROM print_batch
WHERE job = $1 AND state = 'replacing' AND env = $2
  AND EXISTS (SELECT FROM print_piece JOIN delivery ON delivery.id = delivery_id
              WHERE batch_id = print_batch.id AND delivery.state = 'batched')
ORDER BY id LIMIT 1 FOR UPDATE
"""
_FREEZE = """
UPDATE print_batch
SET state = 'closing', closed_at = $2, document_date = $3, mail_by = $4, name = $5,
    sequence = $6, previous_name = $7, env = $8, purge_by = $9
WHERE id = $1 AND state IN ('open', 'replacing')
RETURNING *
"""
_HOLD_CLOSING = "SELECT * FROM print_batch WHERE id = $1 AND state = 'closing' FOR UPDATE"
_STILL_BATCHED = """
SELECT id FROM delivery WHERE id = ANY($1::bigint[]) AND state = 'batched' ORDER BY id FOR UPDATE
"""
_STORE = """
UPDATE print_batch SET state = 'stored', pieces = $2, pages = $3, sheets = $4, bytes = $5,
       sha256 = $6, piece_ids_sha256 = $7, trouble = NULL
WHERE id = $1 AND state = 'closing'
RETURNING *
"""
_NUMBER = """
UPDATE print_piece SET seq = numbered.seq, pages = numbered.pages, sheets = numbered.sheets,
       contact_point = numbered.contact_point, confidential = numbered.confidential
FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::bigint[], $6::bool[])
     AS numbered (piece_id, seq, pages, sheets, contact_point, confidential)
WHERE print_piece.piece_id = numbered.piece_id
"""


_TROUBLE: Final = """
UPDATE print_batch SET trouble = $2 WHERE id = $1 AND state = 'closing'
"""
_LEFT: Final = "SELECT name FROM print_batch WHERE name = ANY($1::text[]) AND state = 'handed_over'"


class BatchBusyError(ConnectError):
    """Somebody else is closing a batch of this job at this moment; their close goes on."""


@dataclass(frozen=True, slots=True)
class ClosedBatch:
    """What was closed: it is with the vendor, or `waits` says why it is not."""

    name: str
    pieces: int
    pages: int
    sheets: int
    bytes: int
    sha256: str
    held: int
    waits: str | None = None


@dataclass(frozen=True, slots=True)
class PrintBatches:
    """The print batches of one job."""

    engine: AsyncEngine
    outcomes: Outcomes
    clock: Clock
    printer: Printer
    outgoing: Outgoing
    handover: Handover
    agency: str
    environment: Environment
    job: str

    async def close(
        self, opened_before: datetime | None = None, progress: Progress | None = None
    ) -> list[ClosedBatch]:
        """Finish what an earlier close left, then close the open batch; what was handed over.

        With `opened_before`, a batch that was opened later goes on gathering. Raises
        BatchBusyError while another close of this job runs, on whatever machine.
        """
        async with advisory_lock(self.engine, f"print_batch:{self.job}") as alone:
            if not alone:
                raise BatchBusyError(f"a batch of {self.job} is being closed already")
            closed = [await self._finish(batch, progress) for batch in await self._unfinished()]
            while replacing := await self._freeze(_REPLACING_BATCH, self.environment):
                closed.append(await self._finish(replacing, progress))
            if frozen := await self._freeze(_OPEN_BATCH, opened_before):
                closed.append(await self._finish(frozen, progress))
        stored = [batch for batch in closed if batch is not None]
        left = {item.name: item.waits for item in await self.handover.run()}
        left |= dict.fromkeys(await self._with_the_vendor(stored))
        return [replace(batch, waits=left.get(batch.name, _ELSEWHERE)) for batch in stored]

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

    async def _with_the_vendor(self, batches: Sequence[ClosedBatch]) -> list[str]:
        """Those of `batches` that have left, whoever handed them over."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            rows = await driver.fetch(_LEFT, [batch.name for batch in batches])
            return [row["name"] for row in rows]

    async def _unfinished(self) -> Sequence[Any]:
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            return list(await driver.fetch(_UNFINISHED, self.job))

    async def _freeze(self, statement: str, *arguments: Any) -> Any | None:
        """Close a batch to new letters, and give it its name; None if there is none with any."""
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            open_id = await driver.fetchval(statement, self.job, *arguments)
            if open_id is None or not await self._holds_letters(connection, open_id):
                return None
            # Before it is frozen: a batch whose keys have ended goes on gathering.
            keys, now = self.printer.keys(), self.clock()
            require_usable_keys(keys.signer(), keys.recipient(now), now)
            named = await self._named(connection)
            return await driver.fetchrow(_FREEZE, open_id, *named)

    async def _named(self, connection: AsyncConnection) -> tuple[Any, ...]:
        """What the job's next batch is called, and its dates, as _FREEZE takes them."""
        driver = await driver_connection(connection)
        now = self.clock()
        day = pacific_date(now)
        previous = await driver.fetchrow(
            "SELECT name, sequence FROM print_batch WHERE job = $1 AND env = $2"
            " AND sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1",
            self.job,
            self.environment,
        )
        of_the_day = await driver.fetchval(
            "SELECT count(*) FROM print_batch WHERE job = $1 AND document_date = $2 AND env = $3",
            self.job,
            day,
            self.environment,
        )
        mail_by = add_business_days(day, MAIL_WITHIN)
        return (
            now,
            day,
            mail_by,
            str(BatchName(self.agency, self.environment, self.job, day, of_the_day + 1)),
            previous["sequence"] + 1 if previous else 1,
            previous["name"] if previous else None,
            self.environment,
            add_business_days(mail_by, PURGE_AFTER),
        )

    async def _holds_letters(self, connection: AsyncConnection, batch_id: int) -> bool:
        driver = await driver_connection(connection)
        found = await driver.fetchval(
            "SELECT EXISTS (SELECT FROM print_piece JOIN delivery ON delivery.id = delivery_id"
            " WHERE batch_id = $1 AND delivery.state = 'batched')",
            batch_id,
        )
        return bool(found)

    async def _finish(self, batch: Any, progress: Progress | None) -> ClosedBatch | None:
        held = 0
        while batch is not None and batch["state"] == "closing":
            try:
                draft = self.outgoing.draft(batch["name"])
                printed = await self.printer.print(_frozen(batch), draft, progress)
                held += len(printed.held)
                batch = await self._store(batch, printed)
            except ConnectError as error:
                await self._record_trouble(batch, error)
                raise
        return _closed(batch, held) if batch is not None else None

    async def _record_trouble(self, batch: Any, error: ConnectError) -> None:
        """Say on the batch why it was not finished, for whoever looks; the next close tries it."""
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_TROUBLE, batch["id"], str(error))

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
            stored = await self._keep(connection, batch, printed)
            await asyncio.to_thread(self._keep_file, batch["name"], printed.sha256)
        log.info("batch_stored", batch=batch["name"], pieces=stored["pieces"])
        return stored

    def _keep_file(self, name: str, sha256: str) -> None:
        """Give the draft its name; BatchBusyError if it is not what we wrote: while we thought
        that we were alone, another close began the same file anew."""
        with suppress(FileNotFoundError):
            self.outgoing.keep(name)
        if self.outgoing.hash_of(name) != sha256:
            raise BatchBusyError(f"{name} is being written by another close: close it again")

    async def _hold(self, connection: AsyncConnection, held: Mapping[int, str]) -> None:
        """Hold the letters that were left out; they may be gathered again."""
        await self.outcomes.record(
            connection, [Outcome(delivery, Event.HELD, why) for delivery, why in held.items()]
        )
        driver = await driver_connection(connection)
        await driver.execute(
            "DELETE FROM print_piece WHERE delivery_id = ANY($1::bigint[]) AND NOT superseded",
            list(held),
        )

    async def _keep(self, connection: AsyncConnection, batch: Any, printed: Printed) -> Any:
        driver = await driver_connection(connection)
        await driver.execute(
            _NUMBER,
            [piece.piece_id for piece in printed.pieces],
            [piece.seq for piece in printed.pieces],
            [piece.pages for piece in printed.pieces],
            [piece.sheets for piece in printed.pieces],
            [piece.contact_point for piece in printed.pieces],
            [piece.confidential for piece in printed.pieces],
        )
        return await driver.fetchrow(
            _STORE,
            batch["id"],
            len(printed.pieces),
            printed.pages,
            printed.sheets,
            printed.bytes,
            printed.sha256,
            piece_ids_sha256(piece.piece_id for piece in printed.pieces),
        )


def _closed(batch: Any, held: int) -> ClosedBatch:
    return ClosedBatch(
        name=batch["name"],
        pieces=batch["pieces"],
        pages=batch["pages"],
        sheets=batch["sheets"],
        bytes=batch["bytes"],
        sha256=batch["sha256"],
        held=held,
    )


def _frozen(batch: Any) -> Frozen:
    return Frozen(
        id=batch["id"],
        name=BatchName.parse(batch["name"]),
        sequence=batch["sequence"],
        previous_name=batch["previous_name"],
        closed_at=batch["closed_at"],
        mail_by=batch["mail_by"],
        purge_by=batch["purge_by"],
        supersedes=batch["supersedes"],
    )
