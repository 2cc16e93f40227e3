"""Hands stored batches, and orders about them, to the vendor's drop: in order, verified, once."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.clock import Clock
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.states import Event
from engine.database import advisory_lock, driver_connection
from engine.errors import ConnectError
from engine.mail.contract import Done, Environment, sha256
from engine.mail.drops.port import Drop, DropUnavailableError
from engine.mail.filing import Outgoing
from engine.mail.rosters import Rosters
from engine.mail.vendor.reconciling import reconcile

log: Final = structlog.get_logger()

_STORED: Final = """
SELECT *, EXISTS (SELECT FROM print_answer WHERE batch_id = print_batch.id) AS answered
FROM print_batch WHERE state = 'stored' ORDER BY job, sequence
"""
# Under this lock nobody holds a batch whose `.done` is on its way.
_AS_IT_IS_NOW: Final = """
SELECT held_at, released_at FROM print_batch WHERE id = $1 AND state = 'stored' FOR UPDATE
"""
_EARLIER: Final = """
SELECT id FROM print_batch
WHERE job = $1 AND env = $2 AND state = 'handed_over' AND sequence < $3
  AND name <> coalesce($4, '')
  AND sequence >= coalesce(
      (SELECT max(sequence) FROM print_batch
       WHERE job = $1 AND env = $2 AND sequence < $3 AND released_at IS NOT NULL), 0)
