"""A print vendor's own check of what it collected, written from the print batch contract alone.

    python verify_batch.py OUTGOING --key vendor-secret.asc --signer signing-public.asc

Standard library, and GnuPG or else pysequoia to decrypt with. Nothing that is decrypted touches
the disk. Ends with 0 when every batch agrees with itself, with 1 after naming what does not: each
with the code that an ack of the contract would carry for it.
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
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Opener = Callable[[Path], bytes]
Row = dict[str, str]

COLUMNS = [
    "seq", "piece_id", "part_file", "first_page", "page_count", "sheet_count", "template_id",
    "template_version", "lang", "mail_class", "name", "urbanization", "addr1", "addr2", "city",
    "state", "zip5", "zip4", "address_flags", "imb31", "sheet_mark",
]  # fmt: skip
NAME = re.compile(r"[a-z0-9]{2,16}_(prod|test)_[a-z0-9]{2,16}_[0-9]{8}_[0-9]{3}")
EXPECTED = re.compile(NAME.pattern + r"(\.zip\.pgp(\.sha256)?|\.done|\.order\.[0-9]{3}\.json\.pgp)")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PIECE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
BARCODE = re.compile(r"[0-9]{20}|[0-9]{25}|[0-9]{29}|[0-9]{31}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
PACIFIC = ZoneInfo("America/Los_Angeles")
MANIFEST = {
    "schema_version", "batch_id", "sequence", "previous_batch_id", "env", "created_at", "mail_by",
    "supersedes", "templates", "production", "parts", "index", "totals", "purge_by",
}  # fmt: skip
TEMPLATE = {"id", "version", "sha256", "proof_id", "approved_by", "approved_at"}
PRODUCTION = {"window_profile", "duplex", "colour", "mail_class", "endorsement", "imb_mode"}
PART = {"file", "bytes", "sha256", "pages", "pieces", "first_seq", "last_seq"}
TOTALS = {"pieces", "pages", "sheets", "by_class", "by_sheet_count", "piece_ids_sha256"}


class Fault(NamedTuple):
    """One thing that is wrong: the contract's code for it, and where it was found."""

    code: str
    text: str
    piece_id: str | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class UnreadableError(Exception):
    """The batch cannot be read any further."""

    code = "OTHER"


class NotDecryptedError(UnreadableError):
    """The message is damaged, or is not for this key."""

    code = "NOT_DECRYPTED"


class BadSignatureError(UnreadableError):
    """The message is not signed by the sender."""

    code = "BAD_SIGNATURE"


