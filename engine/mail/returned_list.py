"""Letters that came back to us: a scanned list, one letter a line, becomes returns.

A line holds what the scanner reads from the sheet mark of the letter (`1|B|seq|sheet|sheets`), or
a piece id, or the digits of our own barcode; after a comma, if it is known, an address code.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.clock import Clock
from engine.communications.doorbell import Doorbell
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.owed import Owed
from engine.communications.ports import Recipients
from engine.communications.rerouting import allow_email
from engine.communications.states import Event
from engine.database import driver_connection
from engine.errors import InputError
from engine.mail.acts import Signed, log_act
from engine.mail.vendor.answers import ADDRESS_CODES

_MARK: Final = re.compile(r"1\|(?P<batch>[a-z0-9_]+)\|(?P<seq>[0-9]{1,6})\|[0-9]+\|[0-9]+")
_IMB: Final = re.compile(r"[0-9]{20}([0-9]{5}|[0-9]{9}|[0-9]{11})?")
_MOST_BYTES: Final = 16 * 1024 * 1024
_FAULTS_SHOWN: Final = 20

_FIND: Final = """
SELECT print_piece.id, print_piece.piece_id::text, seq, delivery_id, contact_point, status,
       batch_id, name, imb31
FROM print_piece JOIN print_batch ON print_batch.id = batch_id
WHERE state = 'handed_over' AND NOT superseded AND seq IS NOT NULL AND (
    print_piece.piece_id = ANY($1::uuid[]) OR left(imb31, 20) = ANY($2::text[])
    OR (name, seq) IN (SELECT * FROM unnest($3::text[], $4::int[]))
)
ORDER BY print_piece.id
"""
# The vendor's files are applied under the same locks: what they say of a piece is known whole.
_LOCK_BATCHES: Final = """
SELECT id FROM print_batch WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE
"""
_COME_BACK: Final = """
INSERT INTO piece_event (event_id, piece, status, at, reason)
SELECT 'list.' || piece_id, id, 'returned', $2, reason
FROM unnest($1::bigint[], $3::text[]) AS told (piece, reason)
JOIN print_piece ON print_piece.id = piece
ON CONFLICT (event_id) DO NOTHING
RETURNING piece
"""


class FaultyListError(InputError):
    """A line of a list of returned letters is not what it should be; nothing of it was applied."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """One line. One of `piece_id`, `imb` and `batch` with `seq` is set."""

    line: int
    reason: str
    piece_id: str | None = None
    imb: str | None = None
    batch: str | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """What a list came to."""

    lines: int
    returned: int
    known: int
    by_email: int
    """Obligations that go on by email; the others are a caseworker's task."""


