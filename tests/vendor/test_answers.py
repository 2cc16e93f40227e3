"""The vendor's own files: rows go out and come back the same, and fit the contract's schemas."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.vendor.answers import (
    HEADER,
    Counted,
    Kind,
    StatusRow,
    Tally,
    ack_document,
    answer_name,
    final_document,
    from_csv,
    moment,
    to_csv,
)
from tests.vendor.schemas import Schemas
from tests.vendor.small_batches import BATCH, SmallBatch

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
PIECE = SmallBatch().piece_id(1)


def test_rows_come_back_as_they_went() -> None:
    """Commas, quotes and line breaks in a cell are kept, whatever the contract thinks of them."""
    rows = [
        StatusRow("e.1", PIECE, "accepted", moment(NOW), ncoa_code="A"),
        StatusRow("e.2", PIECE, "spoiled", moment(NOW), "JAM", "1"),
        StatusRow("e.3", PIECE, "reprinted", moment(NOW), "", "1", "e,\r\n2"),
    ]
    assert from_csv(to_csv(rows)) == rows


def test_a_status_file_is_written_as_the_index_is() -> None:
    """UTF-8 without a byte order mark, the contract's header, and CRLF on every line."""
    content = to_csv([StatusRow("e.1", PIECE, "mailed", moment(NOW), "", "2")])
    first = b"event_id,piece_id,status,at,reason,sheets,reprint_of,ncoa_code\r\n"
    assert content == first + f"e.1,{PIECE},mailed,2026-11-24T01:30:00Z,,2,,\r\n".encode()


@pytest.mark.parametrize("content", [b"", b"a,b\r\n", (",".join(HEADER) + "\r\n1,2\r\n").encode()])
def test_other_columns_are_not_read(content: bytes) -> None:
    """Nothing is guessed from a file of another shape."""
    with pytest.raises(ValueError, match=r"columns|values to unpack"):
        from_csv(content)


def test_moments_are_in_utc() -> None:
    """Any offset is turned into Z; a moment without one is refused."""
    pacific = datetime(2026, 11, 23, 17, 30, tzinfo=timezone(timedelta(hours=-8)))
    assert moment(pacific) == "2026-11-24T01:30:00Z"
    with pytest.raises(ValueError, match="offset"):
        moment(pacific.replace(tzinfo=None))


def test_names() -> None:
    """As section 6 has them."""
    assert answer_name(BATCH, Kind.ACK) == f"{BATCH}.ack.json.pgp"
    assert answer_name(BATCH, Kind.STATUS, 7) == f"{BATCH}.status.007.csv.pgp"
    assert answer_name(BATCH, Kind.FINAL) == f"{BATCH}.final.json.pgp"


def test_documents_fit_their_schemas() -> None:
    """An ack that received, one that rejected, and a final before and after the data went."""
    schemas = Schemas()
    counted = Counted(4, 10, 5, "0" * 64)
    error = {"code": "HASH_MISMATCH", "piece_id": None, "detail": "another hash"}
    for ack in (
        ack_document(BATCH, NOW, sha256="a" * 64, counted=counted, errors=[], rejected=False),
        ack_document(BATCH, NOW, sha256="a" * 64, counted=None, errors=[error], rejected=True),
    ):
        assert schemas.faults("ack", ack) == []
    for tally in (Tally(3, 1, 0, 8, 4), Tally(0, 4, 0, 0, 0)):
        for destroyed_at in (None, NOW):
            final = final_document(BATCH, NOW, tally, destroyed_at=destroyed_at)
            assert schemas.faults("final", final) == []
            assert (final["postage_statement_id"] is None) == (tally.mailed == 0)
