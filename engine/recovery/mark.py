"""Whether this is still the database that was worked on: a restore is noticed, and nothing runs.

While workers work, a moment in the database moves on every few seconds, and is remembered outside
it. A database whose own moment is earlier than one remembered has lost what came after. Everything
that opens a connection asks first.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from asyncpg.exceptions import UndefinedTableError
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.database import driver_connection
from engine.errors import ConnectError
from engine.recovery.witnesses import NEVER, Witnesses

log: Final = structlog.get_logger()

BEAT_SECONDS: Final = 5.0
"""How long work may go unnoticed that a restore takes back."""

_MOMENT: Final = "%Y-%m-%d %H:%M:%S %Z"
_READ: Final = "SELECT beat, held_since, held_why FROM database_mark"
_IN_USE: Final = "SELECT EXISTS (SELECT FROM communication)"
# The database's own clock may step back; its mark does not.
_BEAT: Final = """
INSERT INTO database_mark (beat) VALUES (clock_timestamp())
ON CONFLICT (only_one) DO UPDATE
SET beat = greatest(database_mark.beat + interval '1 microsecond', clock_timestamp())
WHERE database_mark.held_since IS NULL AND database_mark.beat >= $1
RETURNING beat
"""
_HOLD: Final = """
INSERT INTO database_mark (beat, held_since, held_why)
VALUES (coalesce($2, clock_timestamp()), clock_timestamp(), $1)
ON CONFLICT (only_one) DO UPDATE SET held_since = clock_timestamp(), held_why = $1
WHERE database_mark.held_since IS NULL
"""
_LET_GO: Final = """
UPDATE database_mark SET held_since = NULL, held_why = NULL,
       beat = greatest(clock_timestamp(), $1::timestamptz + interval '1 microsecond')
RETURNING beat
"""


class DatabaseRestoredError(ConnectError):
    """The database was restored from a backup, or a person holds it: what was sent since must be
    found again first."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the database has come, how far it was seen, and why it is held, if it is."""

    beat: datetime | None
    seen: datetime
    held_since: datetime | None = None
    held_why: str | None = None
    unmarked: bool = False
    """Whether it was worked on, was seen, and has no mark: a backup from before there were any, or
    one that is being restored at this moment."""

    @property
    def restored(self) -> bool:
        """Whether it has lost what was seen. One that was never worked on has lost nothing."""
        return self.unmarked or (self.beat is not None and self.beat < self.seen)

    @property
    def stops(self) -> bool:
        """Whether nothing may run."""
        return self.restored or self.held_since is not None


@dataclass(slots=True)
class Mark:
    """The mark of one database, and what this process has seen of it."""

    engine: AsyncEngine
    witnesses: Witnesses
    seen: datetime

    @classmethod
    async def on(cls, engine: AsyncEngine, witnesses: Witnesses) -> "Mark":
        """The mark of the database behind `engine`, as the witnesses remember it."""
        return cls(engine, witnesses, await witnesses.latest())

    def guard(self) -> None:
        """Ask on every new connection of the engine: a restored database is behind new ones."""

        def ask(connection: Any, _record: object) -> None:
            connection.run_async(self.require)

        event.listen(self.engine.sync_engine, "connect", ask)

    async def require(self, driver: Any) -> None:
        """Raise DatabaseRestoredError unless work may go on in the database behind `driver`, an
        asyncpg connection; one that is seen to be restored is held from then on."""
        standing = await self.standing(driver)
        if not standing.stops:
            return
        if standing.restored:
            await driver.execute(_HOLD, _why(standing), standing.beat)
        log.error("database_held", why=standing.held_why or "restored")
        raise DatabaseRestoredError(
            f"{standing.held_why or _why(standing)}. Nothing runs until what was sent since has "
            "been found again: connect recover (docs/recovery.md)"
        )

    async def standing(self, driver: Any) -> Standing:
        """How it stands now."""
        try:
            row = await driver.fetchrow(_READ)
        except UndefinedTableError:
            # A schema from before there were marks: `connect migrate` brings the table.
            return Standing(None, self.seen)
        if row is None:
            seen = self.seen > NEVER
            unmarked = seen and await driver.fetchval(_IN_USE)
            return Standing(None, self.seen, unmarked=unmarked)
        return Standing(row["beat"], self.seen, row["held_since"], row["held_why"])

    async def beat(self) -> None:
        """Move on, and let the witnesses know. Raises DatabaseRestoredError."""
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            beat = await driver.fetchval(_BEAT, self.seen)
        if beat is None:
            async with self.engine.connect() as connection:
                raw = await connection.get_raw_connection()
                # In no transaction: that it is held stays on record though we raise.
                await self.require(raw.driver_connection)
            return
        self.seen = beat
        await self.witnesses.remember(beat)

    async def try_to_beat(self) -> None:
        """Beat, if the database answers. Raises DatabaseRestoredError, and nothing else."""
        try:
            await self.beat()
        except DatabaseRestoredError:
            raise
        except Exception as error:  # noqa: BLE001  a database that is away comes back
            log.warning("mark_not_moved", cause=type(error).__name__)

    async def keep_beating(self) -> None:
        """Beat until cancelled. Raises DatabaseRestoredError once a restore is noticed."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self.try_to_beat()

    async def hold(self, driver: Any, why: str) -> None:
        """A person says that nothing may run from now on."""
        await driver.execute(_HOLD, why, None)

    async def let_go(self, driver: Any) -> datetime:
        """Work may go on: the database has come as far as anybody has seen. What it returns is to
        be remembered once `driver`'s transaction has committed."""
        beat: datetime = await driver.fetchval(_LET_GO, self.seen)
        return beat


def _why(standing: Standing) -> str:
    beat = "nowhere" if standing.beat is None else f"as far as {standing.beat:{_MOMENT}}"
    return (
        f"This database was restored from a backup: it has come {beat}, and was seen at "
        f"{standing.seen:{_MOMENT}}"
    )