def read_list(path: Path) -> list[Scanned]:
    """The lines of a list in UTF-8; FaultyListError names every line that cannot be read."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise FaultyListError(f"{path.name} is larger than {_MOST_BYTES} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FaultyListError(f"{path.name} cannot be read: {type(error).__name__}") from None
    read: list[Scanned] = []
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            scanned = _scanned(number, line)
            if isinstance(scanned, str):
                faults.append(f"{path.name}, line {number}: {scanned}")
            else:
                read.append(scanned)
    if faults:
        raise FaultyListError(_listed(faults))
    return read


def _scanned(number: int, line: str) -> Scanned | str:
    """A line, or what is wrong with it."""
    code, _, reason = (part.strip() for part in line.partition(","))
    reason = reason.upper() or "OTHER"
    if reason not in ADDRESS_CODES:
        return f"the reason is none of {', '.join(ADDRESS_CODES)}"
    if mark := _MARK.fullmatch(code):
        return Scanned(number, reason, batch=mark["batch"], seq=int(mark["seq"]))
    if _IMB.fullmatch(code):
        return Scanned(number, reason, imb=code[:20])
    try:
        return Scanned(number, reason, piece_id=str(UUID(code)))
    except ValueError:
        return "neither a sheet mark, nor a piece id, nor the digits of a barcode"


@dataclass(frozen=True, slots=True)
class ReturnedMail:
    """Applies lists of returned letters, each whole or not at all."""

    engine: AsyncEngine
    outcomes: Outcomes
    recipients: Recipients
    doorbell: Doorbell
    clock: Clock

    async def apply(self, path: Path, signed: Signed) -> Returned:
        """Flag the addresses, and give the obligations their next channel or to a person.

        The same list again, or a letter that the vendor told of already, changes nothing. Raises
        FaultyListError, which names every line that stands for no letter of ours.
        """
        scanned = read_list(path)
        async with self.engine.begin() as connection:
            letters = await self._letters(connection, path.name, scanned)
            owed, returned = await self._come_back(connection, letters)
            driver = await driver_connection(connection)
            await log_act(driver, signed, "returned", path.name, self.clock())
        await self.doorbell.ring(owed)
        return Returned(len(scanned), returned, len(letters) - returned, len(owed))

    async def _letters(
        self, connection: AsyncConnection, file: str, scanned: Sequence[Scanned]
    ) -> dict[int, tuple[Any, str]]:
        """Piece → its row and the reason. A letter of two sheets may have been scanned twice."""
        driver = await driver_connection(connection)
        marked = [item for item in scanned if item.batch is not None]
        named = (
            [item.piece_id for item in scanned if item.piece_id],
            [item.imb for item in scanned if item.imb],
            [item.batch for item in marked],
            [item.seq for item in marked],
        )
        batches = {row["batch_id"] for row in await driver.fetch(_FIND, *named)}
        await driver.execute(_LOCK_BATCHES, list(batches))
        rows = await driver.fetch(_FIND, *named)
        found = {key: row for row in rows for key in _keys(row)}
        letters: dict[int, tuple[Any, str]] = {}
        faults = []
        for item in scanned:
            row = found.get(item.piece_id or item.imb or (item.batch, item.seq))
            if row is None:
                faults.append(f"{file}, line {item.line}: no letter that the vendor has of us")
            elif row["status"] in {"rejected", "cancelled"}:
                faults.append(f"{file}, line {item.line}: was never mailed ({row['status']})")
            else:
                letters[row["id"]] = (row, item.reason)
        if faults:
            raise FaultyListError(_listed(faults))
        return letters

    async def _come_back(
        self, connection: AsyncConnection, letters: dict[int, tuple[Any, str]]
    ) -> tuple[list[Owed], int]:
        driver = await driver_connection(connection)
        now = self.clock()
        fresh = {
            key: letter for key, letter in letters.items() if letter[0]["status"] != "returned"
        }
        reasons = [reason for _, reason in fresh.values()]
        new = await driver.fetch(_COME_BACK, list(fresh), now, reasons)
        told = [fresh[row["piece"]] for row in new]
        await driver.execute(
            "UPDATE print_piece SET status = 'returned' WHERE id = ANY($1::bigint[])",
            [row["id"] for row, _ in told],
        )
        points = {row["contact_point"] for row, _ in told} - {None}
        await self.recipients.returned(connection, points, now)
        outcomes = [
            Outcome(row["delivery_id"], Event.RETURNED, reason.lower())
            for row, reason in told
            if row["delivery_id"] is not None
        ]
        lost = [outcome.delivery_id for outcome in outcomes]
        await allow_email(connection, self.recipients, lost)
        recorded = await self.outcomes.record(connection, outcomes)
        return recorded.owed, len(told)


def _keys(row: Any) -> Iterable[Any]:
    yield row["piece_id"]
    yield (row["name"], row["seq"])
    if row["imb31"]:
        yield row["imb31"][:20]


def _listed(faults: Sequence[str]) -> str:
    more = len(faults) - _FAULTS_SHOWN
    shown = [*faults[:_FAULTS_SHOWN], *([f"and {more} more"] if more > 0 else [])]
    return "nothing was applied:\n  " + "\n  ".join(shown)
