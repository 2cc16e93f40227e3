"""The vendor's check: it passes a good batch, and names what is wrong with any other."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.vendor.small_batches import (
    BATCH,
    Change,
    Entries,
    SmallBatch,
    gnupg_key,
    keys_in,
    order,
    sha256,
    sides,
)

SCRIPT = Path(__file__).with_name("verify_batch.py")
SECOND = "ccss_test_letters_20261123_002"
SMALL = SmallBatch()


def verify(folder: Path, *options: str) -> tuple[int, str]:
    """Run the script as a vendor would; its exit code and what it said."""
    keys = folder.parent / "keys"
    if not keys.exists():
        keys_in(keys)
    command = [sys.executable, str(SCRIPT), str(folder)]
    command += ["--key", str(keys / "vendor-secret.asc")]
    command += ["--signer", str(keys / "signing-public.asc")]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_a_good_batch_agrees(tmp_path: Path) -> None:
    """Hashes, totals, names, pages and rows: nothing to say, and exit code 0."""
    SMALL.deliver(tmp_path / "outgoing")
    code, said = verify(tmp_path / "outgoing", "--with", "pysequoia")
    assert (code, said.count("DISAGREES")) == (0, 0)
    assert f"agrees     {BATCH}: 4 pieces, 10 pages, 5 sheets, 2 parts" in said


@pytest.mark.needs("gpg")
def test_a_good_batch_agrees_by_gnupg(tmp_path: Path) -> None:
    """The same with the vendor's own GnuPG."""
    secret, public = gnupg_key(tmp_path / "gnupg")
    keys_in(tmp_path / "keys").secret.write_text(secret)
    SMALL.deliver(tmp_path / "outgoing", to=public)
    code, said = verify(tmp_path / "outgoing", "--with", "gpg")
    assert code == 0, said
    assert "1 of 1 batches agree, 0 disagreements (gpg)" in said


def test_the_order_of_the_archive_s_entries_means_nothing(tmp_path: Path) -> None:
    """The manifest may come last."""

    def turned(entries: Entries, _manifest: dict[str, Any]) -> None:
        entries["manifest.json"] = entries.pop("manifest.json")

    SMALL.deliver(tmp_path / "outgoing", turned)
    assert verify(tmp_path / "outgoing", "--with", "pysequoia")[0] == 0


def test_an_order_is_no_stranger(tmp_path: Path) -> None:
    """It may lie beside its batch."""
    SMALL.deliver(tmp_path / "outgoing")
    order(tmp_path / "outgoing", SMALL, "cancel", [1])
    assert verify(tmp_path / "outgoing", "--with", "pysequoia")[0] == 0


def _hash_index(entries: Entries, manifest: dict[str, Any]) -> None:
    manifest["index"]["sha256"] = sha256(entries["index.csv"])


def _drop_row(entries: Entries, _manifest: dict[str, Any]) -> None:
    entries["index.csv"] = b"\r\n".join(entries["index.csv"].split(b"\r\n")[:-2]) + b"\r\n"


def _swap_pieces(entries: Entries, manifest: dict[str, Any]) -> None:
    first, second = (SMALL.piece_id(seq).encode() for seq in (1, 2))
    swapped = entries["index.csv"].replace(first, b"piece-x")
    entries["index.csv"] = swapped.replace(second, first).replace(b"piece-x", second)
    _hash_index(entries, manifest)


def _cell(row: int, column: int, to: bytes) -> Change:
    def change(entries: Entries, manifest: dict[str, Any]) -> None:
        lines = entries["index.csv"].split(b"\r\n")
        cells = lines[row].split(b",")
        cells[column] = to
        lines[row] = b",".join(cells)
        entries["index.csv"] = b"\r\n".join(lines)
        _hash_index(entries, manifest)

    return change


