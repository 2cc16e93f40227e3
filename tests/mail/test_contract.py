"""The contract's names and records."""

import hashlib
import json
from datetime import date
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from engine.errors import InputError
from engine.mail.contract import BatchName, Done, Manifest, piece_ids_sha256
from engine.mail.schemas import json_schemas
from tests.mail.sample_batches import archive


def test_a_batch_name_reads_back() -> None:
    """The contract's own example, both ways."""
    name = BatchName("ccss", "prod", "letters", date(2026, 11, 23), 1)
    assert str(name) == "ccss_prod_letters_20261123_001"
    assert BatchName.parse(str(name)) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ccss_live_letters_20261123_001",
        "ccss_prod_letters_20261323_001",
        "ccss_prod_letters_20261123_000",
        "ccss_prod_letters_20261123_1",
        "CCSS_prod_letters_20261123_001",
        "ccss_prod_let_ters_20261123_001",
        "../ccss_prod_letters_20261123_001",
        "ccss_prod_letters_20261123_001\n",
    ],
)
def test_what_is_no_batch_name_is_refused(text: str) -> None:
    """A name ends in file names: nothing but its own shape passes."""
    with pytest.raises(InputError):
        BatchName.parse(text)


def test_a_name_that_could_not_be_read_back_is_not_made() -> None:
    """An underscore in a part, or a thousandth batch of a day."""
    for agency, number in (("cc_ss", 1), ("ccss", 1000), ("ccss", 0), ("", 1)):
        with pytest.raises(InputError):
            BatchName(agency, "test", "letters", date(2026, 11, 23), number)


def test_piece_ids_are_hashed_as_the_contract_says() -> None:
    """In order, each followed by a line feed."""
    assert piece_ids_sha256(["a", "b"]) == hashlib.sha256(b"a\nb\n").hexdigest()
    assert piece_ids_sha256(["b", "a"]) != piece_ids_sha256(["a", "b"])


def test_a_manifest_reads_back_and_fits_its_schema() -> None:
    """What is written validates against what is published, and is the same when it is read."""
    written = archive().manifest.to_json()
    assert Manifest.model_validate_json(written) == archive().manifest
    data = json.loads(written)
    assert data["created_at"] == "2026-11-24T01:30:00Z"
    jsonschema.Draft202012Validator(json_schemas()["manifest.schema.json"]).validate(data)


def test_a_done_file_fits_its_schema() -> None:
    """And it has exactly the contract's five fields."""
    done = Done(
        batch_id="ccss_test_letters_20261123_001", bytes=1, sha256="0" * 64, pieces=1, sheets=1
    )
    data = json.loads(done.to_json())
    assert list(data) == ["batch_id", "bytes", "sha256", "pieces", "sheets"]
    jsonschema.Draft202012Validator(json_schemas()["done.schema.json"]).validate(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("totals", "pieces"), 5),
        (("totals", "pages"), 100),
        (("totals", "sheets"), 4),
        (("totals", "by_class"), {"first_class": 3}),
        (("totals", "by_sheet_count"), {"1": 1}),
        (("index", "rows"), 3),
        (("parts", 1, "first_seq"), 2),
        (("parts", 1, "pages"), 2),
        (("parts", 0, "pieces"), 501),
        (("parts", 0, "sha256"), "0" * 63),
        (("env",), "prod"),
        (("batch_id",), "nonsense"),
        (("purge_by",), "2026-11-01"),
        (("created_at",), "2026-11-24T01:30:00"),
        (("schema_version",), 2),
        (("surplus",), 1),
    ],
)
def test_a_manifest_that_disagrees_with_itself_is_refused(
    path: tuple[str | int, ...], value: Any
) -> None:
    """One number changed anywhere, and it is no manifest."""
    data = json.loads(archive().manifest.to_json())
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ValidationError):
        Manifest.model_validate(data)
