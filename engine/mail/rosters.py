"""Rosters: which letters a batch holds, kept outside the database before the batch leaves us.

The ciphertext can be opened by the vendor alone. After a restore the roster is what tells which
letters were printed, and it names nobody: numbers of deliveries, pieces and contact points.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from engine.communications.catalogue import CATALOGUE
from engine.errors import InputError
from engine.mail.contract import Environment, Record
from engine.mail.filing import write_whole

_LETTERS: Final = """
SELECT piece_id::text, seq, pages, sheets, contact_point, delivery_id, communication_id,
       delivery.step, delivery.due_by, notice
FROM print_piece LEFT JOIN delivery ON delivery.id = delivery_id
     LEFT JOIN communication ON communication.id = communication_id
WHERE batch_id = $1 AND seq IS NOT NULL ORDER BY seq
"""


class RosterLetter(Record):
    """A piece, and the delivery it carries out: none for a proof's. `secret` is whether it carries
    a PIN."""

    piece_id: str
    seq: int
    pages: int
    sheets: int
    contact_point: int | None
    delivery_id: int | None
    communication_id: int | None
    step: int | None
    due_by: date | None
    secret: bool


class RosterHead(Record):
    """A stored batch, as the database had it."""

    schema_version: Literal[1] = 1
    name: str
    job: str
    env: Environment
    sequence: int
    previous_name: str | None
    supersedes: str | None
    opened_at: datetime
    closed_at: datetime
    document_date: date
    mail_by: date
    purge_by: date
    pieces: int
    pages: int
    sheets: int
    bytes: int
    sha256: str
    piece_ids_sha256: str


@dataclass(frozen=True, slots=True)
class Roster:
    """One batch with its letters."""

    head: RosterHead
    letters: tuple[RosterLetter, ...]


@dataclass(frozen=True, slots=True)
class Rosters:
    """The folder in which they stay: one file a batch, the head on its first line, then a letter a
    line, all JSON."""

    folder: Path

    async def keep(self, driver: Any, batch: Any) -> None:
        """Write down what `batch`, a stored one's row, holds; one that stands there stays."""
        path = self.folder / f"{batch['name']}.jsonl"
        if path.exists():
            return
        columns = RosterHead.model_fields.keys() - {"schema_version"}
        head = RosterHead(**{name: batch[name] for name in columns})
        letters = [_letter(row) for row in await driver.fetch(_LETTERS, batch["id"])]
        lines = [record.model_dump_json() for record in (head, *letters)]
        write_whole(path, "".join(f"{line}\n" for line in lines).encode())

    def all(self) -> Iterator[Roster]:
        """Every roster, by name. Raises InputError for one that cannot be read."""
        for path in sorted(self.folder.glob("*.jsonl")):
            first, *others = path.read_text(encoding="utf-8").splitlines() or [""]
            try:
                head = RosterHead.model_validate_json(first)
                letters = tuple(RosterLetter.model_validate_json(line) for line in others)
            except ValidationError as error:
                raise InputError(f"{path}: {error.error_count()} fault(s): no roster") from None
            if len(letters) != head.pieces:
                raise InputError(f"{path}: {len(letters)} letters of {head.pieces}")
            yield Roster(head, letters)


def _letter(row: Any) -> RosterLetter:
    notice = CATALOGUE.get(row["notice"] or "")
    named = {name: row[name] for name in RosterLetter.model_fields if name != "secret"}
    return RosterLetter(**named, secret=notice is not None and notice.carries_secret)


def in_order(rosters: Sequence[Roster]) -> list[Roster]:
    """As the batches were closed."""
    return sorted(rosters, key=lambda one: (one.head.env, one.head.job, one.head.sequence))
