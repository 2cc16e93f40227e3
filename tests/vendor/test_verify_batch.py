"""The vendor's check: it passes a good batch, and names what is wrong with any other."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.mail.archive import build_archive
from engine.mail.composing import compose_part
from tests.mail.sample_batches import DAY, FACTS, NAME, archive, deliver, keys, rows
from tests.mail.sample_letters import letter

SCRIPT = Path(__file__).with_name("verify_batch.py")
Entries = dict[str, bytes]


def verify(folder: Path, *options: str) -> tuple[int, str]:
    """Run the script as a vendor would; its exit code and what it said."""
    key, signer = folder.parent / "vendor-secret.asc", folder.parent / "signing-public.asc"
    key.write_text(keys().vendor.secret)
    signer.write_text(keys().signer.certificate)
    command = [sys.executable, str(SCRIPT), str(folder), "--key", str(key), "--signer", str(signer)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def remade(change: Callable[[Entries, dict[str, Any]], None]) -> bytes:
    """The sample archive with its entries or manifest changed, and zipped again."""
    with zipfile.ZipFile(io.BytesIO(archive().content)) as opened:
        entries = {name: opened.read(name) for name in opened.namelist()}
    manifest = json.loads(entries["manifest.json"])
    change(entries, manifest)
    entries["manifest.json"] = json.dumps(manifest).encode()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as written:
        for name, data in entries.items():
            written.writestr(name, data)
    return content.getvalue()


def test_a_good_batch_agrees(tmp_path: Path) -> None:
    """Hashes, totals, names, pages and rows: nothing to say, and exit code 0."""
    deliver(tmp_path / "outgoing", archive().content)
    code, said = verify(tmp_path / "outgoing", "--with", "pysequoia")
    assert (code, said.count("DISAGREES")) == (0, 0)
    assert f"agrees     {NAME}: 4 pieces, 10 pages, 5 sheets, 2 parts" in said


@pytest.mark.needs("gpg")
def test_a_good_batch_agrees_by_gnupg(tmp_path: Path) -> None:
    """The same with the vendor's own GnuPG."""
    deliver(tmp_path / "outgoing", archive().content)
    code, said = verify(tmp_path / "outgoing", "--with", "gpg")
    assert code == 0, said
    assert "1 of 1 batches agree, 0 disagreements (gpg)" in said


def _drop_row(entries: Entries, manifest: dict[str, Any]) -> None:
    entries["index.csv"] = b"\r\n".join(entries["index.csv"].split(b"\r\n")[:-2]) + b"\r\n"


def _swap_pieces(entries: Entries, manifest: dict[str, Any]) -> None:
    swapped = entries["index.csv"].replace(b"piece-a", b"piece-x")
    entries["index.csv"] = swapped.replace(b"piece-b", b"piece-a").replace(b"piece-x", b"piece-b")
    _hash_index(entries, manifest)


def _hash_index(entries: Entries, manifest: dict[str, Any]) -> None:
    manifest["index"]["sha256"] = hashlib.sha256(entries["index.csv"]).hexdigest()


def _formula(entries: Entries, manifest: dict[str, Any]) -> None:
    entries["index.csv"] = entries["index.csv"].replace(b"Sacramento", b"=Sacramento", 1)
    _hash_index(entries, manifest)


def _back_page(entries: Entries, manifest: dict[str, Any]) -> None:
    rows = entries["index.csv"].split(b"\r\n")
    cells = rows[2].split(b",")
    cells[3] = b"2"
    rows[2] = b",".join(cells)
    entries["index.csv"] = b"\r\n".join(rows)
    _hash_index(entries, manifest)


