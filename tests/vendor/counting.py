"""Taking a batch in: opened, compared with itself, counted, and its marks looked at."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf

from tests.vendor.answers import Counted
from tests.vendor.marks import Sampling, can_be_read, mark_faults
from tests.vendor.schemas import Schemas
from tests.vendor.sealing import Keys
from tests.vendor.verify_batch import PIECE_ID, Fault, Opened, Row, check_batch
from tests.vendor.window import PROFILE, window_faults


@dataclass(frozen=True)
class Piece:
    """One piece, as the index has it."""

    seq: int
    piece_id: str
    sheets: int
    confidential: bool


@dataclass(frozen=True)
class TakenIn:
    """A batch that was opened as far as it would, and all that is wrong with it."""

    batch_id: str
    sha256: str
    manifest: dict[str, Any]
    pieces: tuple[Piece, ...]
    counted: Counted | None
    faults: tuple[Fault, ...]

    @property
    def good(self) -> bool:
        """A gap in the sequence does not stop a batch; anything else does."""
        return all(fault.code == "SEQUENCE_GAP" for fault in self.faults)

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The faults as an ack carries them."""
        return [
            {"code": fault.code, "piece_id": _known(fault.piece_id), "detail": fault.text[:200]}
            for fault in self.faults[:100]
        ]


def take_in(
    done_file: Path, keys: Keys, *, env: str, sampling: Sampling, schemas: Schemas
) -> TakenIn:
    """Everything that can be said about a batch by itself."""
    opened = check_batch(done_file, keys.open)
    faults = [*opened.faults, *schema_faults(opened, schemas)]
    if opened.manifest.get("env", env) != env:
        text = f"a {opened.manifest['env']} batch in the {env} account"
        faults.append(Fault("WRONG_ENVIRONMENT", text))
    counted: Counted | None = None
    try:
        counted = count(opened)
    except pikepdf.PdfError:
        faults.append(Fault("PDF_UNREADABLE", "a part cannot be read as a PDF"))
    if not faults and can_be_read():
        faults += mark_faults(opened.name, opened.rows, opened.parts, sampling)
        if opened.manifest["production"]["window_profile"] == PROFILE:
            faults += window_faults(opened.rows, opened.parts, sampling)
    pieces = () if faults else tuple(map(piece_of, opened.rows))
    found = tuple(faults)
    return TakenIn(opened.name, opened.sha256, opened.manifest, pieces, counted, found)


def schema_faults(opened: Opened, schemas: Schemas) -> Iterator[Fault]:
    """Where the files depart from the schemas beside the contract."""
    if opened.done:
        yield from (Fault("SCHEMA", text) for text in schemas.faults("done", opened.done))
    if opened.manifest:
        yield from (Fault("SCHEMA", text) for text in schemas.faults("manifest", opened.manifest))
    for number, row in enumerate(opened.rows, 1):
        for text in schemas.faults("index-row", row):
            yield Fault("SCHEMA", f"index.csv: row {number}: {text}")


def count(opened: Opened) -> Counted | None:
    """Pieces from the index, pages and sheets from the PDFs; None where either is missing.

    A sheet is two pages, as blank backs are pages of their own.
    """
    if not (opened.rows and opened.parts):
        return None
    pages = sum(pages_of(pdf) for name, pdf in opened.parts.items() if name.endswith(".pdf"))
    return Counted(len(opened.rows), pages, pages // 2, piece_ids_sha256(opened.rows))


def pages_of(pdf: bytes) -> int:
    """The pages of one PDF. PdfError if it cannot be read."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return len(document.pages)


def piece_ids_sha256(rows: Sequence[Row]) -> str:
    """All piece ids in their order, each followed by one line feed."""
    return hashlib.sha256("".join(f"{row['piece_id']}\n" for row in rows).encode()).hexdigest()


def piece_of(row: Row) -> Piece:
    """What the presses need to know of a row."""
    confidential = row["address_flags"] == "CONFIDENTIAL"
    return Piece(int(row["seq"]), row["piece_id"], int(row["sheet_count"]), confidential)


def _known(piece_id: str | None) -> str | None:
    return piece_id if piece_id and PIECE_ID.fullmatch(piece_id) else None
