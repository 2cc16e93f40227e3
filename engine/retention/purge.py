"""Removing what was kept for long enough: a class at a time, in batches that each commit.

What was cut short goes on where it stopped with the next run. Nothing that is still owed is
removed, and nothing under a legal hold: the queries leave it out, and the database refuses it.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.clock import Clock
from engine.database import driver_connection
from engine.errors import InputError
from engine.inbox.store import DocumentStore
from engine.retention.classes import Kind
from engine.retention.holds import AGAINST_REMOVAL
from engine.retention.print_files import PRINT_FILES, PrintFiles
from engine.retention.standing import Standing
from engine.security.audit import Audit, Detail, Entry

log: Final = structlog.get_logger()

BATCH: Final = 1_000
"""Rows of a class that are removed in one transaction."""
AUDIT_TRAIL: Final = "audit_trail"

_PURGER: Final = "connect_purger"
_MAY: Final = "SELECT pg_has_role(current_user, oid, 'SET') FROM pg_roles WHERE rolname = $1"
_COUNT: Final = """
SELECT count(*) FILTER (WHERE NOT owed AND NOT held) AS removable,
       count(*) FILTER (WHERE owed) AS owed, count(*) FILTER (WHERE held AND NOT owed) AS held
FROM ({}) AS old
"""
_NEXT: Final = "SELECT id FROM ({}) AS old WHERE NOT owed AND NOT held ORDER BY id LIMIT {}"
_NAMED: Final = "SELECT set_config('connect.removing', $1, true)"
# A document that other rows show too stays in the store.
_CONTENTS: Final = """
SELECT DISTINCT sha256 FROM document AS gone WHERE id = ANY($1::bigint[]) AND NOT EXISTS (
    SELECT FROM document AS kept
    WHERE kept.sha256 = gone.sha256 AND kept.id <> ALL($1::bigint[])
)
"""
_FIRST_HELD: Final = """
SELECT min(at) FROM audit_entry
WHERE participant_id IN (SELECT participant_id FROM held_participant)
"""

Progress = Callable[[str, int, int], None]
"""Told which class, how many are removed, and how many there were to remove."""


@dataclass(frozen=True, slots=True)
class Purge:
    """Counts what is too old, and removes it."""

    engine: AsyncEngine
    audit: Audit
    kinds: tuple[Kind, ...]
    documents: DocumentStore
    files: PrintFiles
    audit_years: int
    clock: Clock

    async def standing(self) -> list[Standing]:
        """Every class, without removing anything."""
        async with self._as_purger() as connection:
            driver = await driver_connection(connection)
            found = [await self.files.standing(driver, self.clock())]
            for kind in self.kinds:
                before = self.clock() - kind.kept_for
                row = await driver.fetchrow(_COUNT.format(kind.candidates), before)
                found.append(Standing(kind.name, before, *row))
            found.append(await self._audit_standing(connection))
        return found

    async def run(self, by: str, progress: Progress | None = None) -> dict[str, int]:
        """Remove everything that may go; how many of each class. `by` is a person's account.

        That it was begun is in the audit trail before anything is gone, and what was removed with
        the last of each class.
        """
        expected = {each.name: each for each in await self.standing()}
        async with self._as_purger() as connection:
            await self.audit.append(connection, Entry(f"staff:{by}", "purge.begun"))
        removed = {PRINT_FILES: await self._remove_files(by)}
        for kind in self.kinds:
            removed[kind.name] = 0
            while count := await self._remove_batch(kind, removed[kind.name], by):
                removed[kind.name] += count
                if progress is not None:
                    progress(kind.name, removed[kind.name], expected[kind.name].removable)
                if count < BATCH:
                    break
        removed[AUDIT_TRAIL] = await self.prune_audit()
        log.info("purged", **removed)
        return removed

    async def audit_before(self) -> datetime:
        """Entries of the audit trail before then may go: it is a chain, and is cut at the first
        entry about somebody under hold."""
        async with self._as_purger() as connection:
            return await self._audit_before(connection)

    async def old_audit(self) -> int:
        """How many entries of the audit trail may go, once all of it is proved."""
        async with self._as_purger() as connection:
            await self.audit.verify(connection)
            return await self.audit.old(connection, await self._audit_before(connection))

    async def prune_audit(self) -> int:
        """Remove them, once all of the trail is proved; how many."""
        async with self._as_purger() as connection:
            await self.audit.verify(connection)
            return await self.audit.prune(connection, await self._audit_before(connection))

    async def _audit_standing(self, connection: AsyncConnection) -> Standing:
        wanted = years_before(self.clock(), self.audit_years)
        removable = await self.audit.old(connection, await self._audit_before(connection))
        held = await self.audit.old(connection, wanted) - removable
        return Standing(AUDIT_TRAIL, wanted, removable, held=held)

    async def _audit_before(self, connection: AsyncConnection) -> datetime:
        driver = await driver_connection(connection)
        first: datetime | None = await driver.fetchval(_FIRST_HELD)
        wanted = years_before(self.clock(), self.audit_years)
        return wanted if first is None else min(wanted, first)

    async def _remove_batch(self, kind: Kind, so_far: int, by: str) -> int:
        before = self.clock() - kind.kept_for
        async with self._as_purger() as connection:
            driver = await driver_connection(connection)
            rows = await driver.fetch(_NEXT.format(kind.candidates, BATCH), before)
            ids = [row["id"] for row in rows]
            if not ids:
                return 0
            contents = await driver.fetch(_CONTENTS, ids) if kind.name == "documents" else ()
            await driver.execute(_NAMED, ",".join(kind.append_only))
            for statement in kind.removals:
                await driver.execute(statement, ids)
            # A document is in the store as long as its row is; a run that is cut short here
            # removes the row the next time.
            await self._forget(row["sha256"] for row in contents)
            if len(ids) < BATCH:
                await self._tell(connection, kind.name, so_far + len(ids), before, by)
        return len(ids)

    async def _remove_files(self, by: str) -> int:
        async with self._as_purger() as connection:
            driver = await driver_connection(connection)
            count = await self.files.remove(driver, self.clock())
            if count:
                await self._tell(
                    connection, PRINT_FILES, count, self.files.before(self.clock()), by
                )
        return count

    async def _forget(self, contents: Iterable[str]) -> None:
        for sha256 in contents:
            await self.documents.remove(sha256)

    async def _tell(
        self, connection: AsyncConnection, name: str, count: int, before: datetime, by: str
    ) -> None:
        details: dict[str, Detail] = {
            "class": name,
            "removed": count,
            "before": before.isoformat(),
        }
        await self.audit.append(connection, Entry(f"staff:{by}", "purge.removed", details=details))

    @asynccontextmanager
    async def _as_purger(self) -> AsyncIterator[AsyncConnection]:
        """A transaction of the one role that may remove; no hold is placed during it."""
        async with self.engine.begin() as connection:
            driver: Any = await driver_connection(connection)
            may = await driver.fetchval(_MAY, _PURGER)
            if may is False:
                raise InputError(
                    f"this login may not become {_PURGER}: use one that is in connect_operator"
                )
            if may:
                await driver.execute(f"SET LOCAL ROLE {_PURGER}")
            await driver.execute(f"SELECT pg_advisory_xact_lock_shared({AGAINST_REMOVAL})")
            yield connection


def years_before(moment: datetime, years: int) -> datetime:
    """The same day and hour so many years earlier; of February 29, the day before."""
    try:
        return moment.replace(year=moment.year - years)
    except ValueError:
        return moment.replace(year=moment.year - years, day=28)
