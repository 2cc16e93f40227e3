"""Handing applications to the case system: one JSON file a run, and the documents beside it.

What was handed over is marked in the transaction in which its file is written; nothing is handed
over twice unless that is asked for. Where the commit fails after the file stood, the next run hands
the same numbers over once more: an application's number is what the case system tells them by.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.applications import records
from engine.applications.draft_columns import RECORD, UPLOAD
from engine.applications.file_types import ENDINGS
from engine.applications.submitting import Submitted, submitted
from engine.clock import Clock, pacific_date
from engine.database import driver_connection
from engine.errors import ConnectError, InputError
from engine.mail.filing import write_whole
from engine.security.audit import Audit, Detail, Entry

_SELECT: Final = f"""
SELECT id, number, draft_id, kind, language, confidential, submitted_at, record_sha256,
       {RECORD.read()} AS record
FROM application
"""  # noqa: S608  joined from constants of ours
_WAITING: Final = (
    "WHERE NOT EXISTS (SELECT FROM application_export WHERE application_id = application.id)"
)
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('application export'))"
_MARK: Final = """
INSERT INTO application_export (application_id, file, again, exported_by, exported_at)
SELECT unnest($1::bigint[]), $2, $3, $4, $5
"""
_KNOWN: Final = "SELECT EXISTS (SELECT FROM application_export WHERE application_id = $1)"
_FILES: Final = f"""
SELECT sha256, {UPLOAD.read()} AS content FROM application_upload WHERE draft_id = $1 ORDER BY id
"""  # noqa: S608  likewise
_STANDING: Final = f"""
SELECT count(*) AS submitted, count(*) FILTER ({_WAITING}) AS waiting, min(submitted_at)
       FILTER ({_WAITING}) AS oldest FROM application
"""  # noqa: S608  likewise


class DocumentDamagedError(ConnectError):
    """A document is not what was submitted: nothing is handed over, and an operator looks."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What one run handed over; `file` is None where there was nothing."""

    file: Path | None
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many were submitted, and how many of them wait to be handed over, since when."""

    submitted: int
    waiting: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Exports:
    """Writes applications out."""

    engine: AsyncEngine
    audit: Audit
    clock: Clock

    async def standing(self) -> Waiting:
        """What waits."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            return Waiting(*await driver.fetchrow(_STANDING))

    async def export(
        self, folder: Path, by: str, *, number: str | None = None, again: bool = False
    ) -> Exported:
        """Write what waits, or the application of one number, into a file of `folder`. `by` is a
        person's account.

        Raises InputError for a number that is none, or was handed over before and is not asked for
        `again`.
        """
        if again and number is None:
            raise InputError("only one application may be handed over again: say its number")
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_LOCK)
            chosen = await self._chosen(driver, number, again=again)
            if not chosen:
                return Exported(None, ())
            now = self.clock()
            path = self._free(folder, now)
            documents = {each.number: await self._documents(driver, path, each) for each in chosen}
            write_whole(path, _written(chosen, documents, now))
            ids = [each.id for each in chosen]
            await driver.execute(_MARK, ids, path.name, again, by, now)
            await self._note(connection, by, path, chosen, again=again)
        return Exported(path, tuple(each.number for each in chosen))

    async def _chosen(self, driver: Any, number: str | None, *, again: bool) -> Sequence[Submitted]:
        if number is None:
            rows = await driver.fetch(f"{_SELECT} {_WAITING} ORDER BY id")
            return [submitted(row) for row in rows]
        row = await driver.fetchrow(f"{_SELECT} WHERE number = $1", number)
        if row is None:
            raise InputError(f"no application has the number {number}")
        if await driver.fetchval(_KNOWN, row["id"]) is not again:
            raise InputError(
                f"application {number} was not handed over yet: leave --again out"
                if again
                else f"application {number} was handed over before: --again does it once more"
            )
        return [submitted(row)]

    def _free(self, folder: Path, now: datetime) -> Path:
        """The first name of the day that no file has."""
        day = pacific_date(now)
        number = 1
        while (path := folder / f"applications_{day:%Y%m%d}_{number:03d}.json").exists():
            number += 1
        return path

    async def _documents(
        self, driver: Any, path: Path, one: Submitted
    ) -> list[records.ExportedFile]:
        """Write the documents of one application beside the file; which they are."""
        contents = {
            row["sha256"]: row["content"] for row in await driver.fetch(_FILES, one.draft_id)
        }
        written = []
        for number, document in enumerate(one.record.documents, 1):
            content = base64.b64decode(str(contents.get(document.sha256, "")))
            if hashlib.sha256(content).hexdigest() != document.sha256:
                raise DocumentDamagedError(
                    f"document {number} of application {one.number} is not what was submitted"
                )
            name = f"{one.number}-{number}.{ENDINGS[document.media_type]}"
            write_whole(path.with_suffix("") / name, content)
            file = f"{path.stem}/{name}"
            written.append(records.ExportedFile(file=file, sha256=document.sha256))
        return written

    async def _note(
        self,
        connection: AsyncConnection,
        by: str,
        path: Path,
        chosen: Sequence[Submitted],
        *,
        again: bool,
    ) -> None:
        details: dict[str, Detail] = {
            "file": path.name,
            "applications": len(chosen),
            "again": again,
        }
        entry = Entry(f"staff:{by}", "applications.exported", None, details)
        await self.audit.append(connection, entry)


def _written(
    chosen: Sequence[Submitted], documents: Mapping[str, list[records.ExportedFile]], now: datetime
) -> bytes:
    whole = records.Export(
        exported_at=now,
        applications=tuple(each.record for each in chosen),
        files={number: tuple(files) for number, files in documents.items()},
    )
    return (whole.model_dump_json(indent=2) + "\n").encode()
