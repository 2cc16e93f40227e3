"""The archive: one ZIP, always the same, in the contract's order."""

import io
import json
import zipfile

import pytest

from engine.mail.composing import compose_part
from engine.mail.contract import sha256
from tests.mail.sample_batches import DAY, FACTS, NAME, archive, build_archive, letters, rows


def test_the_same_batch_gives_the_same_archive() -> None:
    """No time of day, no other machine's traces: every entry is as old as ZIP allows."""
    parts = [
        compose_part(letters()[:2], batch_id=str(NAME), document_date=DAY),
        compose_part(letters()[2:], batch_id=str(NAME), document_date=DAY, first_seq=3),
    ]
    assert build_archive(FACTS, parts, rows(parts, letters())).content == archive().content


def test_the_archive_holds_what_its_manifest_says() -> None:
    """In order, each part and the index under its hash, with totals that can be counted."""
    with zipfile.ZipFile(io.BytesIO(archive().content)) as opened:
        names = ["manifest.json", "index.csv", "part-001.pdf", "part-002.pdf"]
        assert opened.namelist() == names
        manifest = json.loads(opened.read("manifest.json"))
        assert manifest["index"] == {"rows": 4, "sha256": sha256(opened.read("index.csv"))}
        for part in manifest["parts"]:
            assert part["sha256"] == sha256(opened.read(part["file"]))
    assert manifest["totals"]["by_sheet_count"] == {"1": 3, "2": 1}
    assert (manifest["totals"]["pages"], manifest["totals"]["sheets"]) == (10, 5)


def test_an_index_of_other_pieces_is_refused() -> None:
    """Rows in another order, or one too few, never leave as a batch."""
    part = compose_part(letters()[:2], batch_id=str(NAME), document_date=DAY)
    listed = rows([part], letters())
    for wrong in (listed[:1], listed[::-1]):
        with pytest.raises(ValueError, match="in their order"):
            build_archive(FACTS, [part], wrong)