@dataclass
class Opened:
    """A batch as far as it could be opened, and what was wrong on the way."""

    name: str
    sha256: str = ""
    done: dict[str, Any] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)
    index: bytes = b""
    rows: list[Row] = field(default_factory=list)
    parts: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check every batch of a folder."""
    parser = argparse.ArgumentParser(description="Check the print batches in a folder.")
    parser.add_argument("outgoing", type=Path)
    parser.add_argument("--key", type=Path, required=True, help="the vendor's secret key")
    parser.add_argument(
        "--signer", type=Path, required=True, help="the sender's public keys, in one file"
    )
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
        opened = check_batch(done, opener)
        faults += [f"{done.stem}: {fault}" for fault in opened.faults]
        if not opened.faults:
            manifests.append(opened.manifest)
            say(summary(opened.manifest))
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


def check_batch(done_file: Path, opener: Opener) -> Opened:
    """Open one batch and compare all of it with all the rest. It never raises for what it reads."""
    batch = Opened(done_file.stem)
    steps = (
        (read_done, "SCHEMA"),
        (read_archive, "ARCHIVE_DAMAGED"),
        (read_index, "SCHEMA"),
        (compare, "SCHEMA"),
    )
    for step, code in steps:
        try:
            batch.faults += step(batch, done_file, opener)
        except UnreadableError as error:
            batch.faults.append(Fault(error.code, str(error)))
        except (zipfile.BadZipFile, zlib.error) as error:
            batch.faults.append(Fault("ARCHIVE_DAMAGED", str(error)))
        except OSError as error:
            batch.faults.append(Fault(code, f"{Path(error.filename or '').name} is not there"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            batch.faults.append(Fault(code, f"{type(error).__name__} in {step.__name__}"))
        if batch.faults:
            break
    return batch


def read_done(batch: Opened, done_file: Path, _opener: Opener) -> Iterator[Fault]:
    """`B.done` and the hash file against the ciphertext as it lies there."""
    sealed = done_file.with_name(f"{done_file.stem}.zip.pgp")
    content = sealed.read_bytes()
    batch.sha256 = hashlib.sha256(content).hexdigest()
    batch.done = done = json.loads(done_file.read_bytes())
    if set(done) != {"batch_id", "bytes", "sha256", "pieces", "sheets"}:
        yield Fault("SCHEMA", f".done has the fields {sorted(done)}")
    if done["batch_id"] != done_file.stem or not NAME.fullmatch(done_file.stem):
        yield Fault("SCHEMA", f".done names the batch {done['batch_id']}")
    if done["bytes"] != len(content):
        yield Fault("HASH_MISMATCH", f".done says {done['bytes']} bytes, it has {len(content)}")
    if done["sha256"] != batch.sha256:
        yield Fault("HASH_MISMATCH", "the hash in .done is not that of the file")
    line = sealed.with_name(f"{sealed.name}.sha256").read_bytes()
    if line != f"{batch.sha256}  {sealed.name}\n".encode():
        yield Fault("HASH_MISMATCH", "the .sha256 file is not what sha256sum would write")


def read_archive(batch: Opened, done_file: Path, opener: Opener) -> Iterator[Fault]:
    """Decrypt, take the archive apart, and look at the manifest's own shape."""
    content = opener(done_file.with_name(f"{done_file.stem}.zip.pgp"))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
        if len(entries) != len(archive.namelist()):
            yield Fault("ARCHIVE_DAMAGED", "the archive holds a name twice")
    batch.manifest = json.loads(entries.pop("manifest.json"))
    batch.index = entries.pop("index.csv")
    batch.parts = entries
    for text in shape_faults(batch.manifest):
        yield Fault("SCHEMA", text)


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


def read_index(batch: Opened, _done_file: Path, _opener: Opener) -> Iterator[Fault]:
    """The rows, if the columns are the contract's."""
    text = batch.index.decode("utf-8")
    if batch.index.split(b"\r\n", 1)[0].decode() != ",".join(COLUMNS):
        yield Fault("SCHEMA", "index.csv: the columns are not the contract's")
    if not text.endswith("\r\n"):
        yield Fault("SCHEMA", "index.csv: the last line does not end")
    batch.rows = list(csv.DictReader(io.StringIO(text, newline="")))
    for number, row in enumerate(batch.rows, 1):
        if None in row or None in row.values():
            yield Fault("SCHEMA", f"index.csv: row {number} has too many or too few cells")


def compare(batch: Opened, _done_file: Path, _opener: Opener) -> Iterator[Fault]:
    """The manifest against everything else in the archive."""
    manifest = batch.manifest
    yield from head_faults(manifest, batch.done)
    yield from production_faults(manifest)
    names = sorted(part["file"] for part in manifest["parts"])
    if sorted(batch.parts) != names:
        text = f"the archive holds {sorted(batch.parts)}, the manifest names {names}"
        yield Fault("ARCHIVE_DAMAGED", text)
        return
    if hashlib.sha256(batch.index).hexdigest() != manifest["index"]["sha256"]:
        yield Fault("HASH_MISMATCH", "index.csv: the hash is not the manifest's")
    if manifest["index"]["rows"] != len(batch.rows):
        text = f"{len(batch.rows)} rows, the manifest says {manifest['index']['rows']}"
        yield Fault("COUNT_MISMATCH", f"index.csv: {text}")
    yield from part_faults(batch)
    for number, row in enumerate(batch.rows, 1):
        for fault in (*cell_faults(row), *row_faults(manifest, number, row)):
            yield fault._replace(text=f"index.csv: row {number}: {fault.text}")
    yield from totals_faults(batch)


