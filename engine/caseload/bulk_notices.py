"""A notice to those whom a file names: checked whole, and recorded whole or not at all."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.caseload.audience import NAME_FACTS, ROUTE, routes
from engine.caseload.columns import Rules
from engine.caseload.query_file import PARTICIPANT, QueryFile, StagedRow
from engine.caseload.reading import Fault
from engine.communications.bulk_recording import Bulk, Recording
from engine.communications.catalogue import CATALOGUE, Notice
from engine.errors import ConnectError, InputError

Reading = Callable[[float], None]
"""Told how much of the file is read, from 0 to 1."""

_DIGITS: Final = 8
_ROWS_BETWEEN_WORDS: Final = 2_000
_STAGE: Final = """
CREATE TEMPORARY TABLE asked_in_file (line integer, number text, facts text) ON COMMIT DROP
"""
_DUPLICATES: Final = """
SELECT line, first FROM (
    SELECT line, min(line) OVER (PARTITION BY number) AS first FROM asked_in_file
) AS numbered WHERE line > first
"""
_UNKNOWN: Final = """
SELECT line FROM asked_in_file
WHERE NOT EXISTS (SELECT FROM participant WHERE external_id = number)
"""
_ASK: Final = f"""
INSERT INTO asked_in_bulk (key, participant_id, language, facts, sealed_name, name_key_id,
                           route)
SELECT 'campaign:' || $4::text || ':' || number, participant.id, participant.language,
       {NAME_FACTS} || facts::jsonb, participant.sealed_name, participant.name_key_id,
       {ROUTE}
FROM asked_in_file JOIN participant ON external_id = number
ORDER BY line
"""  # noqa: S608  joined from constants


class FaultyFileError(ConnectError):
    """A file of which nothing is recorded; `faults` says where and why."""

    def __init__(self, file: str, faults: list[Fault]) -> None:
        super().__init__(f"{file} has {len(faults):,} fault(s): nothing of it was recorded")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class BulkNotices:
    """Records a notice to those whom a file names."""

    bulk: Bulk
    rules: Rules

    @asynccontextmanager
    async def recording(
        self,
        notice: Notice,
        path: Path,
        *,
        name: str | None = None,
        again: bool = False,
        keep: bool = True,
        reading: Reading = lambda _share: None,
    ) -> AsyncIterator[Recording]:
        """The campaign of the file at `path`, staged and still to be written.

        Without a `name` it is called after the notice and the file's content, so that the same file
        is the same campaign. Raises InputError where the notice is not told from a file or there
        is none; FaultyFileError where a row is wrong; what `Bulk.recording` raises.
        """
        file = QueryFile(path, notice, self.rules)
        digest = _digest(path, notice)
        campaign = name or f"{notice.key}-{digest.hex()[:_DIGITS]}"
        async with self.bulk.recording(
            campaign, notice, digest=digest, again=again, keep=keep
        ) as recording:
            await _stage(recording.driver, file, reading)
            if faults := await _faults(recording.driver, file):
                raise FaultyFileError(path.name, faults)
            await recording.driver.execute(_ASK, *routes(), campaign)
            yield recording


def notice_named(key: str) -> Notice:
    """The notice of that name. Raises InputError for none."""
    if key not in CATALOGUE:
        raise InputError(f"no notice of that name: {key[:60]!r}; there are {', '.join(CATALOGUE)}")
    return CATALOGUE[key]


def _digest(path: Path, notice: Notice) -> bytes:
    with path.open("rb") as handle:
        whole = hashlib.file_digest(handle, "sha256")
    whole.update(notice.key.encode())
    return whole.digest()


async def _stage(driver: Any, file: QueryFile, reading: Reading) -> None:
    await driver.execute(_STAGE)
    await driver.copy_records_to_table("asked_in_file", records=_told(file, reading))
    await driver.execute("ANALYZE asked_in_file")


def _told(file: QueryFile, reading: Reading) -> Iterator[StagedRow]:
    for number, row in enumerate(file.rows()):
        if number % _ROWS_BETWEEN_WORDS == 0:
            reading(file.share_read)
        yield row


async def _faults(driver: Any, file: QueryFile) -> list[Fault]:
    found = list(file.faults)
    for row in await driver.fetch(_DUPLICATES):
        reason = f"the same {PARTICIPANT} as line {row['first']}"
        found.append(Fault(file.path.name, row["line"], PARTICIPANT, reason))
    for row in await driver.fetch(_UNKNOWN):
        reason = "names nobody of the caseload"
        found.append(Fault(file.path.name, row["line"], PARTICIPANT, reason))
    return sorted(found, key=lambda fault: fault.line)
