"""Batches that left without a roster: from before there were any, or with a folder that was lost.

Nobody but the vendor can say which letters they hold. Their names and numbers are kept from being
used again, and every letter that may be in one of them waits for a person.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.calendar.business_days import add_business_days
from engine.clock import PACIFIC
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.states import Event
from engine.database import driver_connection
from engine.errors import InputError
from engine.mail.batches import MAIL_WITHIN, PURGE_AFTER
from engine.mail.contract import BatchName, Done
from engine.mail.vendor.inbound import FileName, RefusedFileError

MAY_BE_PRINTED: Final = "may_be_printed"
"""Why a letter is held: it may be in a batch of which only the vendor knows what it holds."""

_PROOFS: Final = "proof"
_KNOWN: Final = "SELECT name FROM print_batch WHERE name = ANY($1::text[]) AND sha256 IS NOT NULL"
_KEEP_NUMBER: Final = """
INSERT INTO print_batch (job, state, name, sequence, env, opened_at, closed_at, document_date,
                         mail_by, purge_by, pieces, pages, sheets, bytes, sha256, piece_ids_sha256,
                         handed_over_at)
VALUES ($1::text, 'handed_over', $2,
        (SELECT coalesce(max(sequence), 0) + 1 FROM print_batch
         WHERE job = $1::text AND env = $3::text),
        $3::text, $4, $4, $5, $6, $7, $8, 2 * $9::int, $9::int, $10, $11, '', $12)
ON CONFLICT (name) DO UPDATE SET
    state = 'handed_over', handed_over_at = excluded.handed_over_at, pieces = excluded.pieces,
    pages = excluded.pages, sheets = excluded.sheets, bytes = excluded.bytes,
    sha256 = excluded.sha256
"""
# What was closed under the lost batch's name, and what is gathered: all of it may have been in it.
_MAY_BE_PRINTED: Final = """
SELECT delivery.id FROM delivery
WHERE channel = 'mail' AND state IN ('owed', 'sending', 'batched') AND created_at < $1
      AND NOT EXISTS (SELECT FROM print_piece JOIN print_batch ON print_batch.id = batch_id
                      WHERE delivery_id = delivery.id AND NOT superseded
                            AND print_batch.state = 'stored')
ORDER BY delivery.id
"""
_UNGATHER: Final = """
DELETE FROM print_piece WHERE delivery_id = ANY($1::bigint[]) AND seq IS NULL AND NOT superseded
"""


@dataclass(frozen=True, slots=True)
class Folders:
    """Our own copies: what we handed over, and what the vendor sent."""

    outgoing: Path
    incoming: Path

    def named(self, path: Path) -> str:
        """What the vendor called a file: one that came twice with other bytes stands beside the
        first under `<hash>_name`."""
        head, _, rest = path.name.partition("_")
        return rest if len(head) == 8 and rest.count("_") >= 4 else path.name

    def answered(self) -> dict[str, list[Path]]:
        """Batch → the vendor's files about it, in the order in which they are to be applied."""
        found: dict[str, list[Path]] = {}
        for path in sorted(self.incoming.glob("*.pgp"), key=self._order):
            try:
                name = FileName.parse(self.named(path))
            except RefusedFileError:
                continue
            found.setdefault(name.batch, []).append(path)
        return found

    def _order(self, path: Path) -> tuple[bool, bool, bool, str]:
        """Acks, then statuses by number, then finals; one that came again, with more in it, after
        the first."""
        name = self.named(path)
        return ".ack." not in name, ".final." in name, path.name != name, name

    def announced(self) -> dict[str, Done | None]:
        """Batches that may have left, and what was said of each, where that stands."""
        names = {path.name.removesuffix(".zip.pgp.sha256") for path in self._of(".zip.pgp.sha256")}
        dones = {path.name.removesuffix(".done"): path for path in self._of(".done")}
        found: dict[str, Done | None] = dict.fromkeys(names | set(dones))
        for name, path in dones.items():
            found[name] = Done.model_validate_json(path.read_bytes())
        return found

    def _of(self, ending: str) -> list[Path]:
        return [path for path in self.outgoing.glob(f"*{ending}") if not path.name.startswith(".")]


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Keeps their numbers, and holds what may be in them, in the caller's transaction."""

    outcomes: Outcomes

    async def hold(
        self,
        connection: AsyncConnection,
        announced: Mapping[str, Done | None],
        answered: Collection[str],
        now: datetime,
    ) -> tuple[list[str], list[int]]:
        """The batches of which the database knows nothing, and the letters that are held."""
        driver = await driver_connection(connection)
        every = sorted({*announced, *answered})
        known = {row["name"] for row in await driver.fetch(_KNOWN, every)}
        lost = [_parsed(name) for name in every if name not in known]
        for name in lost:
            await self._keep_number(connection, name, announced.get(str(name)), now)
        if not any(name.job != _PROOFS for name in lost):
            return [str(name) for name in lost], []
        rows = await driver.fetch(_MAY_BE_PRINTED, now)
        held = [row["id"] for row in rows]
        await self.outcomes.record(
            connection, [Outcome(id_, Event.HELD, MAY_BE_PRINTED) for id_ in held]
        )
        await driver.execute(_UNGATHER, held)
        return [str(name) for name in lost], held

    async def _keep_number(
        self, connection: AsyncConnection, name: BatchName, done: Done | None, now: datetime
    ) -> None:
        driver = await driver_connection(connection)
        mail_by = add_business_days(name.day, MAIL_WITHIN)
        await driver.execute(
            _KEEP_NUMBER,
            name.job,
            str(name),
            name.env,
            datetime.combine(name.day, time(), tzinfo=PACIFIC),
            name.day,
            mail_by,
            add_business_days(mail_by, PURGE_AFTER),
            done.pieces if done else 0,
            done.sheets if done else 0,
            done.bytes if done else 0,
            done.sha256 if done else "",
            now,
        )


def _parsed(name: str) -> BatchName:
    try:
        return BatchName.parse(name)
    except InputError:
        raise InputError(f"a file in print/outgoing is of no batch: {name[:80]!r}") from None
