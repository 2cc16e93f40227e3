"""Draws letters: a part of a batch, or one letter alone for a preview or the reader's own copy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final, Literal

from engine.errors import ConnectError
from engine.mail.index import refused
from engine.mail.letters import Letter
from engine.mail.sheet_marks import mark_svg, sheet_mark
from engine.mail.typeface import undrawable_characters
from engine.mail.typesetting import LayoutRefusedError, typesetter

PIECES_PER_PART: Final = 500
_PASSES: Final = 6

HeldFlag = Literal["UNRENDERABLE", "TOO_MANY_LINES"]


class ComposingError(ConnectError):
    """A part could not be drawn; nothing of it was kept, and it may be tried again."""


@dataclass(frozen=True, slots=True)
class PiecePages:
    """Where a piece stands in its part. Pages are 1-based and count a blank back."""

    piece_id: str
    seq: int
    first_page: int
    page_count: int
    sheet_count: int
    sheet_marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeldPiece:
    """A letter that was left out: the contract's address flag, and what was wrong."""

    piece_id: str
    flag: HeldFlag
    detail: str


@dataclass(frozen=True, slots=True)
class ComposedPart:
    """One PDF, what is in it, and what could not be."""

    pdf: bytes
    pieces: tuple[PiecePages, ...]
    held: tuple[HeldPiece, ...]

    @property
    def pages(self) -> int:
        """Pages of the PDF, blank backs among them."""
        return sum(piece.page_count for piece in self.pieces)

    @property
    def sheets(self) -> int:
        """Sheets of paper, printed on both sides."""
        return sum(piece.sheet_count for piece in self.pieces)


def compose_part(
    letters: Sequence[Letter], *, batch_id: str, document_date: date, first_seq: int = 1
) -> ComposedPart:
    """Draw up to 500 letters as one PDF/A-2a and PDF/UA-1, each beginning on a front.

    The letters that can be drawn are numbered from `first_seq` without a gap, in the order given.
    The same letters, batch and date give the same bytes. What cannot be drawn is held, with the
    reason, and the rest is composed; where nothing is left, the PDF is empty bytes. Raises
    ComposingError when the layout fails for every letter.
    """
    require_one_part(letters)
    drawable, held = _screened(letters)
    part = _Part(drawable, document_date, batch_id=batch_id, first_seq=first_seq)
    pdf = part.settle()
    return ComposedPart(pdf, part.pieces(), (*held, *part.held))


def require_one_part(letters: Sequence[Letter]) -> None:
    """Raise ValueError where `letters` are more than a part holds, or a piece stands twice."""
    if len(letters) > PIECES_PER_PART:
        raise ValueError(f"a part holds at most {PIECES_PER_PART} pieces, not {len(letters)}")
    if len({letter.piece_id for letter in letters}) < len(letters):
        raise ValueError("a piece stands twice in one part")


def render_letter_pdf(letter: Letter, document_date: date) -> bytes:
    """One letter as its reader may keep it: tagged, and without the inserter's marks.

    Raises ComposingError, naming the flag, where the letter would be held.
    """
    return _alone(letter, document_date).settle()


def render_letter_png(letter: Letter, document_date: date, *, ppi: float = 96) -> list[bytes]:
    """The pages of one letter as pictures, without a blank back. Raises ComposingError."""
    part = _alone(letter, document_date)
    part.settle()
    return part.pictures(ppi)


def _alone(letter: Letter, document_date: date) -> "_Part":
    drawable, held = _screened([letter])
    if held:
        raise ComposingError(_unfit(held[0].flag, held[0].detail))
    return _Part(drawable, document_date, must_fit=True)


def _unfit(flag: HeldFlag, detail: str) -> str:
    return f"the letter cannot be drawn: {flag} ({detail})"


def _screened(letters: Iterable[Letter]) -> tuple[list[Letter], list[HeldPiece]]:
    """Set aside what would fail a whole part: characters the typeface lacks, and addresses that
    `index.csv` may not carry."""
    drawable, held = [], []
    for letter in letters:
        if fault := _fault(letter):
            held.append(HeldPiece(letter.piece_id, "UNRENDERABLE", fault))
        else:
            drawable.append(letter)
    return drawable, held


def _fault(letter: Letter) -> str | None:
    missing = undrawable_characters("".join(letter.texts()))
    if missing:
        codes = sorted(f"U+{ord(character):04X}" for character in missing)
        return f"the typeface has no {', '.join(codes)}"
    for field in fields(letter.recipient):
        if refused(getattr(letter.recipient, field.name)):
            return f"{field.name} begins like a formula"
    return None


@dataclass(frozen=True, slots=True)
class _Planned:
    """A letter, its number, its first page, and the pages each half is believed to take."""

    letter: Letter
    seq: int
    start: int
    pages: tuple[int, ...]

    @property
    def sheets(self) -> int:
        return (sum(self.pages) + 1) // 2


