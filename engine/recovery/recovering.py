"""`connect recover`: a restored database is brought in step with what really left since."""

import asyncio
import gzip
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.clock import Clock
from engine.communications.outcomes import Outcomes
from engine.database import driver_connection
from engine.email.addressing import Addressing
from engine.errors import InputError
from engine.mail.acts import Signed, log_act
from engine.mail.contract import sha256
from engine.mail.rosters import Roster, Rosters
from engine.mail.vendor.pickup import PickedUp, Pickup
from engine.recovery.emails import EmailFindings, Emails
from engine.recovery.letters import LetterFindings, Letters
from engine.recovery.mark import Mark, Standing
from engine.recovery.numbers import leap, skip_serials
from engine.recovery.smtp_logs import SmtpLogs
from engine.recovery.unlisted import Folders, Unlisted

log: Final = structlog.get_logger()

# Whoever signed out since the backup would be signed in again.
_END_SESSIONS: Final = """
WITH ended AS (UPDATE portal_session SET ended_at = $1 WHERE ended_at IS NULL RETURNING id)
SELECT count(*) FROM ended
"""
_APPLIED: Final = """
SELECT sha256 FROM print_file WHERE sha256 = ANY($1::text[]) AND result = 'applied'
"""


@dataclass(slots=True)
class Findings:
    """All that was found. `let_go` is whether workers may start."""

    standing: Standing
    emails: EmailFindings
    begun: int
    letters: LetterFindings
    lost_batches: list[str]
    held_letters: list[int]
    sessions: int = 0
    to_apply: int = 0
    vendor_files: list[PickedUp] = field(default_factory=list)
    let_go: bool = False


@dataclass(frozen=True, slots=True)
class Recovery:
    """Compares, and puts right. It may be run again: what is in step stays as it is."""

    engine: AsyncEngine
    outcomes: Outcomes
    pickup: Pickup
    rosters: Rosters
    folders: Folders
    mark: Mark
    addressing: Addressing
    clock: Clock

    def read(self, paths: Iterable[Path]) -> SmtpLogs:
        """What the logs in these files say, one after the other, compressed by gzip or not.

        Raises InputError for one that cannot be read, or of which no line is understood.
        """
        logs = SmtpLogs(self.addressing, self.clock())
        for path in paths:
            before = logs.understood
            try:
                with _opened(path) as lines:
                    logs.read(lines)
            except (OSError, EOFError) as error:
                raise InputError(f"{path}: {error}") from None
            if logs.understood == before:
                raise InputError(f"{path}: no line of it is of a kind that is understood")
        return logs

    async def begin(self, signed: Signed) -> None:
        """Hold the database: nothing opens it until it was recovered."""
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await self.mark.hold(driver, f"Held by {signed.who.strip()}: {signed.why.strip()}")
            await log_act(driver, signed, "recover", "begin", self.clock())

    async def look(self, logs: SmtpLogs) -> Findings:
        """What would be done; nothing is."""
        async with self.engine.connect() as connection:
            transaction = await connection.begin()
            try:
                return await self._compare(connection, logs)
            finally:
                await transaction.rollback()

    async def run(self, logs: SmtpLogs, signed: Signed, *, let_go: bool) -> Findings:
        """Put right what was lost, and let work go on, unless a conflict needs a person first.

        Raises InputError where the database is neither restored nor held: then other processes may
        be at work on it.
        """
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            if not (await self.mark.standing(driver)).stops:
                raise InputError(
                    "this database is in use: hold it first, with connect recover --begin"
                )
            await self.mark.hold(driver, "A recovery is under way")
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            found = await self._compare(connection, logs)
            found.sessions = await driver.fetchval(_END_SESSIONS, self.clock())
            await log_act(driver, signed, "recover", "database", self.clock())
            copies = await self._unapplied(connection)
        found.vendor_files = [await self._apply(path) for path in copies]
        if let_go and not found.letters.conflicts:
            async with self.engine.begin() as connection:
                beat = await self.mark.let_go(await driver_connection(connection))
            await self.mark.witnesses.remember(beat)
            found.let_go = True
        log.info(
            "recovered",
            emails=len(found.emails.taken),
            batches=len(found.letters.rebuilt),
            let_go=found.let_go,
        )
        return found

    async def _compare(self, connection: AsyncConnection, logs: SmtpLogs) -> Findings:
        """Numbers first, as what is put right makes new deliveries; letters before emails, as what
        has gone on to a letter owes no email."""
        driver = await driver_connection(connection)
        now = self.clock()
        standing = await self.mark.standing(driver)
        answered = self.folders.answered()
        rosters, room = list(self.rosters.all()), Letters(self.outcomes)
        await leap(driver, _highest(logs, rosters))
        letters = await room.rebuild(connection, rosters)
        await skip_serials(driver, 2 * len(letters.printed), now)
        lost, held = await Unlisted(self.outcomes).hold(
            connection, self.folders.announced(), answered, now
        )
        await room.hand_over(connection, answered, letters, now)
        emails = await Emails(self.outcomes).recover(connection, logs.sent.values(), now)
        return Findings(
            standing=standing,
            emails=emails,
            begun=len(logs.begun),
            letters=letters,
            lost_batches=lost,
            held_letters=held,
            to_apply=len(await self._unapplied(connection)),
        )

    async def _unapplied(self, connection: AsyncConnection) -> list[Path]:
        """Our copies of the vendor's files that the database does not know: acks, then statuses
        by number, then finals."""
        driver = await driver_connection(connection)
        by_batch = self.folders.answered().values()
        copies = [path for paths in by_batch for path in paths]
        digests = [await asyncio.to_thread(_digest, path) for path in copies]
        applied = {row["sha256"] for row in await driver.fetch(_APPLIED, digests)}
        return [path for path, digest in zip(copies, digests, strict=True) if digest not in applied]

    async def _apply(self, path: Path) -> PickedUp:
        content = await asyncio.to_thread(path.read_bytes)
        return await self.pickup.take(self.folders.named(path), content)


def _highest(logs: SmtpLogs, rosters: Sequence[Roster]) -> dict[str, int]:
    """Table → the highest number of it that was seen outside the database."""
    letters = [letter for roster in rosters for letter in roster.letters]
    sent = list(logs.sent.values())
    communications = [one.communication_id for one in sent]
    communications += [one.communication_id for one in letters]
    return {
        "delivery": max(
            *(one.delivery_id for one in sent), *(one.delivery_id or 0 for one in letters), 0, 0
        ),
        "communication": max(*(one or 0 for one in communications), 0, 0),
    }


def _digest(path: Path) -> str:
    return sha256(path.read_bytes())


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8", errors="replace")