"""
_BEHIND: Final = """
SELECT name FROM print_batch
WHERE job = $1 AND env = $2 AND sequence < $3 AND state IN ('closing', 'stored')
ORDER BY sequence LIMIT 1
"""
_HANDED_OVER: Final = """
UPDATE print_batch SET state = 'handed_over', handed_over_at = $2, held_at = NULL, trouble = NULL
WHERE id = $1 AND state = 'stored'
RETURNING id
"""
_TROUBLE: Final = """
UPDATE print_batch SET trouble = $2
WHERE id = $1 AND state = 'stored' AND trouble IS DISTINCT FROM $2
"""
_LETTERS: Final = """
SELECT delivery_id FROM print_piece
WHERE batch_id = $1 AND seq IS NOT NULL AND delivery_id IS NOT NULL
"""
_UNSENT_ORDERS: Final = """
SELECT print_order.id, name, env, number, print_order.sha256
FROM print_order JOIN print_batch ON print_batch.id = batch_id
WHERE sent_at IS NULL AND print_order.sha256 IS NOT NULL ORDER BY print_order.id
"""


class BatchAlarmError(ConnectError):
    """What is stored is not what was recorded: nothing is sent until a person has looked."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """What became of one stored batch: it is with the vendor, or why it still waits."""

    name: str
    waits: str | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """Empties what is stored into the drop of its environment."""

    engine: AsyncEngine
    outcomes: Outcomes
    clock: Clock
    outgoing: Outgoing
    rosters: Rosters
    drop: Callable[[Environment], AbstractAsyncContextManager[Drop]]

    async def run(self) -> list[HandOver]:
        """Hand over what may leave, in sequence, and send the orders that wait.

        What cannot leave says why, in the list and on the batch, and keeps those behind it
        waiting; it is tried again at the next run.
        """
        async with advisory_lock(self.engine, "print_drop:out") as alone:
            if not alone:
                return []
            async with self.engine.connect() as connection:
                driver = await driver_connection(connection)
                stored = await driver.fetch(_STORED)
                orders = await driver.fetch(_UNSENT_ORDERS)
            return await self._empty(stored, orders) if stored or orders else []

    async def _empty(self, stored: Sequence[Any], orders: Sequence[Any]) -> list[HandOver]:
        """Each environment has a drop of its own: a test batch never reaches a production one."""
        done: list[HandOver] = []
        for environment in sorted({row["env"] for row in (*stored, *orders)}):
            mine = [batch for batch in stored if batch["env"] == environment]
            left: list[HandOver] = []
            try:
                async with self.drop(environment) as drop:
                    for batch in mine:
                        # One by one, so that what has left stays on record when the next fails.
                        left.append(await self._hand_over(drop, batch))  # noqa: PERF401
                    for order in orders:
                        if order["env"] == environment:
                            await self._try_to_send(drop, order)
            except ConnectError as error:
                log.warning("drop_failed", env=environment, cause=str(error))
                left += [await self._waits(batch, str(error)) for batch in mine[len(left) :]]
            done += left
        return done

    async def _hand_over(self, drop: Drop, batch: Any) -> HandOver:
        try:
            # What the vendor has answered is there, though we were cut off before we wrote it down.
            why = None if batch["answered"] else await self._send(drop, batch)
            why = why or await self._announce(drop, batch)
        except DropUnavailableError:
            raise
        except ConnectError as error:
            why = str(error)
        except OSError as error:
            why = f"{self.outgoing.folder}: {error.strerror}"
        if why is not None:
            return await self._waits(batch, why)
        log.info("batch_handed_over", batch=batch["name"], pieces=batch["pieces"])
        return HandOver(batch["name"])

    async def _must_wait(self, connection: AsyncConnection, batch: Any) -> str | None:
        """Why it may not leave, as things stand now: a person may have held it meanwhile."""
        driver = await driver_connection(connection)
        current = await driver.fetchrow(_AS_IT_IS_NOW, batch["id"])
        if current is None:
            return "another process has handed it over"
        if current["held_at"] is not None:
            return f"held by a person; to let it go: connect batch release {batch['name']}"
        if current["released_at"] is not None:
            return None
        behind = await driver.fetchval(_BEHIND, batch["job"], batch["env"], batch["sequence"])
        rows = await driver.fetch(
            _EARLIER, batch["job"], batch["env"], batch["sequence"], batch["supersedes"]
        )
        earlier = await reconcile(connection, [row["id"] for row in rows])
        if behind is not None:
            return f"{behind} has to leave first"
        for reconciled in earlier:
            if reconciled.blocks:
                return (
                    f"{reconciled.name} disagrees ({'; '.join(reconciled.disagreements)}); to let "
                    f"this one go nevertheless: connect batch release {batch['name']}"
                )
        return None

    async def _send(self, drop: Drop, batch: Any) -> str | None:
        """The ciphertext and its hash, if what is stored is what was recorded; or why they wait."""
        name = batch["name"]
        async with self.engine.begin() as connection:
            if why := await self._must_wait(connection, batch):
                return why
        if await asyncio.to_thread(self.outgoing.hash_of, name) != batch["sha256"]:
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
        # Before anything of it can be elsewhere: after a restore this is what tells what it holds.
        async with self.engine.connect() as connection:
            await self.rosters.keep(await driver_connection(connection), batch)
        self.outgoing.announce(name, batch["sha256"], done.to_json())
        for path in self.outgoing.files(name)[:-1]:
            placed = await drop.put(path.name, path)
            log.info("file_placed", file=path.name, placed=placed.value)
        return None

    async def _announce(self, drop: Drop, batch: Any) -> str | None:
        """The `.done`, before which the vendor does nothing, and the record of it; or why not."""
        async with self.engine.begin() as connection:
            if not batch["answered"]:
                if why := await self._must_wait(connection, batch):
                    return why
                done = self.outgoing.files(batch["name"])[-1]
                await drop.put(done.name, done)
            await self._record(connection, batch)
        return None

    async def _record(self, connection: AsyncConnection, batch: Any) -> None:
        driver = await driver_connection(connection)
        if await driver.fetchval(_HANDED_OVER, batch["id"], self.clock()) is None:
            return
        deliveries = await driver.fetch(_LETTERS, batch["id"])
        await self.outcomes.record(
            connection,
            [Outcome(row["delivery_id"], Event.HANDED_OVER, batch["name"]) for row in deliveries],
        )

    async def _waits(self, batch: Any, why: str) -> HandOver:
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_TROUBLE, batch["id"], why)
        return HandOver(batch["name"], why)

    async def _try_to_send(self, drop: Drop, order: Any) -> None:
        """One order that cannot be sent keeps no other waiting; where it stays so, it alarms."""
        try:
            await self._send_order(drop, order)
        except DropUnavailableError:
            raise
        except (ConnectError, OSError):
            log.exception("order_waits", order=order["name"], number=order["number"])

    async def _send_order(self, drop: Drop, order: Any) -> None:
        path = self.outgoing.order_path(order["name"], order["number"])
        if sha256(await asyncio.to_thread(path.read_bytes)) != order["sha256"]:
            raise BatchAlarmError(f"{path.name} does not have the hash that was recorded")
        await drop.put(path.name, path)
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(
                "UPDATE print_order SET sent_at = $2 WHERE id = $1", order["id"], self.clock()
            )
        log.info("order_sent", file=path.name)