def head_faults(manifest: dict[str, Any], done: dict[str, Any]) -> Iterator[Fault]:
    """Names, dates and the numbers that stand in two places."""
    batch_id = manifest["batch_id"]
    if manifest["schema_version"] != 1:
        yield Fault("SCHEMA", f"schema version {manifest['schema_version']} is not known here")
    if batch_id != done["batch_id"]:
        yield Fault("SCHEMA", f"the manifest names the batch {batch_id}")
    if manifest["env"] != batch_id.split("_")[1]:
        yield Fault("WRONG_ENVIRONMENT", f"env is {manifest['env']}")
    if (manifest["sequence"] == 1) != (manifest["previous_batch_id"] is None):
        yield Fault("SCHEMA", "only the first batch of all follows none")
    yield from day_faults(manifest)
    for name in ("pieces", "sheets"):
        if manifest["totals"][name] != done[name]:
            text = f".done says {done[name]} {name}, the manifest {manifest['totals'][name]}"
            yield Fault("COUNT_MISMATCH", text)


def day_faults(manifest: dict[str, Any]) -> Iterator[Fault]:
    """Days in their order, and the Pacific day in the name."""
    if not MOMENT.fullmatch(manifest["created_at"]):
        yield Fault("SCHEMA", "created_at is not in UTC")
        return
    for name in ("mail_by", "purge_by"):
        if not DAY.fullmatch(manifest[name]):
            yield Fault("SCHEMA", f"{name} is not a day")
            return
    closed = datetime.fromisoformat(manifest["created_at"]).astimezone(PACIFIC).date()
    mail_by, purge_by = (date.fromisoformat(manifest[name]) for name in ("mail_by", "purge_by"))
    if manifest["batch_id"].split("_")[3] != f"{closed:%Y%m%d}":
        yield Fault("SCHEMA", "the batch is not named for the day on which it was closed")
    if mail_by < closed:
        yield Fault("SCHEMA", "mail_by is before created_at")
    if purge_by < mail_by:
        yield Fault("SCHEMA", "purge_by is before mail_by")


def production_faults(manifest: dict[str, Any]) -> Iterator[Fault]:
    """How it is to be made, and whether its templates may be printed."""
    production = manifest["production"]
    agreed = {
        "duplex": (True,),
        "colour": ("black", "full"),
        "mail_class": ("first_class",),
        "imb_mode": ("vendor", "ours"),
    }
    for name, values in agreed.items():
        if production[name] not in values:
            yield Fault("SCHEMA", f"production.{name} is {production[name]}")
    for template in manifest["templates"]:
        proof = [template[name] for name in ("proof_id", "approved_by", "approved_at")]
        if manifest["env"] == "prod" and None in proof:
            text = f"{template['id']} version {template['version']} has no approved proof"
            yield Fault("TEMPLATE_NOT_APPROVED", text)