class _Part:
    """Letters drawn until what was believed of their lengths is what the layout made of them.

    Marks, page numbers and blank backs need the lengths before they are known. One page for each
    language is nearly always right, and then a single compile is all there is.
    """

    def __init__(
        self,
        letters: Sequence[Letter],
        document_date: date,
        *,
        batch_id: str | None = None,
        first_seq: int = 1,
        must_fit: bool = False,
    ) -> None:
        self.held: list[HeldPiece] = []
        self._letters = list(letters)
        self._date = document_date
        self._batch_id = batch_id
        self._first_seq = first_seq
        self._must_fit = must_fit
        self._pages = {letter.piece_id: (1,) * len(letter.halves) for letter in letters}

    def settle(self) -> bytes:
        """Compile until nothing changes; the finished PDF."""
        for _ in range(_PASSES):
            if not self._letters:
                return b""
            try:
                drawn = typesetter().pdf(self.data())
            except LayoutRefusedError:
                self._set_aside(_refused(self._letters, self._date), "UNRENDERABLE", "the layout")
                continue
            if self._learn(drawn.pages) and not drawn.too_large:
                return drawn.pdf
            too_large = [self._letters[key] for key in sorted(drawn.too_large)]
            self._set_aside(too_large, "TOO_MANY_LINES", "the address exceeds the window")
        raise ComposingError("the layout did not settle: the length of a letter keeps changing")

    def pictures(self, ppi: float) -> list[bytes]:
        """The settled part as pictures, one a printed page."""
        return typesetter().png(self.data(), ppi)[: sum(self._plan()[0].pages)]

    def pieces(self) -> tuple[PiecePages, ...]:
        """Where each piece stands, once settled."""
        return tuple(
            PiecePages(
                piece_id=planned.letter.piece_id,
                seq=planned.seq,
                first_page=planned.start,
                page_count=2 * planned.sheets,
                sheet_count=planned.sheets,
                sheet_marks=self._marks(planned),
            )
            for planned in self._plan()
        )

    def data(self) -> dict[str, Any]:
        """The part as the layout reads it, by what is believed of its lengths now."""
        return {
            "title": self._batch_id or self._letters[0].halves[0].title,
            "date": [self._date.year, self._date.month, self._date.day],
            "letters": [
                _letter_data(key, planned, self._marks(planned))
                for key, planned in enumerate(self._plan())
            ],
        }

    def _plan(self) -> list[_Planned]:
        plan, start = [], 1
        for seq, letter in enumerate(self._letters, self._first_seq):
            planned = _Planned(letter, seq, start, self._pages[letter.piece_id])
            plan.append(planned)
            start += 2 * planned.sheets
        return plan

    def _marks(self, planned: _Planned) -> tuple[str, ...]:
        if self._batch_id is None:
            return ()
        return tuple(
            sheet_mark(self._batch_id, planned.seq, sheet, planned.sheets)
            for sheet in range(1, planned.sheets + 1)
        )

    def _learn(self, found: dict[int, tuple[int, ...]]) -> bool:
        """Take the lengths the layout found; whether they are what was believed."""
        believed = self._pages
        self._pages = {letter.piece_id: found[key] for key, letter in enumerate(self._letters)}
        return believed == self._pages

    def _set_aside(self, letters: Sequence[Letter], flag: HeldFlag, detail: str) -> None:
        if letters and self._must_fit:
            raise ComposingError(_unfit(flag, detail))
        self.held += [HeldPiece(letter.piece_id, flag, detail) for letter in letters]
        gone = {letter.piece_id for letter in letters}
        self._letters = [letter for letter in self._letters if letter.piece_id not in gone]


def _refused(letters: Sequence[Letter], document_date: date) -> list[Letter]:
    """The letters that fail a part, found by halving; it is an error when every one does."""
    refused = _halved(letters, document_date)
    if len(refused) == len(letters) > 1 or not refused:
        raise ComposingError("the layout fails, and not because of one letter")
    return refused


def _halved(letters: Sequence[Letter], document_date: date) -> list[Letter]:
    try:
        typesetter().pdf(_Part(letters, document_date).data())
    except LayoutRefusedError:
        if len(letters) == 1:
            return list(letters)
        middle = len(letters) // 2
        return _halved(letters[:middle], document_date) + _halved(letters[middle:], document_date)
    return []


def _letter_data(key: int, planned: _Planned, marks: Sequence[str]) -> dict[str, Any]:
    """A letter as the layout reads it, with the pages on which its halves begin."""
    letter = planned.letter
    languages = [half.language for half in letter.halves]
    halves, start = [], planned.start
    for half, pages in zip(letter.halves, planned.pages, strict=True):
        other = next((language for language in languages if language != half.language), None)
        halves.append(half.to_data() | {"start": start, "pages": pages, "overleaf_language": other})
        start += pages
    return {
        "key": key,
        "start": planned.start,
        "address": letter.recipient.to_data(),
        "return_address": list(letter.return_address),
        "halves": halves,
        "marks": [mark_svg(mark) for mark in marks],
        "blank_back": sum(planned.pages) % 2 == 1,
    }