def _flip(entries: Entries, _manifest: dict[str, Any]) -> None:
    pdf = bytearray(entries["part-001.pdf"])
    pdf[len(pdf) // 2] ^= 1
    entries["part-001.pdf"] = bytes(pdf)


def _drop_part(entries: Entries, _manifest: dict[str, Any]) -> None:
    del entries["part-002.pdf"]


def _byte_order_mark(entries: Entries, manifest: dict[str, Any]) -> None:
    entries["index.csv"] = "\ufeff".encode() + entries["index.csv"]
    _hash_index(entries, manifest)


def _set(*path: str | int, to: object) -> Change:
    def change(_entries: Entries, manifest: dict[str, Any]) -> None:
        place: Any = manifest
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_drop_row, "COUNT_MISMATCH: index.csv: 3 rows, the manifest says 4"),
        (_drop_row, "HASH_MISMATCH: index.csv: the hash is not the manifest's"),
        (_drop_row, "totals.pieces"),
        (_swap_pieces, "totals.piece_ids_sha256"),
        (_cell(1, 14, b"=SACRAMENTO"), "SCHEMA: index.csv: row 1: city begins like a formula"),
        (_cell(1, 14, b"SACRA\x7fMENTO"), "city holds a control character"),
        (_cell(2, 3, b"2"), "part-001.pdf: seq 2 begins on page 2"),
        (_cell(2, 1, b"piece-b"), "row 2: piece_id is not a UUID in lower case"),
        (_cell(2, 2, b"part-009.pdf"), "row 2: its part is not in the manifest"),
        (_cell(2, 8, b"fr"), "row 2: lang is fr"),
        (_cell(2, 9, b"standard"), "row 2: mail_class is standard"),
        (_cell(2, 11, b"URB LAS GLADIOLAS"), "ADDRESS_REFUSED: index.csv: row 2: an urbanization"),
        (_cell(2, 12, b""), "row 2: name or address is incomplete"),
        (_cell(2, 18, b"SECRET"), "row 2: address_flags is not known"),
        (_cell(2, 19, b"0" * 20), "row 2: imb31 does not go with imb_mode"),
        (_byte_order_mark, "the columns are not the contract's"),
        (_flip, "part-001.pdf: the hash is not the manifest's"),
        (_drop_part, "ARCHIVE_DAMAGED: the archive holds"),
        (_set("totals", "sheets", to=6), "totals.sheets"),
        (_set("totals", "pages", to=12), "totals.pages"),
        (_set("totals", "by_class", to={"standard": 4}), "totals.by_class"),
        (_set("totals", "by_sheet_count", to={"1": 4}), "totals.by_sheet_count"),
        (_set("parts", 0, "pages", to=4), "part-001.pdf: 6 pages by our count"),
        (_set("parts", 0, "bytes", to=6), "part-001.pdf"),
        (_set("parts", 1, "first_seq", to=4), "part-002.pdf: holds seq 4"),
        (_set("batch_id", to=SECOND), "the manifest names the batch"),
        (_set("batch_id", to=BATCH.replace("23_", "24_")), "named for the day"),
        (_set("env", to="prod"), "WRONG_ENVIRONMENT: env is prod"),
        (_set("schema_version", to=2), "schema version 2"),
        (_set("previous_batch_id", to=SECOND), "only the first batch of all follows none"),
        (_set("mail_by", to="2026-11-22"), "mail_by is before created_at"),
        (_set("purge_by", to="2026-11-24"), "purge_by is before mail_by"),
        (_set("created_at", to="2026-11-24T01:30:00-08:00"), "created_at is not in UTC"),
        (_set("templates", 0, "version", to="9"), "its template is not in the manifest"),
        (_set("production", "duplex", to=False), "production.duplex is False"),
        (_set("production", "imb_mode", to="ours"), "row 1: imb31 does not go with imb_mode"),
        (_set("surplus", to=1), "fields differ from the contract's: ['surplus']"),
    ],
)
def test_what_was_changed_is_named(tmp_path: Path, change: Change, named: str) -> None:
    """However well it is signed again, a batch that disagrees with itself is found out."""
    SMALL.deliver(tmp_path / "outgoing", change)
    code, said = verify(tmp_path / "outgoing", "--with", "pysequoia")
    assert code == 1
    assert named in said
    assert "EXAMPLE ST" not in said


