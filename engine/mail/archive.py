"""Puts a batch together: the manifest over its parts, and one archive of them all."""

import io
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from engine.mail.composing import ComposedPart
from engine.mail.contract import (
    BatchName,
    Index,
    Manifest,
    Part,
    Production,
    Template,
    Totals,
    piece_ids_sha256,
    sha256,
)
from engine.mail.index import IndexRow, write_index

# The earliest moment a ZIP entry can carry: the archive tells no time, and so is always the same.
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_READABLE: Final = 0o100644 << 16

_USUAL: Final = Production()


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """What is known of a batch before its letters are drawn."""

    name: BatchName
    sequence: int
    previous_batch_id: str | None
    created_at: datetime
    mail_by: date
    purge_by: date
    templates: tuple[Template, ...]
    production: Production = _USUAL
    supersedes: str | None = None


@dataclass(frozen=True, slots=True)
class Archive:
    """A batch in the clear. It holds PINs: it lives in memory, and only there."""

    manifest: Manifest
    content: bytes

    def __repr__(self) -> str:
        """The batch's name and nothing of its content."""
        return f"Archive({self.manifest.batch_id})"


def part_file(number: int) -> str:
    """The name of the `number`th part, from 1."""
    return f"part-{number:03d}.pdf"


def build_archive(
    facts: BatchFacts, parts: Sequence[ComposedPart], rows: Sequence[IndexRow]
) -> Archive:
    """Manifest, index and parts in one ZIP; the same batch gives the same bytes.

    `parts` hold at least one piece each and `rows` one row a piece, both in the order of `seq`.
    Raises RefusedCellError for a cell, ValueError where parts and rows speak of different pieces.
    """
    _require_same_pieces(parts, rows)
    index = write_index(rows)
    manifest = Manifest(
        batch_id=str(facts.name),
        sequence=facts.sequence,
        previous_batch_id=facts.previous_batch_id,
        env=facts.name.env,
        created_at=facts.created_at,
        mail_by=facts.mail_by,
        supersedes=facts.supersedes,
        templates=facts.templates,
        production=facts.production,
        parts=tuple(_part(number, part) for number, part in enumerate(parts, 1)),
        index=Index(rows=len(rows), sha256=sha256(index)),
        totals=_totals(rows),
        purge_by=facts.purge_by,
    )
    entries = [("manifest.json", manifest.to_json()), ("index.csv", index)]
    entries += [(part_file(number), part.pdf) for number, part in enumerate(parts, 1)]
    return Archive(manifest, _zip(entries))


def _require_same_pieces(parts: Sequence[ComposedPart], rows: Sequence[IndexRow]) -> None:
    drawn = [
        (piece.seq, piece.piece_id, part_file(number), piece.first_page, piece.sheet_count)
        for number, part in enumerate(parts, 1)
        for piece in part.pieces
    ]
    listed = [
        (row.seq, row.piece_id, row.part_file, row.first_page, row.sheet_count) for row in rows
    ]
    if drawn != listed:
        raise ValueError("the index does not list the pieces of the parts, in their order")


def _part(number: int, part: ComposedPart) -> Part:
    return Part(
        file=part_file(number),
        bytes=len(part.pdf),
        sha256=sha256(part.pdf),
        pages=part.pages,
        pieces=len(part.pieces),
        first_seq=part.pieces[0].seq,
        last_seq=part.pieces[-1].seq,
    )


def _totals(rows: Sequence[IndexRow]) -> Totals:
    by_sheet_count = Counter(row.sheet_count for row in rows)
    return Totals(
        pieces=len(rows),
        pages=sum(row.page_count for row in rows),
        sheets=sum(row.sheet_count for row in rows),
        by_class=dict(sorted(Counter(row.mail_class for row in rows).items())),
        by_sheet_count={str(sheets): by_sheet_count[sheets] for sheets in sorted(by_sheet_count)},
        piece_ids_sha256=piece_ids_sha256(row.piece_id for row in rows),
    )


def _zip(entries: Sequence[tuple[str, bytes]]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in entries:
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.create_system = _UNIX
            entry.external_attr = _READABLE
            entry.compress_type = zipfile.ZIP_DEFLATED
            opened.writestr(entry, content)
    return archive.getvalue()
