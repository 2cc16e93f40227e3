"""What is published beside the contract is what the program reads and writes."""

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

from engine.mail.contract import Done, Manifest, Order, Record, piece_ids_sha256, sha256
from engine.mail.schemas import FOLDER, json_schemas, published
from engine.mail.vendor.answers import Ack, FinalReport, StatusRow
from engine.mail.vendor.inbound import FileName, read_ack, read_final, read_statuses

EXAMPLES = FOLDER / "examples"
BATCH = "ccss_test_letters_20261123_001"


def faults(name: str, value: object) -> list[str]:
    """What the published schema finds wrong."""
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(value)]


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, by column."""
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))


@pytest.mark.parametrize("name", sorted(json_schemas()))
def test_a_published_schema_is_the_codes_own(name: str) -> None:
    """The vendor's schema and ours are one; `python -m engine.mail.schemas write` renews it."""
    assert (FOLDER / name).read_text(encoding="utf-8") == published(json_schemas()[name])
    jsonschema.Draft202012Validator.check_schema(json_schemas()[name])


def test_no_schema_speaks_python() -> None:
    """A named group is Python's own: a vendor's program in another language could not load it."""
    for name in json_schemas():
        assert "(?P" not in (FOLDER / name).read_text()


@pytest.mark.parametrize(
    ("file", "schema", "record"),
    [
        ("manifest.json", "manifest", Manifest),
        (f"{BATCH}.done", "done", Done),
        (f"{BATCH}.order.001.json", "order", Order),
        (f"{BATCH}.ack.json", "ack", Ack),
        (f"{BATCH}.final.json", "final", FinalReport),
    ],
)
def test_an_example_fits_its_schema_and_is_read(
    file: str, schema: str, record: type[Record]
) -> None:
    """What the page shows is what passes, byte for byte as we would write it."""
    content = (EXAMPLES / file).read_bytes()
    assert faults(schema, json.loads(content)) == []
    assert record.model_validate_json(content).to_json() == content


def test_the_examples_are_one_batch() -> None:
    """Index, manifest, ack, statuses and final agree with each other."""
    index = (EXAMPLES / "index.csv").read_bytes()
    manifest = Manifest.model_validate_json((EXAMPLES / "manifest.json").read_bytes())
    rows = rows_of(EXAMPLES / "index.csv")
    assert [fault for row in rows for fault in faults("index-row", row)] == []
    assert manifest.index.sha256 == sha256(index)
    ids = [row["piece_id"] for row in rows]
    assert manifest.totals.piece_ids_sha256 == piece_ids_sha256(ids)
    ack = read_ack((EXAMPLES / f"{BATCH}.ack.json").read_bytes())
    assert ack.counted is not None
    assert (
        ack.counted.sheets == manifest.totals.sheets == sum(int(row["sheet_count"]) for row in rows)
    )
    told: dict[str, str] = {}
    for path in sorted(EXAMPLES.glob("*.status.*.csv")):
        assert FileName.parse(f"{path.name}.pgp").kind == "status"
        assert [fault for row in rows_of(path) for fault in faults("status-row", row)] == []
        told |= {row.piece_id: row.status for row in read_statuses(path.read_bytes())}
    assert [told[piece] for piece in ids] == ["returned", "rejected", "mailed"]
    final = read_final((EXAMPLES / f"{BATCH}.final.json").read_bytes())
    assert (final.pieces, final.mailed, final.rejected) == (3, 2, 1)


GOOD_ROW = {
    "event_id": "e1",
    "piece_id": "6f1c2a9e-4d1b-4f0a-9a53-0b6a51d2c701",
    "status": "mailed",
    "at": "2026-11-24T01:30:00Z",
    "reason": "",
    "sheets": "1",
    "reprint_of": "",
    "ncoa_code": "",
}


@pytest.mark.parametrize(
    "change",
    [
        {"event_id": ""},
        {"event_id": "a b"},
        {"event_id": "x" * 65},
        {"piece_id": GOOD_ROW["piece_id"].upper()},
        {"status": "delivered"},
        {"at": "2026-11-24T01:30:00+00:00"},
        {"at": "2026-11-24 01:30:00Z"},
        {"reason": "JAM"},
        {"sheets": ""},
        {"sheets": "0"},
        {"sheets": "1.0"},
        {"reprint_of": "e0"},
        {"ncoa_code": "ABC"},
        {"status": "returned", "sheets": ""},
        {"status": "returned", "sheets": "", "reason": "JAM"},
        {"status": "spoiled", "reason": "VACANT"},
        {"status": "reprinted"},
        {"status": "cancelled", "sheets": "", "ncoa_code": "A"},
        {"surprise": ""},
    ],
)
def test_schema_and_program_refuse_the_same_rows(change: dict[str, str]) -> None:
    """Whatever the vendor checks with, the answer is that of our own program."""
    row = GOOD_ROW | change
    assert faults("status-row", GOOD_ROW) == []
    StatusRow.model_validate(GOOD_ROW)
    assert faults("status-row", row) != []
    with pytest.raises(ValidationError):
        StatusRow.model_validate(row)


@pytest.mark.parametrize(
    "change",
    [
        {"result": "rejected"},
        {"counted": None},
        {"at": "2026-11-24T01:30:00-08:00"},
        {"at": 1_700_000_000},
        {"schema_version": 2},
        {"schema_version": "1"},
        {"sha256": "00"},
        {"errors": [{"code": "BAD_LUCK", "piece_id": None, "detail": None}]},
        {"batch_id": "ccss_live_letters_20261123_001"},
        {"surprise": 1},
    ],
)
def test_schema_and_program_refuse_the_same_acks(change: dict[str, object]) -> None:
    """Likewise for the ack."""
    good = json.loads((EXAMPLES / f"{BATCH}.ack.json").read_text())
    assert faults("ack", good | change) != []
    with pytest.raises(ValidationError):
        Ack.model_validate_json(json.dumps(good | change))
