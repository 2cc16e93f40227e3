"""What people do by hand at the print drop, and the record of it: who, what, when and why."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.clock import Clock
from engine.communications.held import HeldDesk
from engine.database import driver_connection
from engine.errors import InputError

Act = Literal[
    "hold",
    "release",
    "cancel",
    "reprint",
    "supersede",
    "approve",
    "answer",
    "returned",
    "send_on",
    "recover",
]

_LOG: Final = "INSERT INTO operator_act (at, who, act, subject, why) VALUES ($1, $2, $3, $4, $5)"
_SHOWN: Final = 10

_HOLD: Final = """
UPDATE print_batch SET held_at = $2, released_at = NULL
WHERE (name = $1 OR ($1 = 'open' AND state = 'open')) AND state <> 'handed_over'
RETURNING id, name, state
"""
_RELEASE: Final = """
UPDATE print_batch SET held_at = NULL, trouble = NULL,
       released_at = CASE WHEN state = 'open' THEN NULL ELSE $2::timestamptz END
WHERE (name = $1 OR ($1 = 'open' AND state = 'open')) AND state <> 'handed_over'
RETURNING id, name, state
"""


@dataclass(frozen=True, slots=True)
class Signed:
    """Who does something by hand, and why; both are kept for good."""

    who: str
    why: str

    def __post_init__(self) -> None:
        """Refuse an act without a name or a reason."""
        if not self.who.strip() or not self.why.strip():
            raise InputError("say who you are (--by) and why (--why): both are kept on record")


def unnamed(batch_id: int) -> str:
    """What the record calls a batch that has no name yet."""
    return f"open.{batch_id}"


async def log_act(driver: Any, signed: Signed, act: Act, subject: str, at: datetime) -> None:
    """Keep an act, in the transaction that does it."""
    await driver.execute(_LOG, at, signed.who.strip(), act, subject, signed.why.strip())


@dataclass(frozen=True, slots=True)
class ByHand:
    """Holds batches and lets them go. `batch` is a name, or `open` for the one that gathers."""

    engine: AsyncEngine
    clock: Clock

    async def hold(self, batch: str, signed: Signed) -> str:
        """Keep a batch from being closed, or from leaving; its state. Raises InputError."""
        return await self._set(_HOLD, "hold", batch, signed)

    async def release(self, batch: str, signed: Signed) -> str:
        """Let a batch go: its own hold is lifted, and what disagrees before it no longer stops it.

        Its state. Raises InputError.
        """
        return await self._set(_RELEASE, "release", batch, signed)

    async def answer(self, file: str, signed: Signed) -> None:
        """Put on record that the vendor was told of a quarantined file: its alarm ends."""
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            known = await driver.fetchval(
                "SELECT 1 FROM print_file WHERE name = $1 AND result = 'quarantined'", file
            )
            if known is None:
                raise InputError(f"no file of that name is in quarantine: {file[:120]!r}")
            await log_act(driver, signed, "answer", file, self.clock())

    async def send_on(
        self, held: HeldDesk, communications: Collection[int] | None, signed: Signed
    ) -> int:
        """Send on what a person has mended, or (None) all that is held; how many. Raises
        InputError where one of those named is not held, and then none is sent on."""
        if communications is None:
            communications = [task.communication_id for task in await held.tasks()]
            named = False
        else:
            named = True
        async with self.engine.begin() as connection:
            taken_up = await held.take_up(connection, communications)
            if named and (not_held := sorted(set(communications) - set(taken_up))):
                raise InputError(
                    f"not held: {', '.join(map(str, not_held[:_SHOWN]))}; nothing was sent on. "
                    "See: connect mail held"
                )
            driver = await driver_connection(connection)
            for id_ in taken_up:
                await log_act(driver, signed, "send_on", f"communication {id_}", self.clock())
        await held.doorbell.ring(taken_up.values())
        return len(taken_up)

    async def _set(self, statement: str, act: Act, batch: str, signed: Signed) -> str:
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            row = await driver.fetchrow(statement, batch, self.clock())
            if row is None:
                raise InputError(
                    f"no batch of that name is still with us: {batch[:80]!r}; "
                    "see: connect batch list"
                )
            subject = row["name"] or unnamed(row["id"])
            await log_act(driver, signed, act, subject, self.clock())
        return str(row["state"])
