"""What a vendor remembers of a batch: its pieces, and what it told of them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.vendor.answers import ENDS, Status, StatusRow, Tally
from tests.vendor.counting import Piece, TakenIn


@dataclass
class Job:
    """One batch in the shop."""

    taken: TakenIn
    ack: dict[str, Any] | None = None
    final: dict[str, Any] | None = None
    events: dict[str, list[StatusRow]] = field(default_factory=lambda: defaultdict(list))
    made: int = 0
    """Events made so far; the next one's id goes on from here."""
    files: int = 0
    """The number of the last status file."""
    orders: set[str] = field(default_factory=set)
    """The orders that were answered."""

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All pieces, in the order of the index."""
        return self.taken.pieces

    def piece(self, piece_id: str) -> Piece:
        """One piece. KeyError if it is not of this batch."""
        return {piece.piece_id: piece for piece in self.pieces}[piece_id]

    def note(self, rows: Iterable[StatusRow]) -> None:
        """Remember what was told."""
        for row in rows:
            if row not in self.events[row.piece_id]:
                self.events[row.piece_id].append(row)

    def end_of(self, piece_id: str) -> StatusRow | None:
        """How a piece ended, if it did: mailed, rejected or cancelled."""
        ends = [row for row in self.events[piece_id] if row.status in ENDS]
        return ends[-1] if ends else None

    def told(self, status: Status) -> list[Piece]:
        """The pieces of which `status` was told at some time."""
        return [
            piece
            for piece in self.pieces
            if any(row.status == status for row in self.events[piece.piece_id])
        ]

    def open_pieces(self) -> list[Piece]:
        """The pieces that have not ended yet."""
        return [piece for piece in self.pieces if self.end_of(piece.piece_id) is None]

    def tally(self) -> Tally:
        """What became of the batch so far; a piece mailed twice counts once."""
        by_end: dict[str, list[Piece]] = defaultdict(list)
        for piece in self.pieces:
            end = self.end_of(piece.piece_id)
            if end is not None:
                by_end[end.status].append(piece)
        sheets = sum(piece.sheets for piece in by_end[Status.MAILED])
        return Tally(
            mailed=len(by_end[Status.MAILED]),
            rejected=len(by_end[Status.REJECTED]),
            cancelled=len(by_end[Status.CANCELLED]),
            pages=2 * sheets,
            sheets=sheets,
        )
