"""Puts a batch together, part by part: one archive of them all, and the manifest over it."""

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
from engine.mail.index import IndexFile, IndexRow
from engine.mail.zip_stream import Sink, ZipStream

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


class ArchiveWriter:
    """A batch in the clear, on its way into `sink`. It holds PINs: it is kept nowhere.

    One ZIP of `manifest.json`, `index.csv` and the parts: so they are listed, though the first two
    are written last, when they are known. The same batch gives the same bytes. No more than one
    part is in memory.
    """

    def __init__(self, sink: Sink) -> None:
        self._entries = ZipStream(sink)
        self._parts: list[Part] = []
        self._index = IndexFile()
        self._count = _Count()

    def next_part(self) -> str:
        """The name of the part that is added next."""
        return part_file(len(self._parts) + 1)

    def add(self, part: ComposedPart, rows: Sequence[IndexRow]) -> None:
        """Write a part of at least one piece, with one row a piece in the order of `seq`.

        Raises RefusedCellError for a cell, ValueError where they speak of different pieces.
        """
        file = self.next_part()
        _require_same_pieces(file, part, rows)
        self._index.add(rows)
        self._count.add(rows)
        self._entries.write(file, part.pdf)
        self._parts.append(_part(file, part))

    def finish(self, facts: BatchFacts) -> Manifest:
        """Write the index and the manifest, and end the archive."""
        index, totals = self._index.content(), self._count.totals()
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
            parts=tuple(self._parts),
            index=Index(rows=totals.pieces, sha256=sha256(index)),
            totals=totals,
            purge_by=facts.purge_by,
        )
        self._entries.write("index.csv", index)
        self._entries.write("manifest.json", manifest.to_json())
        self._entries.close(first=("manifest.json", "index.csv"))
        return manifest


def part_file(number: int) -> str:
    """The name of the `number`th part, from 1."""
    return f"part-{number:03d}.pdf"


def _require_same_pieces(file: str, part: ComposedPart, rows: Sequence[IndexRow]) -> None:
    drawn = [
        (piece.seq, piece.piece_id, file, piece.first_page, piece.sheet_count)
        for piece in part.pieces
    ]
    listed = [
        (row.seq, row.piece_id, row.part_file, row.first_page, row.sheet_count) for row in rows
    ]
    if drawn != listed:
        raise ValueError(f"the index does not list the pieces of {file}, in their order")


def _part(file: str, part: ComposedPart) -> Part:
    return Part(
        file=file,
        bytes=len(part.pdf),
        sha256=sha256(part.pdf),
        pages=part.pages,
        pieces=len(part.pieces),
        first_seq=part.pieces[0].seq,
        last_seq=part.pieces[-1].seq,
    )


class _Count:
    """The totals of a batch, as its rows come."""

    def __init__(self) -> None:
        self._pages = 0
        self._sheets: Counter[int] = Counter()
        self._classes: Counter[str] = Counter()
        self._piece_ids: list[str] = []

    def add(self, rows: Sequence[IndexRow]) -> None:
        """Count the rows of one more part."""
        self._pages += sum(row.page_count for row in rows)
        self._sheets.update(row.sheet_count for row in rows)
        self._classes.update(row.mail_class for row in rows)
        self._piece_ids += [row.piece_id for row in rows]

    def totals(self) -> Totals:
        """What was counted, as the manifest says it."""
        return Totals(
            pieces=len(self._piece_ids),
            pages=self._pages,
            sheets=sum(sheets * pieces for sheets, pieces in self._sheets.items()),
            by_class=dict(sorted(self._classes.items())),
            by_sheet_count={str(sheets): self._sheets[sheets] for sheets in sorted(self._sheets)},
            piece_ids_sha256=piece_ids_sha256(self._piece_ids),
        )