def part_faults(batch: Opened) -> Iterator[Fault]:
    """Each PDF against the manifest, and against the rows that point into it."""
    following = 1
    for number, part in enumerate(batch.manifest["parts"], 1):
        name, pdf = part["file"], batch.parts[part["file"]]
        if name != f"part-{number:03}.pdf":
            yield Fault("SCHEMA", f"{name}: stands as part {number}")
        if len(pdf) != part["bytes"]:
            text = f"{name}: {len(pdf)} bytes, the manifest says {part['bytes']}"
            yield Fault("HASH_MISMATCH", text)
        if hashlib.sha256(pdf).hexdigest() != part["sha256"]:
            yield Fault("HASH_MISMATCH", f"{name}: the hash is not the manifest's")
        for counter, pages in page_counts(pdf).items():
            if pages != part["pages"]:
                text = f"{name}: {pages} pages by {counter}, the manifest says {part['pages']}"
                yield Fault("COUNT_MISMATCH", text)
        inside = [row for row in batch.rows if row["part_file"] == name]
        if not len(inside) == part["pieces"] <= 500:
            text = f"{name}: {len(inside)} rows, the manifest says {part['pieces']} pieces"
            yield Fault("COUNT_MISMATCH", text)
        if (part["first_seq"], part["last_seq"]) != (following, following + part["pieces"] - 1):
            text = f"{name}: holds seq {part['first_seq']} to {part['last_seq']}"
            yield Fault("COUNT_MISMATCH", text)
        following += part["pieces"]
        yield from page_faults(name, part["pages"], inside)


def page_faults(name: str, pages: int, rows: Sequence[Row]) -> Iterator[Fault]:
    """Pieces stand one after the other, each on a front, and fill the part to its last page."""
    following = 1
    for row in rows:
        first, count, sheets = (int(row[f]) for f in ("first_page", "page_count", "sheet_count"))
        piece = row["piece_id"]
        if first != following or first % 2 == 0:
            text = f"{name}: seq {row['seq']} begins on page {first}"
            yield Fault("COUNT_MISMATCH", text, piece)
        if count != 2 * sheets:
            text = f"{name}: seq {row['seq']} has {count} pages on {sheets} sheets"
            yield Fault("COUNT_MISMATCH", text, piece)
        following = first + count
    if following != pages + 1:
        text = f"{name}: its pieces end on page {following - 1} of {pages}"
        yield Fault("COUNT_MISMATCH", text)


def cell_faults(row: Row) -> Iterator[Fault]:
    """Cells that the contract refuses."""
    for column, cell in row.items():
        if cell and cell[0] in "=+-@":
            yield Fault("SCHEMA", f"{column} begins like a formula", row["piece_id"])
        if CONTROL.search(cell):
            yield Fault("SCHEMA", f"{column} holds a control character", row["piece_id"])


def row_faults(manifest: dict[str, Any], number: int, row: Row) -> Iterator[Fault]:
    """What must hold of each row by itself. No cell that is personal is repeated in a fault."""
    piece = row["piece_id"]
    if not PIECE_ID.fullmatch(piece):
        yield Fault("SCHEMA", "piece_id is not a UUID in lower case")
        return
    templates = {(template["id"], template["version"]) for template in manifest["templates"]}
    mark = f"1|{manifest['batch_id']}|{row['seq']}|1|{row['sheet_count']}"
    barcode = bool(row["imb31"])
    told = (
        (row["seq"] == str(number), "SCHEMA", f"has seq {row['seq']}"),
        (row["lang"] in {"en", "es", "both"}, "SCHEMA", f"lang is {row['lang']}"),
        (row["mail_class"] == "first_class", "SCHEMA", f"mail_class is {row['mail_class']}"),
        (
            row["part_file"] in {part["file"] for part in manifest["parts"]},
            "SCHEMA",
            "its part is not in the manifest",
        ),
        (
            (row["template_id"], row["template_version"]) in templates,
            "SCHEMA",
            "its template is not in the manifest",
        ),
        (row["sheet_mark"] == mark, "MARK_MISMATCH", "its sheet mark is of another piece"),
        (
            re.fullmatch(r"[A-Z]{2} [0-9]{5}( [0-9]{4})?", place(row)) is not None,
            "ADDRESS_REFUSED",
            "state or ZIP is malformed",
        ),
        (
            all(row[column] for column in ("name", "addr1", "city")),
            "ADDRESS_REFUSED",
            "name or address is incomplete",
        ),
        (
            not row["urbanization"] or row["state"] == "PR",
            "ADDRESS_REFUSED",
            "an urbanization outside Puerto Rico",
        ),
        (row["address_flags"] in {"", "CONFIDENTIAL"}, "SCHEMA", "address_flags is not known"),
        (
            barcode == (manifest["production"]["imb_mode"] == "ours"),
            "SCHEMA",
            "imb31 does not go with imb_mode",
        ),
        (
            not barcode or BARCODE.fullmatch(row["imb31"]) is not None,
            "SCHEMA",
            "imb31 is not a barcode's digits",
        ),
    )
    yield from (Fault(code, text, piece) for holds, code, text in told if not holds)


