"""Load a folder of caseload files: read, check, upsert, in one transaction that tells nobody."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.caseload.addresses import flag_new_addresses
from engine.caseload.columns import CaseloadFile, Reference, Rules, caseload_files
from engine.caseload.loading import Connection, load
from engine.caseload.reading import Fault, Reading, Row
from engine.caseload.staging import staging
from engine.database import driver_connection
from engine.errors import InputError

Progress = Callable[[str, float], None]
"""Told what is being done and how much of the whole is behind us, from 0 to 1."""

_IMPORT_LOCK: Final = 4_107_311
"""Advisory lock key: one import at a time."""
_READING_SHARE: Final = 0.5
_CHECKING_BEGINS: Final = 0.95
_ROWS_BETWEEN_WORDS: Final = 2_000
_CONTACTS: Final = "contact_points.csv"
_FLAGGED: Final = """
    SELECT s.line, c.address_flags
    FROM stage_contact_points s
    JOIN participant p ON p.external_id = s.participant_id
    JOIN contact_point c ON c.participant_id = p.id AND c.kind = s.kind
        AND c.substitute = s.substitute AND c.superseded_at IS NULL
    WHERE c.address_flags <> '' ORDER BY s.line
"""
_IN_DATABASE: Final = {
    "participants.csv": "EXISTS (SELECT FROM participant p WHERE p.external_id = s.participant_id)",
    "cases.csv": "EXISTS (SELECT FROM support_case c WHERE c.external_id = s.case_number)",
    "case_parties.csv": """EXISTS (
        SELECT FROM case_party cp
        JOIN support_case c ON c.id = cp.case_id JOIN participant p ON p.id = cp.participant_id
        WHERE c.external_id = s.case_number AND p.external_id = s.participant_id)""",
}


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file. `refused` means that nothing of it was loaded."""

    file: str
    rows: int
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: bool = False


@dataclass(frozen=True, slots=True)
class FlaggedAddress:
    """A mail address that was loaded, to which no letter goes: where it stands, and why.

    The flags are those of the print batch contract. Nothing of the address is repeated.
    """

    file: str
    line: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a folder: each file in order, and every fault by file, line and column.

    After a dry run the counts say what a real one would do. A flagged address is no fault: it is
    loaded, and letters to it are held.
    """

    files: tuple[FileReport, ...]
    faults: tuple[Fault, ...]
    dry_run: bool
    flagged: tuple[FlaggedAddress, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every file was loaded."""
        return not self.faults