def _flip(entries: Entries, manifest: dict[str, Any]) -> None:
    pdf = bytearray(entries["part-001.pdf"])
    pdf[len(pdf) // 2] ^= 1
    entries["part-001.pdf"] = bytes(pdf)


def _drop_part(entries: Entries, manifest: dict[str, Any]) -> None:
    del entries["part-002.pdf"]


def _set(*path: str | int, to: object) -> Callable[[Entries, dict[str, Any]], None]:
    def change(entries: Entries, manifest: dict[str, Any]) -> None:
        place: Any = manifest
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_drop_row, "index.csv: 3 rows, the manifest says 4"),
        (_drop_row, "index.csv: the hash is not the manifest's"),
        (_drop_row, "totals.pieces"),
        (_swap_pieces, "totals.piece_ids_sha256"),
        (_formula, "city begins like a formula"),
        (_back_page, "part-001.pdf: seq 2 begins on page 2"),
        (_flip, "part-001.pdf: the hash is not the manifest's"),
        (_drop_part, "the archive holds"),
        (_set("totals", "sheets", to=6), "totals.sheets"),
        (_set("totals", "pages", to=12), "totals.pages"),
        (_set("totals", "by_class", to={"standard": 4}), "totals.by_class"),
        (_set("totals", "by_sheet_count", to={"1": 4}), "totals.by_sheet_count"),
        (_set("parts", 0, "pages", to=6), "part-001.pdf: 4 pages by our count"),
        (_set("parts", 0, "bytes", to=6), "part-001.pdf"),
        (_set("parts", 1, "first_seq", to=4), "part-002.pdf: holds seq 4"),
        (_set("batch_id", to="ccss_test_letters_20261123_002"), "the manifest names the batch"),
        (_set("env", to="prod"), "env is prod"),
        (_set("schema_version", to=2), "schema version 2"),
        (_set("purge_by", to="2026-11-24"), "purge_by is before mail_by"),
        (_set("created_at", to="2026-11-24T01:30:00-08:00"), "created_at is not in UTC"),
        (_set("templates", 0, "version", to="9"), "its template is not in the manifest"),
        (_set("surplus", to=1), "fields differ from the contract's: ['surplus']"),
    ],
)
def test_what_was_changed_is_named(
    tmp_path: Path, change: Callable[[Entries, dict[str, Any]], None], named: str
) -> None:
    """However well it is signed again, a batch that disagrees with itself is found out."""
    deliver(tmp_path / "outgoing", remade(change))
    code, said = verify(tmp_path / "outgoing", "--with", "pysequoia")
    assert code == 1
    assert named in said


def test_a_flipped_byte_of_the_message_is_named(tmp_path: Path) -> None:
    """The ciphertext is known by its hash, and by its own seal."""
    outgoing = tmp_path / "outgoing"
    deliver(outgoing, archive().content)
    sealed = outgoing / f"{NAME}.zip.pgp"
    message = bytearray(sealed.read_bytes())
    message[len(message) // 2] ^= 1
    sealed.write_bytes(message)
    code, said = verify(outgoing, "--with", "pysequoia")
    assert code == 1
    assert "the hash in .done is not that of the file" in said
    assert "the .sha256 file is not what sha256sum would write" in said
    assert "Sequoia cannot open it" in said


def test_a_file_beside_the_batch_is_named(tmp_path: Path) -> None:
    """A letter left lying in the clear, and a folder without a batch."""
    outgoing = tmp_path / "outgoing"
    deliver(outgoing, archive().content)
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


def test_a_missing_batch_between_two_is_named(tmp_path: Path) -> None:
    """The sequence goes on by one, and each batch names the one before it."""
    outgoing = tmp_path / "outgoing"
    deliver(outgoing, archive().content)
    for number, sequence, named in ((2, 3, "sequence 3 after 1"), (2, 2, "follows nothing")):
        name = replace(NAME, number=number)
        facts = replace(FACTS, name=name, sequence=sequence)
        part = compose_part([letter()], batch_id=str(name), document_date=DAY)
        later = build_archive(facts, [part], rows([part], [letter()]))
        deliver(outgoing, later.content, later)
        code, said = verify(outgoing, "--with", "pysequoia")
        assert code == 1
        assert named in said


def test_another_sender_is_named(tmp_path: Path) -> None:
    """Signed, but not by us."""
    outgoing = tmp_path / "outgoing"
    deliver(outgoing, archive().content)
    verify(outgoing, "--with", "pysequoia")
    (tmp_path / "signing-public.asc").write_text(keys().vendor.certificate)
    command = [sys.executable, str(SCRIPT), str(outgoing), "--with", "pysequoia"]
    command += ["--key", str(tmp_path / "vendor-secret.asc")]
    command += ["--signer", str(tmp_path / "signing-public.asc")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Sequoia cannot open it" in done.stdout


def test_the_script_knows_nothing_of_us() -> None:
    """It is written from the contract: no line of it imports the engine."""
    assert "engine" not in SCRIPT.read_text()
