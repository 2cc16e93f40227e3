"""Picks up what the vendor left in the drop: applied whole, or quarantined whole."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

import structlog
from asyncpg.exceptions import DataError
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.clock import Clock
from engine.communications.doorbell import Doorbell
from engine.database import advisory_lock, driver_connection
from engine.errors import ConnectError
from engine.mail.contract import sha256
from engine.mail.drops.port import Arrival, Drop
from engine.mail.keys import PrintKeys
from engine.mail.openpgp import UnopenedError
from engine.mail.vendor.applying import Applying
from engine.mail.vendor.inbound import MOST_BYTES, FileName, RefusedFileError
from engine.mail.vendor.incoming import Incoming

log: Final = structlog.get_logger()

_KNOWN: Final = "SELECT result FROM print_file WHERE name = $1 AND sha256 = $2"
_APPLIED: Final = """
INSERT INTO print_file (name, sha256, kind, number, batch_id, received_at, result)
SELECT $1, $2, $3, $4, (SELECT id FROM print_batch WHERE print_batch.name = $5), $6, 'applied'
ON CONFLICT (name, sha256) DO UPDATE SET result = 'applied', reason = NULL,
    kind = excluded.kind, number = excluded.number, batch_id = excluded.batch_id
RETURNING id
"""
_QUARANTINED: Final = """
INSERT INTO print_file (name, sha256, received_at, result, reason, kind, batch_id)
VALUES ($1, $2, $3, 'quarantined', $4, $5, (SELECT id FROM print_batch WHERE name = $6))
ON CONFLICT (name, sha256) DO UPDATE SET reason = excluded.reason
"""


@dataclass(frozen=True, slots=True)
class PickedUp:
    """What became of one file; `reason` where it was refused."""

    name: str
    reason: str | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Pickup:
    """Reads `from-vendor/`, file by file. A file that we could not deal with stays where it is."""

    engine: AsyncEngine
    drop: Callable[[], AbstractAsyncContextManager[Drop]]
    keys: Callable[[], PrintKeys]
    incoming: Incoming
    applying: Applying
    doorbell: Doorbell
    clock: Clock

    async def run(self) -> list[PickedUp]:
        """Pick up all there is; what became of each file. Raises DropUnavailableError.

        One at a time does this: of two, the slower could take away under its name the file that
        the vendor has just put in the place of the one it read.
        """
        async with advisory_lock(self.engine, "print_drop:in") as alone:
            return await self._run() if alone else []

    async def _run(self) -> list[PickedUp]:
        done = []
        async with self.drop() as drop:
            for arrival in await drop.arrived():
                # A file that we cannot deal with must not keep the others waiting.
                try:
                    done.append(await self._take(drop, arrival))
                except ConnectError as error:
                    log.warning("vendor_file_left", file=arrival.name, cause=str(error))
                except Exception:
                    # A fault of our own: the file stays in the drop, and the next run tries it.
                    log.exception("vendor_file_left", file=arrival.name)
        return done

    async def _take(self, drop: Drop, arrival: Arrival) -> PickedUp:
        if arrival.size > MOST_BYTES:
            # It stays in the drop: we do not fill our disk with it.
            reason = f"it is larger than {MOST_BYTES} bytes"
            await self._record_refusal(arrival.name, f"{arrival.size} bytes", reason)
            return PickedUp(arrival.name, reason)
        taken = await self.take(arrival.name, await drop.fetch(arrival.name, most=MOST_BYTES))
        await drop.remove(arrival.name)
        return taken

    async def take(self, name: str, content: bytes) -> PickedUp:
        """Deal with one file; our copy of it is on the disk when this returns."""
        digest = sha256(content)
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            known = await driver.fetchrow(_KNOWN, name, digest)
        if known is not None and known["result"] == "applied":
            return PickedUp(name, repeated=True)
        try:
            await self._apply(name, content, digest)
        except (RefusedFileError, UnopenedError) as error:
            await self._quarantine(name, content, digest, str(error))
            return PickedUp(name, str(error))
        log.info("vendor_file_applied", file=name)
        return PickedUp(name)

    async def _apply(self, name: str, content: bytes, digest: str) -> None:
        parsed = FileName.parse(name)
        now = self.clock()
        opened = await asyncio.to_thread(self.keys().open_inbound, content, now)
        if len(opened) > MOST_BYTES:
            raise RefusedFileError(f"it holds more than {MOST_BYTES} bytes")
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            file_id = await driver.fetchval(
                _APPLIED, name, digest, parsed.kind, parsed.number, parsed.batch, now
            )
            try:
                owed = await self.applying.apply(connection, parsed, opened, file_id, now)
            except DataError:
                raise RefusedFileError("it holds a character that cannot be stored") from None
            self.incoming.keep(name, content)
        await self.doorbell.ring(owed)

    async def _quarantine(self, name: str, content: bytes, digest: str, reason: str) -> None:
        path = self.incoming.set_apart(name, content, reason)
        await self._record_refusal(name, digest, reason)
        log.error("vendor_file_quarantined", file=name, kept=path.name, reason=reason)

    async def _record_refusal(self, name: str, digest: str, reason: str) -> None:
        try:
            parsed = FileName.parse(name)
        except RefusedFileError:
            parsed = None
        kind, batch = (parsed.kind, parsed.batch) if parsed else (None, None)
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_QUARANTINED, name, digest, self.clock(), reason, kind, batch)