@dataclass(slots=True)
class _Run:
    """One import under way, on the connection whose transaction it lives in."""

    connection: Connection
    readings: list[Reading]
    progress: Progress
    faults: list[Fault] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    async def stage(self, reading: Reading) -> None:
        """Stream one file into a temporary table of its own."""
        file = reading.file
        staged = staging(file)
        columns = ", ".join(f"{name} {sql_type}" for name, sql_type in staged.columns.items())
        await self.connection.execute(
            f"CREATE TEMP TABLE {file.stage} (line integer NOT NULL, {columns}) ON COMMIT DROP"
        )
        await self.connection.copy_records_to_table(
            file.stage,
            records=map(staged.take, self._told(reading)),
            columns=["line", *staged.columns],
        )
        await self.connection.execute(f"ANALYZE {file.stage}")

    def _told(self, reading: Reading) -> Iterator[Row]:
        """The rows of `reading`, with a word to whoever watches every so often."""
        total = sum(each.path.stat().st_size for each in self.readings) or 1
        for number, row in enumerate(reading.rows()):
            if number % _ROWS_BETWEEN_WORDS == 0:
                done = sum(each.bytes_read for each in self.readings)
                self.progress(f"reading {reading.file.name}", _READING_SHARE * done / total)
            yield row

    async def judge(self, reading: Reading) -> None:
        """Find what only the whole file, or another one, can show; refuse a file with a fault."""
        file = reading.file
        found = reading.faults + await self._duplicates(file)
        unknown: list[Fault] = []
        for reference in file.references:
            unknown += await self._unknown(file, reference, {fault.line for fault in unknown})
        found += unknown
        for reference in file.references:
            found += await self._waiting(file, reference)
        if found:
            self.refused.add(file.name)
        order = {name: position for position, name in enumerate(file.header)}
        self.faults += sorted(found, key=lambda fault: (fault.line, order.get(fault.column, 99)))

    async def _duplicates(self, file: CaseloadFile) -> list[Fault]:
        keys = ", ".join(file.key)
        present = " AND ".join(f"{name} IS NOT NULL" for name in file.key)
        rows = await self.connection.fetch(f"""
            SELECT line, first FROM (
                SELECT line, min(line) OVER (PARTITION BY {keys}) AS first
                FROM {file.stage} WHERE {present}
            ) numbered WHERE line > first
        """)  # noqa: S608  every name in it comes from the documented columns
        named = " and ".join(file.key)
        return [
            Fault(file.name, row["line"], file.key[0], f"the same {named} as line {row['first']}")
            for row in rows
        ]

    async def _unknown(
        self, file: CaseloadFile, reference: Reference, half_known: set[int]
    ) -> list[Fault]:
        """Rows that refer to what is neither in the other file nor in the database.

        A pair is judged only where both of its halves are known.
        """
        target = self._reading_of(reference.file)
        if target is not None and not target.whole:
            return []
        unstaged = "true" if target is None else f"NOT {_in_file(reference, target.file)}"
        present = " AND ".join(f"s.{name} IS NOT NULL" for name in reference.columns)
        rows = await self.connection.fetch(f"""
            SELECT s.line FROM {file.stage} s
            WHERE {present} AND {unstaged} AND NOT {_IN_DATABASE[reference.file]}
        """)  # noqa: S608  every name in it comes from the documented columns
        passed_over = half_known if len(reference.columns) > 1 else set()
        return [
            Fault(file.name, row["line"], reference.columns[-1], reference.reason)
            for row in rows
            if row["line"] not in passed_over
        ]

    async def _waiting(self, file: CaseloadFile, reference: Reference) -> list[Fault]:
        """One fault where rows need a row of a file that is itself refused."""
        target = self._reading_of(reference.file)
        if reference.file not in self.refused or target is None:
            return []
        present = " AND ".join(f"s.{name} IS NOT NULL" for name in reference.columns)
        staged = _in_file(reference, target.file) if target.whole else present
        found = await self.connection.fetchrow(f"""
            SELECT count(*) AS rows, min(line) AS line FROM {file.stage} s
            WHERE {staged} AND NOT {_IN_DATABASE[reference.file]}
        """)  # noqa: S608  every name in it comes from the documented columns
        if not found["rows"]:
            return []
        reason = f"{found['rows']} row(s) from this line on need {reference.file}, which is refused"
        return [Fault(file.name, found["line"], reference.columns[-1], reason)]

    async def flag_addresses(self, window_lines: int) -> tuple[FlaggedAddress, ...]:
        """Check what was loaded, and say which lines of the file hold an address with a flag."""
        self.progress("checking addresses", _CHECKING_BEGINS)
        await flag_new_addresses(self.connection, window_lines=window_lines)
        if self._reading_of(_CONTACTS) is None or _CONTACTS in self.refused:
            return ()
        rows = await self.connection.fetch(_FLAGGED)
        return tuple(
            FlaggedAddress(_CONTACTS, row["line"], tuple(row["address_flags"].split()))
            for row in rows
        )

    def _reading_of(self, name: str) -> Reading | None:
        return next((each for each in self.readings if each.file.name == name), None)

    async def load(self) -> tuple[FileReport, ...]:
        """Upsert every file that has no fault, each after those it refers to."""
        reports = []
        for position, reading in enumerate(self.readings):
            name = reading.file.name
            if name in self.refused:
                reports.append(FileReport(name, reading.rows_read, refused=True))
                continue
            share = (1 - _READING_SHARE) * position / len(self.readings)
            self.progress(f"loading {name}", _READING_SHARE + share)
            done = await load(self.connection, name)
            unchanged = reading.rows_read - done.added - done.updated
            reports.append(FileReport(name, reading.rows_read, done.added, done.updated, unchanged))
        return tuple(reports)


def _in_file(reference: Reference, target: CaseloadFile) -> str:
    same = " AND ".join(f"k.{name} = s.{name}" for name in reference.columns)
    return f"EXISTS (SELECT FROM {target.stage} k WHERE {same})"


def _present(folder: Path, files: Sequence[CaseloadFile]) -> tuple[list[Reading], list[Fault]]:
    """The documented files that are in `folder`, and a fault for each CSV file that is not one."""
    if not folder.is_dir():
        raise InputError("the folder of the caseload files does not exist")
    readings = [Reading(file, folder / file.name) for file in files]
    readings = [reading for reading in readings if reading.path.is_file()]
    if not readings:
        raise InputError("the folder holds none of " + ", ".join(file.name for file in files))
    known = {file.name for file in files}
    strays = sorted(path.name for path in folder.glob("*.csv") if path.name not in known)
    return readings, [Fault(name, 0, "", "is not a file of a caseload") for name in strays]


async def import_caseload(
    engine: AsyncEngine,
    folder: Path,
    rules: Rules,
    *,
    dry_run: bool = False,
    progress: Progress = lambda _doing, _done: None,
) -> ImportReport:
    """Load the caseload files of `folder`; a file that is absent is passed over.

    Rows are matched by external id: new ones are added, differing ones updated (a differing
    contact point supersedes the old row), the rest is not touched, and nobody is told. Nothing of
    a file with a fault is loaded, nor of a file that needs its rows; the other files are. All of
    it is one transaction. Names and contacts are sealed before they reach the database. A dry run
    does the same and rolls it back. Memory is bounded but for the faults.

    Raises InputError when there is no such folder or no caseload file in it.
    """
    readings, strays = _present(folder, caseload_files(rules))
    async with engine.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _IMPORT_LOCK})
        await connection.execute(text("SET LOCAL work_mem = '64MB'"))
        run = _Run(await driver_connection(connection), readings, progress)
        for reading in readings:
            await run.stage(reading)
        for reading in readings:
            await run.judge(reading)
        files = await run.load()
        flagged = await run.flag_addresses(rules.window_lines)
        await (connection.rollback() if dry_run else connection.commit())
    progress("done", 1.0)
    return ImportReport(files, (*run.faults, *strays), dry_run, flagged)
