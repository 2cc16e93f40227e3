"""From drawn parts to the sealed file: each part's rows, the archive over them, the ciphertext."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from engine.mail.archive import ArchiveWriter, BatchFacts
from engine.mail.composing import ComposedPart, PiecePages
from engine.mail.contract import Manifest
from engine.mail.frozen_letters import DraftedLetter
from engine.mail.index import IndexRow
from engine.mail.sealed_file import SealedFile

_MAIL_CLASS: Final = "first_class"


@dataclass(frozen=True, slots=True)
class Piece:
    """One letter's place in a printed batch, and the address it was printed with."""

    piece_id: str
    delivery_id: int | None
    seq: int
    pages: int
    sheets: int
    contact_point: int | None
    confidential: bool


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """What the sealed file holds, and the size and hash of its ciphertext."""

    manifest: Manifest
    bytes: int
    sha256: str


class Assembly:
    """Puts a batch into a file that is begun with its first piece. Everything here blocks.

    Left with an exception, it leaves no file.
    """

    def __init__(self, file: Callable[[], AbstractContextManager[SealedFile]]) -> None:
        self.pieces: list[Piece] = []
        self.template_ids: set[str] = set()
        self._begin = file
        self._open = ExitStack()
        self._file: SealedFile | None = None
        self._archive: ArchiveWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def add(self, drafted: Sequence[DraftedLetter], part: ComposedPart) -> None:
        """Write a part and its rows; one of which every piece is held is nothing."""
        if not part.pieces:
            return
        if self._archive is None:
            self._file = self._open.enter_context(self._begin())
            self._archive = ArchiveWriter(self._file)
        by_piece = {item.letter.piece_id: item for item in drafted}
        printed = [(piece, by_piece[piece.piece_id]) for piece in part.pieces]
        file = self._archive.next_part()
        self._archive.add(part, [_row(file, piece, item) for piece, item in printed])
        self.pieces += [_piece(piece, item) for piece, item in printed]
        self.template_ids |= {item.letter.template_id for _, item in printed}

    def finish(self, facts: BatchFacts) -> SealedBatch:
        """End the archive and the file; there was at least one piece."""
        if self._archive is None or self._file is None:
            raise ValueError("a batch without a piece has no file")
        manifest = self._archive.finish(facts)
        self._open.close()
        return SealedBatch(manifest, self._file.bytes, self._file.sha256)


def _piece(piece: PiecePages, item: DraftedLetter) -> Piece:
    return Piece(
        piece_id=piece.piece_id,
        delivery_id=item.delivery_id,
        seq=piece.seq,
        pages=piece.page_count,
        sheets=piece.sheet_count,
        contact_point=item.address.contact_point,
        confidential=item.address.confidential,
    )


def _row(file: str, piece: PiecePages, item: DraftedLetter) -> IndexRow:
    letter, to = item.letter, item.letter.recipient
    return IndexRow(
        seq=piece.seq,
        piece_id=piece.piece_id,
        part_file=file,
        first_page=piece.first_page,
        page_count=piece.page_count,
        sheet_count=piece.sheet_count,
        template_id=letter.template_id,
        template_version=letter.template_version,
        lang=letter.language,
        mail_class=_MAIL_CLASS,
        name=to.name.upper(),
        urbanization=to.urbanization.upper(),
        addr1=to.addr1.upper(),
        addr2=to.addr2.upper(),
        city=to.city.upper(),
        state=to.state.upper(),
        zip5=to.zip5,
        zip4=to.zip4,
        address_flags="CONFIDENTIAL" if item.address.confidential else "",
        imb31=item.imb.imb31 if item.imb else "",
        sheet_mark=piece.sheet_marks[0],
    )
