"""A print vendor's own check of what it collected, written from the print batch contract alone.

    python verify_batch.py OUTGOING --key vendor-secret.asc --signer signing-public.asc

Standard library, and GnuPG or else pysequoia to decrypt with. Nothing that is decrypted touches
the disk. Ends with 0 when every batch agrees with itself, with 1 after naming what does not.
"""

import argparse
import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

Opener = Callable[[Path], bytes]

COLUMNS = [
    "seq", "piece_id", "part_file", "first_page", "page_count", "sheet_count", "template_id",
    "template_version", "lang", "mail_class", "name", "urbanization", "addr1", "addr2", "city",
    "state", "zip5", "zip4", "address_flags", "imb31", "sheet_mark",
]  # fmt: skip
NAME = re.compile(r"[a-z0-9]+_(prod|test)_[a-z0-9]+_[0-9]{8}_[0-9]{3}")
EXPECTED = re.compile(NAME.pattern + r"(\.zip\.pgp(\.sha256)?|\.done|\.order\.[0-9]{3}\.json\.pgp)")
MANIFEST = {
    "schema_version", "batch_id", "sequence", "previous_batch_id", "env", "created_at", "mail_by",
    "supersedes", "templates", "production", "parts", "index", "totals", "purge_by",
}  # fmt: skip
TEMPLATE = {"id", "version", "sha256", "proof_id", "approved_by", "approved_at"}
PRODUCTION = {"window_profile", "duplex", "colour", "mail_class", "endorsement", "imb_mode"}
PART = {"file", "bytes", "sha256", "pages", "pieces", "first_seq", "last_seq"}
TOTALS = {"pieces", "pages", "sheets", "by_class", "by_sheet_count", "piece_ids_sha256"}


class UnreadableError(Exception):
    """The batch cannot be read any further."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check every batch of a folder."""
    parser = argparse.ArgumentParser(description="Check the print batches in a folder.")
    parser.add_argument("outgoing", type=Path)
    parser.add_argument("--key", type=Path, required=True, help="the vendor's secret key")
    parser.add_argument("--signer", type=Path, required=True, help="the sender's public key")
    parser.add_argument("--with", dest="program", choices=("gpg", "pysequoia"))
    given = parser.parse_args(arguments)
    program = given.program or ("gpg" if shutil.which("gpg") else "pysequoia")
    openers = {"gpg": open_with_gpg, "pysequoia": open_with_pysequoia}
    opener = openers[program](given.key, given.signer)
    faults = [f"{given.outgoing.name}: unexpected file {name}" for name in strays(given.outgoing)]
    manifests = []
    dones = sorted(given.outgoing.glob("*.done"))
    if not dones:
        faults.append(f"{given.outgoing.name}: no batch is announced there")
    for done in dones:
        found, manifest = check_batch(done, opener)
        faults += [f"{done.stem}: {fault}" for fault in found]
        if manifest is not None and not found:
            manifests.append(manifest)
            say(summary(manifest))
    faults += sequence_faults(manifests)
    for fault in faults:
        say(f"DISAGREES  {fault}")
    say(f"{len(manifests)} of {len(dones)} batches agree, {len(faults)} disagreements ({program})")
    return 1 if faults else 0


def say(line: str) -> None:
    """One line to whoever runs this."""
    sys.stdout.write(line + "\n")


def strays(outgoing: Path) -> list[str]:
    """Files that the contract does not name; a hidden one is still being written."""
    names = sorted(path.name for path in outgoing.iterdir())
    return [name for name in names if not name.startswith(".") and not EXPECTED.fullmatch(name)]


def summary(manifest: dict[str, Any]) -> str:
    """What a batch holds, in a line."""
    totals = manifest["totals"]
    return (
        f"agrees     {manifest['batch_id']}: {totals['pieces']} pieces, {totals['pages']} pages, "
        f"{totals['sheets']} sheets, {len(manifest['parts'])} parts, mail by {manifest['mail_by']}"
    )


