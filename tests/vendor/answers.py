"""What a vendor writes back: the files' names, the rows of a status file, acks and finals."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

ADDRESS_CODES = (
    "ATTEMPTED_NOT_KNOWN", "DECEASED", "ILLEGIBLE", "INSUFFICIENT_ADDRESS",
    "MOVED_LEFT_NO_ADDRESS", "FORWARD_EXPIRED", "NO_MAIL_RECEPTACLE", "NO_SUCH_NUMBER",
    "NO_SUCH_STREET", "NOT_DELIVERABLE_AS_ADDRESSED", "REFUSED", "TEMPORARILY_AWAY", "UNCLAIMED",
    "VACANT", "OTHER",
)  # fmt: skip
PRODUCTION_CODES = (
    "CASS_FAILED", "MARK_MISMATCH", "PDF_UNREADABLE", "JAM", "MISPRINT", "INSERTER", "DAMAGED",
    "STOCK", "OTHER",
)  # fmt: skip


class Kind(StrEnum):
    """The three files of an answer."""

    ACK = "ack"
    STATUS = "status"
    FINAL = "final"


class Status(StrEnum):
    """What became of a piece."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    HELD = "held"
    PRINTED = "printed"
    SPOILED = "spoiled"
    REPRINTED = "reprinted"
    MAILED = "mailed"
    CANCELLED = "cancelled"
    RETURNED = "returned"


ENDS = frozenset({Status.MAILED, Status.REJECTED, Status.CANCELLED})
COUNTS_SHEETS = frozenset({Status.PRINTED, Status.SPOILED, Status.REPRINTED, Status.MAILED})


@dataclass(frozen=True)
class StatusRow:
    """One event of one piece, every cell as the text that stands in the file."""

    event_id: str
    piece_id: str
    status: str
    at: str
    reason: str = ""
    sheets: str = ""
    reprint_of: str = ""
    ncoa_code: str = ""


HEADER = tuple(field.name for field in fields(StatusRow))


@dataclass(frozen=True)
class Counted:
    """A batch as the vendor counted it, from the index and the PDFs."""

    pieces: int
    pages: int
    sheets: int
    piece_ids_sha256: str


@dataclass(frozen=True)
class Tally:
    """What became of a whole batch: pieces by their end, and the paper of those mailed."""

    mailed: int
    rejected: int
    cancelled: int
    pages: int
    sheets: int


def answer_name(batch_id: str, kind: Kind, number: int | None = None) -> str:
    """`B.ack.json.pgp`, `B.status.nnn.csv.pgp` or `B.final.json.pgp`."""
    if kind is Kind.STATUS:
        return f"{batch_id}.status.{number:03}.csv.pgp"
    return f"{batch_id}.{kind}.json.pgp"


def moment(at: datetime) -> str:
    """UTC as the contract writes it. ValueError for a naive datetime."""
    if at.tzinfo is None:
        raise ValueError("a moment needs its offset")
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_csv(rows: Iterable[StatusRow]) -> bytes:
    """RFC 4180: commas, CRLF, quotes where a cell needs them."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows(astuple(row) for row in rows)
    return written.getvalue().encode()


def from_csv(content: bytes) -> list[StatusRow]:
    """The rows of a status file. ValueError where its columns are others."""
    header, *rows = csv.reader(io.StringIO(content.decode(), newline=""), strict=True)
    if tuple(header) != HEADER or any(len(row) != len(HEADER) for row in rows):
        raise ValueError("the columns are not those of a status file")
    return [StatusRow(*row) for row in rows]


def to_json(document: dict[str, Any]) -> bytes:
    """A document as it is signed."""
    return json.dumps(document, indent=2).encode() + b"\n"


def ack_document(
    batch_id: str,
    at: datetime,
    *,
    sha256: str,
    counted: Counted | None,
    errors: Sequence[dict[str, Any]],
    rejected: bool,
) -> dict[str, Any]:
    """`B.ack.json`."""
    return {
        "schema_version": 1,
        "batch_id": batch_id,
        "at": moment(at),
        "result": "rejected" if rejected else "received",
        "sha256": sha256,
        "counted": None if counted is None else vars(counted).copy(),
        "errors": list(errors),
    }


def final_document(
    batch_id: str, at: datetime, tally: Tally, *, destroyed_at: datetime | None = None
) -> dict[str, Any]:
    """`B.final.json`; nothing mailed means no mailing to name."""
    mailing = batch_id.replace("_", "-").upper() if tally.mailed else None
    return {
        "schema_version": 1,
        "batch_id": batch_id,
        "at": moment(at),
        "pieces": tally.mailed + tally.rejected + tally.cancelled,
        "mailed": tally.mailed,
        "rejected": tally.rejected,
        "cancelled": tally.cancelled,
        "held": 0,
        "pages": tally.pages,
        "sheets": tally.sheets,
        "postage_statement_id": mailing and f"PS-{mailing}",
        "mail_dat_job_id": mailing and mailing[-8:].replace("-", ""),
        "destroyed_at": None if destroyed_at is None else moment(destroyed_at),
    }