def place(row: Row) -> str:
    """State, ZIP and its four more digits."""
    return " ".join(row[column] for column in ("state", "zip5", "zip4") if row[column])


def totals_faults(batch: Opened) -> Iterator[Fault]:
    """The totals, counted again from the rows."""
    rows = batch.rows
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
        if batch.manifest["totals"][name] != value:
            yield Fault("COUNT_MISMATCH", f"totals.{name} is not what the rows add up to")
    for piece, count in Counter(row["piece_id"] for row in rows).items():
        if count > 1:
            yield Fault("COUNT_MISMATCH", f"index.csv: listed twice: {piece}", piece)


def sequence_faults(manifests: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A batch that is missing between two others of its job and environment."""
    lines = defaultdict(list)
    for manifest in manifests:
        agency, env, job, *_ = manifest["batch_id"].split("_")
        lines[agency, env, job].append(manifest)
    for line in lines.values():
        ordered = sorted(line, key=lambda manifest: int(manifest["sequence"]))
        for earlier, later in pairwise(ordered):
            name, number = later["batch_id"], later["sequence"]
            if number != earlier["sequence"] + 1:
                yield f"{name}: SEQUENCE_GAP: sequence {number} after {earlier['sequence']}"
            elif later["previous_batch_id"] != earlier["batch_id"]:
                yield f"{name}: SEQUENCE_GAP: follows {later['previous_batch_id']}"


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
                senders = {
                    following.split(":")[9]
                    for line, following in pairwise(shown.splitlines())
                    if line.startswith("pub:")
                }
                opened = run(home, "--decrypt", content=sealed.read_bytes())
            finally:
                subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
        status = [line.split() for line in opened.stderr.decode(errors="replace").splitlines()]
        words = [line[1:] for line in status if line[:1] == ["[GNUPG:]"]]
        if ["DECRYPTION_OKAY"] not in words:
            raise NotDecryptedError("gpg cannot decrypt it")
        signed = any(word[0] == "VALIDSIG" and word[-1] in senders for word in words)
        if opened.returncode or not signed:
            raise BadSignatureError("it is not signed by the sender")
        return opened.stdout

    return open_file


def open_with_pysequoia(key: Path, signer: Path) -> Opener:
    """Decrypt and verify with Sequoia."""
    import pysequoia  # noqa: PLC0415  a vendor with GnuPG has no need of it

    secret = pysequoia.Tsk.from_file(str(key))
    senders = pysequoia.Cert.split_file(str(signer))
    fingerprints = {sender.fingerprint for sender in senders}

    def open_file(sealed: Path) -> bytes:
        try:
            opened = pysequoia.decrypt(
                sealed.read_bytes(), decryptor=secret.decryptor(), store=lambda _ids: senders
            )
        except Exception as error:  # noqa: BLE001  it raises what it likes
            reason = str(error).splitlines()[0]
            kind = BadSignatureError if "ignature" in reason else NotDecryptedError
            raise kind(f"Sequoia cannot open it: {reason}") from None
        if not any(valid.certificate in fingerprints for valid in opened.valid_sigs):
            raise BadSignatureError("it is not signed by the sender")
        return opened.bytes or b""

    return open_file


if __name__ == "__main__":
    sys.exit(main())