def check_batch(done_file: Path, opener: Opener) -> tuple[list[str], dict[str, Any] | None]:
    """Everything that disagrees about one batch, and its manifest when that could be read."""
    faults: list[str] = []
    try:
        done = json.loads(done_file.read_bytes())
        faults += done_faults(done, done_file)
        sealed = done_file.with_name(f"{done_file.stem}.zip.pgp")
        archive = zipfile.ZipFile(io.BytesIO(opener(sealed)))
        manifest = json.loads(archive.read("manifest.json"))
        faults += shape_faults(manifest)
        if faults:
            return faults, None
        faults += contents_faults(manifest, done, archive)
    except (UnreadableError, OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        return [*faults, f"{type(error).__name__}: {error}"], None
    return faults, manifest


def done_faults(done: dict[str, Any], done_file: Path) -> Iterator[str]:
    """`B.done` and the hash file against the ciphertext as it lies there."""
    if set(done) != {"batch_id", "bytes", "sha256", "pieces", "sheets"}:
        yield f".done has the fields {sorted(done)}"
    if done["batch_id"] != done_file.stem or not NAME.fullmatch(done_file.stem):
        yield f".done names the batch {done['batch_id']}"
    sealed = done_file.with_name(f"{done_file.stem}.zip.pgp")
    content = sealed.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if done["bytes"] != len(content):
        yield f".done says {done['bytes']} bytes, the file has {len(content)}"
    if done["sha256"] != digest:
        yield "the hash in .done is not that of the file"
    line = sealed.with_name(f"{sealed.name}.sha256").read_text(encoding="ascii")
    if line != f"{digest}  {sealed.name}\n":
        yield "the .sha256 file is not what sha256sum would write"


def shape_faults(manifest: dict[str, Any]) -> list[str]:
    """Fields that are missing from the manifest, or that the contract does not know."""
    shapes = [("manifest", manifest, MANIFEST)]
    if set(manifest) == MANIFEST:
        shapes += [("templates", template, TEMPLATE) for template in manifest["templates"]]
        shapes += [("parts", part, PART) for part in manifest["parts"]]
        shapes += [
            ("production", manifest["production"], PRODUCTION),
            ("index", manifest["index"], {"rows", "sha256"}),
            ("totals", manifest["totals"], TOTALS),
        ]
    return [
        f"{where}: fields differ from the contract's: {sorted(set(given) ^ fields)}"
        for where, given, fields in shapes
        if set(given) != fields
    ]


def contents_faults(
    manifest: dict[str, Any], done: dict[str, Any], archive: zipfile.ZipFile
) -> Iterator[str]:
    """The manifest against everything else in the archive."""
    yield from head_faults(manifest, done)
    names = ["manifest.json", "index.csv", *(part["file"] for part in manifest["parts"])]
    if archive.namelist() != names:
        yield f"the archive holds {archive.namelist()}, the manifest names {names}"
        return
    index = archive.read("index.csv")
    if hashlib.sha256(index).hexdigest() != manifest["index"]["sha256"]:
        yield "index.csv: the hash is not the manifest's"
    rows = list(csv.DictReader(io.StringIO(index.decode("utf-8"), newline="")))
    if index.split(b"\r\n", 1)[0].decode() != ",".join(COLUMNS):
        yield "index.csv: the columns are not the contract's"
        return
    yield from cell_faults(rows)
    if manifest["index"]["rows"] != len(rows):
        yield f"index.csv: {len(rows)} rows, the manifest says {manifest['index']['rows']}"
    yield from part_faults(manifest, archive, rows)
    yield from row_faults(manifest, rows)
    yield from totals_faults(manifest, rows)


def head_faults(manifest: dict[str, Any], done: dict[str, Any]) -> Iterator[str]:
    """Names, dates and the numbers that stand in two places."""
    batch_id = manifest["batch_id"]
    if manifest["schema_version"] != 1:
        yield f"schema version {manifest['schema_version']} is not known here"
    if batch_id != done["batch_id"]:
        yield f"the manifest names the batch {batch_id}"
    if manifest["env"] != batch_id.split("_")[1]:
        yield f"env is {manifest['env']}"
    created = datetime.fromisoformat(manifest["created_at"])
    if created.utcoffset() != timedelta(0):
        yield "created_at is not in UTC"
    if not created.date() <= date.fromisoformat(manifest["mail_by"]):
        yield "mail_by is before created_at"
    if date.fromisoformat(manifest["purge_by"]) < date.fromisoformat(manifest["mail_by"]):
        yield "purge_by is before mail_by"
    for name in ("pieces", "sheets"):
        if manifest["totals"][name] != done[name]:
            yield f".done says {done[name]} {name}, the manifest {manifest['totals'][name]}"


def cell_faults(rows: Sequence[dict[str, str]]) -> Iterator[str]:
    """Cells that the contract refuses."""
    for row in rows:
        if None in row or None in row.values():
            yield f"index.csv: row {row['seq']} has too many or too few cells"
        for column, cell in row.items():
            if cell and cell[0] in "=+-@":
                yield f"index.csv: row {row['seq']}: {column} begins like a formula"


def part_faults(
    manifest: dict[str, Any], archive: zipfile.ZipFile, rows: Sequence[dict[str, str]]
) -> Iterator[str]:
    """Each PDF against the manifest, and against the rows that point into it."""
    following = 1
    for part in manifest["parts"]:
        name = part["file"]
        pdf = archive.read(name)
        if len(pdf) != part["bytes"]:
            yield f"{name}: {len(pdf)} bytes, the manifest says {part['bytes']}"
        if hashlib.sha256(pdf).hexdigest() != part["sha256"]:
            yield f"{name}: the hash is not the manifest's"
        for counter, pages in page_counts(pdf).items():
            if pages != part["pages"]:
                yield f"{name}: {pages} pages by {counter}, the manifest says {part['pages']}"
        inside = [row for row in rows if row["part_file"] == name]
        if not len(inside) == part["pieces"] <= 500:
            yield f"{name}: {len(inside)} rows, the manifest says {part['pieces']} pieces"
        if (part["first_seq"], part["last_seq"]) != (following, following + part["pieces"] - 1):
            yield f"{name}: holds seq {part['first_seq']} to {part['last_seq']}"
        following += part["pieces"]
        yield from page_faults(name, part["pages"], inside)


def page_faults(name: str, pages: int, rows: Sequence[dict[str, str]]) -> Iterator[str]:
    """Pieces stand one after the other, each on a front, and fill the part to its last page."""
    following = 1
    for row in rows:
        first, count, sheets = (int(row[f]) for f in ("first_page", "page_count", "sheet_count"))
        if first != following or first % 2 == 0:
            yield f"{name}: seq {row['seq']} begins on page {first}"
        if count != 2 * sheets:
            yield f"{name}: seq {row['seq']} has {count} pages on {sheets} sheets"
        following = first + count
    if following != pages + 1:
        yield f"{name}: its pieces end on page {following - 1} of {pages}"


def row_faults(manifest: dict[str, Any], rows: Sequence[dict[str, str]]) -> Iterator[str]:
    """What must hold of each row by itself, and of the rows together."""
    templates = {(template["id"], template["version"]) for template in manifest["templates"]}
    batch_id = manifest["batch_id"]
    for number, row in enumerate(rows, 1):
        if row["seq"] != str(number):
            yield f"index.csv: row {number} has seq {row['seq']}"
        if row["lang"] not in {"en", "es", "both"}:
            yield f"index.csv: row {number}: lang is {row['lang']}"
        if (row["template_id"], row["template_version"]) not in templates:
            yield f"index.csv: row {number}: its template is not in the manifest"
        if row["sheet_mark"] != f"1|{batch_id}|{row['seq']}|1|{row['sheet_count']}":
            yield f"index.csv: row {number}: its sheet mark is of another piece"
        if not re.fullmatch(r"[A-Z]{2} [0-9]{5}( [0-9]{4})?", place(row)):
            yield f"index.csv: row {number}: state or ZIP is malformed"
        if not all(row[column] for column in ("piece_id", "name", "addr1", "city")):
            yield f"index.csv: row {number}: name or address is incomplete"
    twice = [
        piece for piece, count in Counter(row["piece_id"] for row in rows).items() if count > 1
    ]
    if twice:
        yield f"index.csv: pieces listed twice: {', '.join(twice[:3])}"


def place(row: dict[str, str]) -> str:
    """State, ZIP and its four more digits."""
    return " ".join(row[column] for column in ("state", "zip5", "zip4") if row[column])


def totals_faults(manifest: dict[str, Any], rows: Sequence[dict[str, str]]) -> Iterator[str]:
    """The totals, counted again from the rows."""
    ids = "".join(f"{row['piece_id']}\n" for row in rows)
    counted = {
        "pieces": len(rows),
        "pages": sum(int(row["page_count"]) for row in rows),
        "sheets": sum(int(row["sheet_count"]) for row in rows),
        "by_class": dict(Counter(row["mail_class"] for row in rows)),
        "by_sheet_count": dict(Counter(row["sheet_count"] for row in rows)),
        "piece_ids_sha256": hashlib.sha256(ids.encode()).hexdigest(),
    }
    for name, value in counted.items():
        if manifest["totals"][name] != value:
            yield f"totals.{name} is not what the rows add up to"


def sequence_faults(manifests: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A batch that is missing between two others."""
    ordered = sorted(manifests, key=lambda manifest: int(manifest["sequence"]))
    for earlier, later in pairwise(ordered):
        if later["sequence"] != earlier["sequence"] + 1:
            yield f"{later['batch_id']}: sequence {later['sequence']} after {earlier['sequence']}"
        elif later["previous_batch_id"] != earlier["batch_id"]:
            yield f"{later['batch_id']}: follows {later['previous_batch_id'] or 'nothing'}"


def page_counts(pdf: bytes) -> dict[str, int]:
    """The pages of a PDF by our own count, and by pdfinfo where it is installed."""
    counts = {"our count": len(re.findall(rb"/Type\s*/Page(?![A-Za-z])", b"\n".join(layers(pdf))))}
    if shutil.which("pdfinfo"):
        told = subprocess.run(["pdfinfo", "-"], input=pdf, capture_output=True, check=False)
        found = re.search(rb"^Pages:\s+([0-9]+)", told.stdout, re.MULTILINE)
        counts["pdfinfo"] = int(found[1]) if found else 0
    return counts


def layers(pdf: bytes) -> Iterator[bytes]:
    """The file outside its streams, and the object streams inside it, inflated."""
    outside = 0
    for stream in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        before = pdf[outside : stream.start()]
        yield before
        outside = stream.end()
        if re.search(rb"/Type\s*/ObjStm", before[before.rfind(b"obj") :]):
            yield zlib.decompressobj().decompress(stream[1])
    yield pdf[outside:]


def open_with_gpg(key: Path, signer: Path) -> Opener:
    """Decrypt and verify with GnuPG, in a keyring of its own that goes with it."""

    def run(home: str, *arguments: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = ["gpg", "--homedir", home, "--batch", "--no-tty", "--status-fd", "2", *arguments]
        return subprocess.run(command, input=content, capture_output=True, check=False)

    def open_file(sealed: Path) -> bytes:
        with tempfile.TemporaryDirectory() as home:
            try:
                imported = run(home, "--import", str(key), str(signer))
                if imported.returncode:
                    raise UnreadableError("gpg cannot import the keys")
                shown = run(home, "--with-colons", "--show-keys", str(signer)).stdout.decode()
                fingerprint = next(
                    line.split(":")[9] for line in shown.splitlines() if line.startswith("fpr:")
                )
                opened = run(home, "--decrypt", content=sealed.read_bytes())
            finally:
                subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
        status = [line.split() for line in opened.stderr.decode(errors="replace").splitlines()]
        words = [line[1:] for line in status if line[:1] == ["[GNUPG:]"]]
        if opened.returncode or ["DECRYPTION_OKAY"] not in words:
            raise UnreadableError("gpg cannot decrypt it")
        if not any(word[0] == "VALIDSIG" and word[-1] == fingerprint for word in words):
            raise UnreadableError("it is not signed by the sender")
        return opened.stdout

    return open_file


def open_with_pysequoia(key: Path, signer: Path) -> Opener:
    """Decrypt and verify with Sequoia."""
    import pysequoia  # noqa: PLC0415  a vendor with GnuPG has no need of it

    secret = pysequoia.Tsk.from_file(str(key))
    sender = pysequoia.Cert.from_file(str(signer))

    def open_file(sealed: Path) -> bytes:
        try:
            opened = pysequoia.decrypt(
                sealed.read_bytes(), decryptor=secret.decryptor(), store=lambda _ids: [sender]
            )
        except Exception as error:  # noqa: BLE001  it raises what it likes
            raise UnreadableError(f"Sequoia cannot open it: {str(error).splitlines()[0]}") from None
        if not any(valid.certificate == sender.fingerprint for valid in opened.valid_sigs):
            raise UnreadableError("it is not signed by the sender")
        return opened.bytes or b""

    return open_file


if __name__ == "__main__":
    sys.exit(main())
