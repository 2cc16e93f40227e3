"""Hands stored batches, and orders about them, to the vendor's drop: in order, verified, once."""

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
from engine.mail.contract import Done, Environment
from engine.mail.drops.port import Drop, DropUnavailableError
from engine.mail.filing import Outgoing
from engine.mail.vendor.reconciling import reconcile

log: Final = structlog.get_logger()

_STORED: Final = "SELECT * FROM print_batch WHERE state = 'stored' ORDER BY job, sequence"
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
UPDATE print_batch SET state = 'handed_over', handed_over_at = $2, trouble = NULL
WHERE id = $1 AND state = 'stored'
"""
_TROUBLE: Final = (
    "UPDATE print_batch SET trouble = $2 WHERE id = $1 AND trouble IS DISTINCT FROM $2"
)
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
    """What is stored is not what was frozen: nothing is sent until a person has looked."""


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
                            await self._send_order(drop, order)
            except ConnectError as error:
                log.warning("drop_failed", env=environment, cause=str(error))
                left += [await self._waits(batch, str(error)) for batch in mine[len(left) :]]
            done += left
        return done

    async def _hand_over(self, drop: Drop, batch: Any) -> HandOver:
        try:
            if why := await self._must_wait(batch):
                return await self._waits(batch, why)
            await self._send(drop, batch)
        except DropUnavailableError:
            raise
        except ConnectError as error:
            return await self._waits(batch, str(error))
        async with self.engine.begin() as connection:
            await self._record(connection, batch)
        log.info("batch_handed_over", batch=batch["name"], pieces=batch["pieces"])
        return HandOver(batch["name"])

    async def _must_wait(self, batch: Any) -> str | None:
        if batch["held_at"] is not None:
            return f"held by a person; to let it go: connect batch release {batch['name']}"
        if batch["released_at"] is not None:
            return None
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
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

    async def _send(self, drop: Drop, batch: Any) -> None:
        """The three files, in the contract's order, if what is stored is what was frozen."""
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
        for path in self.outgoing.files(name):
            placed = await drop.put(path.name, path)
            log.info("file_placed", file=path.name, placed=placed.value)

    async def _record(self, connection: AsyncConnection, batch: Any) -> None:
        driver = await driver_connection(connection)
        await driver.execute(_HANDED_OVER, batch["id"], self.clock())
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

    async def _send_order(self, drop: Drop, order: Any) -> None:
        path = self.outgoing.order_path(order["name"], order["number"])
        await drop.put(path.name, path)
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(
                "UPDATE print_order SET sent_at = $2 WHERE id = $1", order["id"], self.clock()
            )
        log.info("order_sent", file=path.name)
