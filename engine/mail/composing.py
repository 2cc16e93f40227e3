"""Draws letters: a part of a batch, or one letter alone for a preview or the reader's own copy."""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final, Literal

from engine.errors import ConnectError
from engine.mail.casting import Casting
from engine.mail.foundry import Foundry, Inked
from engine.mail.index import refused
from engine.mail.laying_out import draw_alone
from engine.mail.letters import Letter
from engine.mail.moulds import Mould
from engine.mail.sheet_inks import front_inks
from engine.mail.sheet_marks import sheet_mark
from engine.mail.typeface import undrawable_characters
from engine.mail.typesetting import LayoutRefusedError, typesetter

PIECES_PER_PART: Final = 500

_REFUSED: Final = "the layout refuses it"
_TOO_LARGE: Final = "the address exceeds the window"

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
    try:
        return _cast(drawable, held, batch_id, document_date, first_seq)
    except LayoutRefusedError:
        faulty = _refused(drawable, batch_id, document_date)
    held += [HeldPiece(letter.piece_id, "UNRENDERABLE", _REFUSED) for letter in faulty]
    drawable = [letter for letter in drawable if letter not in faulty]
    try:
        return _cast(drawable, held, batch_id, document_date, first_seq)
    except LayoutRefusedError:
        raise ComposingError("the layout fails for letters that it draws apart") from None


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
    return _alone(letter, document_date)[0]


def render_letter_png(
    letter: Letter, document_date: date, *, ppi: float = 96, window: bool = False
) -> list[bytes]:
    """The pages of one letter as pictures, without a blank back; `window` draws the envelope's
    over the first. Raises ComposingError."""
    _, document = _alone(letter, document_date)
    return typesetter().png(document | {"window": window}, ppi)


def _alone(letter: Letter, document_date: date) -> tuple[bytes, dict[str, Any]]:
    """One letter's PDF, and what it was laid out from."""
    _, held = _screened([letter])
    if held:
        raise ComposingError(_unfit(held[0].flag, held[0].detail))
    try:
        return draw_alone(letter, document_date)
    except LayoutRefusedError:
        raise ComposingError(_unfit("UNRENDERABLE", _REFUSED)) from None


def _unfit(flag: HeldFlag, detail: str) -> str:
    return f"the letter cannot be drawn: {flag} ({detail})"


def _screened(letters: Iterable[Letter]) -> tuple[list[Letter], list[HeldPiece]]:
    """Set aside what would fail a whole part: characters the typeface lacks, addresses that exceed
    the window or that `index.csv` may not carry."""
    drawable, held = [], []
    for letter in letters:
        if fault := _unrenderable(letter):
            held.append(HeldPiece(letter.piece_id, "UNRENDERABLE", fault))
        elif not letter.fits:
            held.append(HeldPiece(letter.piece_id, "TOO_MANY_LINES", _TOO_LARGE))
        else:
            drawable.append(letter)
    return drawable, held


def _unrenderable(letter: Letter) -> str | None:
    missing = undrawable_characters("".join(set().union(*letter.texts())))
    if missing:
        codes = sorted(f"U+{ord(character):04X}" for character in missing)
        return f"the typeface has no {', '.join(codes)}"
    for field in fields(letter.recipient):
        if refused(getattr(letter.recipient, field.name)):
            return f"{field.name} begins like a formula"
    return None


def _cast(
    letters: Sequence[Letter],
    held: Sequence[HeldPiece],
    batch_id: str,
    document_date: date,
    first_seq: int,
) -> ComposedPart:
    """The part. Raises LayoutRefusedError."""
    if not letters:
        return ComposedPart(b"", (), tuple(held))
    foundry, inked, moulds = _laid_out(letters, batch_id, document_date)
    casting, pieces, first_page = Casting(foundry.drawn), [], 1
    for seq, one in enumerate(inked, first_seq):
        mould = moulds[one.look]
        sheets = (len(mould.pages) + 1) // 2
        marks = tuple(sheet_mark(batch_id, seq, sheet, sheets) for sheet in range(1, sheets + 1))
        casting.strike(mould, one.inks, front_inks(marks, one.letter.imb))
        pieces.append(PiecePages(one.letter.piece_id, seq, first_page, 2 * sheets, sheets, marks))
        first_page += 2 * sheets
    return ComposedPart(casting.finish(), tuple(pieces), tuple(held))


def _laid_out(
    letters: Sequence[Letter], batch_id: str, document_date: date
) -> tuple[Foundry, list[Inked], dict[Hashable, Mould]]:
    """Everything that the letters are struck from. Raises LayoutRefusedError."""
    foundry = Foundry(letters, title=batch_id, day=document_date)
    inked = foundry.inked()
    return foundry, inked, foundry.moulds(inked)


def _refused(letters: Sequence[Letter], batch_id: str, document_date: date) -> list[Letter]:
    """The letters that fail a part, found by halving; it is an error when every one does."""
    found = _halved(letters, batch_id, document_date)
    if len(found) == len(letters) > 1 or not found:
        raise ComposingError("the layout fails, and not because of one letter")
    return found


def _halved(letters: Sequence[Letter], batch_id: str, document_date: date) -> list[Letter]:
    try:
        _laid_out(letters, batch_id, document_date)
    except LayoutRefusedError:
        if len(letters) == 1:
            return list(letters)
        middle = len(letters) // 2
        halves = (letters[:middle], letters[middle:])
        return [one for half in halves for one in _halved(half, batch_id, document_date)]
    return []