def test_a_flipped_byte_of_the_message_is_named(tmp_path: Path) -> None:
    """The ciphertext is known by its hash."""
    outgoing = tmp_path / "outgoing"
    SMALL.deliver(outgoing)
    sealed = outgoing / f"{BATCH}.zip.pgp"
    message = bytearray(sealed.read_bytes())
    message[len(message) // 2] ^= 1
    sealed.write_bytes(message)
    code, said = verify(outgoing, "--with", "pysequoia")
    assert code == 1
    assert "the hash in .done is not that of the file" in said
    assert "the .sha256 file is not what sha256sum would write" in said


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """An announcement alone is no batch."""
    SMALL.deliver(tmp_path / "outgoing")
    (tmp_path / "outgoing" / f"{BATCH}.zip.pgp").unlink()
    code, said = verify(tmp_path / "outgoing", "--with", "pysequoia")
    assert code == 1
    assert f"{BATCH}.zip.pgp is not there" in said


def test_a_file_beside_the_batch_is_named(tmp_path: Path) -> None:
    """A letter left lying in the clear; what is still being written is not looked at."""
    outgoing = tmp_path / "outgoing"
    SMALL.deliver(outgoing)
    (outgoing / "part-001.pdf").write_bytes(b"%PDF")
    (outgoing / ".ccss_test_letters_20261124_001.zip.pgp.part").write_bytes(b"still coming")
    code, said = verify(outgoing, "--with", "pysequoia")
    assert code == 1
    assert "unexpected file part-001.pdf" in said
    assert "20261124" not in said


def test_an_empty_folder_is_not_a_pass(tmp_path: Path) -> None:
    """Nothing announced is nothing verified."""
    (tmp_path / "outgoing").mkdir()
    code, said = verify(tmp_path / "outgoing", "--with", "pysequoia")
    assert code == 1
    assert "no batch is announced there" in said


@pytest.mark.parametrize(
    ("batch_id", "sequence", "previous", "named"),
    [
        (SECOND, 3, "ccss_test_letters_20261123_009", "SEQUENCE_GAP: sequence 3 after 1"),
        (SECOND, 2, "ccss_test_letters_20261122_001", "SEQUENCE_GAP: follows"),
        (SECOND, 2, BATCH, "2 of 2 batches agree, 0 disagreements"),
        ("ccss_test_cheques_20261123_001", 7, SECOND, "2 of 2 batches agree, 0 disagreements"),
    ],
)
def test_a_missing_batch_between_two_is_named(
    tmp_path: Path, batch_id: str, sequence: int, previous: str, named: str
) -> None:
    """The sequence of a job goes on by one, and each batch names the one before it."""
    outgoing = tmp_path / "outgoing"
    SMALL.deliver(outgoing)
    SmallBatch(batch_id=batch_id, sequence=sequence, previous=previous).deliver(outgoing)
    code, said = verify(outgoing, "--with", "pysequoia")
    assert (code == 0) == named.startswith("2 of 2")
    assert named in said


@pytest.mark.parametrize(
    ("secret", "signer", "named"),
    [
        ("vendor_secret", "vendor_public", "BAD_SIGNATURE: Sequoia cannot open it"),
        ("agency_secret", "agency_public", "NOT_DECRYPTED: Sequoia cannot open it"),
    ],
)
def test_another_sender_and_another_reader_are_named(
    tmp_path: Path, secret: str, signer: str, named: str
) -> None:
    """Signed, but not by us; encrypted, but not to you."""
    SMALL.deliver(tmp_path / "outgoing")
    keys = keys_in(tmp_path / "keys")
    keys.secret.write_text(getattr(sides(), secret))
    keys.agency.write_text(getattr(sides(), signer))
    code, said = verify(tmp_path / "outgoing", "--with", "pysequoia")
    assert code == 1
    assert named in said


def test_a_signer_whose_key_rolls_over_is_known_by_either(tmp_path: Path) -> None:
    """Both certificates stand in one file."""
    SMALL.deliver(tmp_path / "outgoing")
    keys = keys_in(tmp_path / "keys")
    keys.agency.write_text(sides().vendor_public + sides().agency_public)
    assert verify(tmp_path / "outgoing", "--with", "pysequoia")[0] == 0
