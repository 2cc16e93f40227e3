"""Batches to try a vendor on, small and made from the contract alone, with the agency's side of
the keys."""

import hashlib
import io
import json
import subprocess
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pikepdf
import pysequoia
import zxingcpp

from tests.vendor.sealing import Keys, new_key_pair
from tests.vendor.verify_batch import COLUMNS

BATCH = "ccss_test_letters_20261123_001"
CELL = 0.02 * 72
ADDRESS = ("MARÍA NÚÑEZ", "1200 EXAMPLE ST APT 14B", "SACRAMENTO CA 95814-0042")

Entries = dict[str, bytes]
Change = Callable[[Entries, dict[str, Any]], None]


@dataclass(frozen=True)
class Sides:
    """Both sides' keys, armoured."""

    vendor_secret: str
    vendor_public: str
    agency_secret: str
    agency_public: str


@cache
def sides() -> Sides:
    """One vendor and one agency for the whole run."""
    vendor = new_key_pair("Sample vendor <print@vendor.example>")
    agency = new_key_pair("Sample agency <print@agency.example>")
    return Sides(*vendor, *agency)


def keys_in(folder: Path) -> Keys:
    """The vendor's keys, written into `folder`."""
    return Keys.write(folder, secret=sides().vendor_secret, agency=sides().agency_public)


@dataclass(frozen=True)
class SmallBatch:
    """Pieces of so many sheets, in parts of so many pieces."""

    batch_id: str = BATCH
    sheets: tuple[int, ...] = (1, 2, 1, 1)
    per_part: int = 2
    sequence: int = 1
    previous: str | None = None
    confidential: tuple[int, ...] = ()
    wrong_marks: dict[int, str] = field(default_factory=dict)
    """By seq: what the mark says on each sheet of a piece, in place of what it should."""
    drawn: dict[int, bytes] = field(default_factory=dict)
    """By seq: drawing instructions for the first sheet, in place of the address."""

    def piece_id(self, seq: int) -> str:
        """The id of a piece, the same for every batch of this name."""
        return str(uuid5(NAMESPACE_URL, f"{self.batch_id}/{seq}"))

    @property
    def piece_ids(self) -> list[str]:
        """All of them, in their order."""
        return [self.piece_id(seq) for seq in range(1, len(self.sheets) + 1)]

    def entries(self) -> Entries:
        """What the archive holds."""
        parts, rows = {}, []
        for number, first in enumerate(range(0, len(self.sheets), self.per_part), 1):
            name = f"part-{number:03}.pdf"
            seqs = list(range(first + 1, min(first + self.per_part, len(self.sheets)) + 1))
            parts[name] = self._pdf(seqs)
            rows += self._rows(name, seqs)
        index = "".join(f"{','.join(row)}\r\n" for row in [COLUMNS, *rows]).encode()
        manifest = self._manifest(parts, index)
        return {"manifest.json": json.dumps(manifest).encode(), "index.csv": index, **parts}

    def archive(self, change: Change | None = None) -> bytes:
        """The ZIP, after `change` had its way with the entries and the manifest."""
        entries = self.entries()
        if change is not None:
            manifest = json.loads(entries["manifest.json"])
            change(entries, manifest)
            entries["manifest.json"] = json.dumps(manifest).encode()
        return zipped(entries)

    def deliver(self, folder: Path, change: Change | None = None, *, to: str = "") -> None:
        """Put the batch into `folder` as the agency does, its `.done` last; sealed for the
        certificate `to`, by default the sample vendor's."""
        counts = len(self.sheets), sum(self.sheets)
        deliver(folder, self.batch_id, self.archive(change), *counts, to=to)

    def _pdf(self, seqs: Sequence[int]) -> bytes:
        document = pikepdf.new()
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type1,
            BaseFont=pikepdf.Name.Helvetica,
            Encoding=pikepdf.Name.WinAnsiEncoding,
        )
        resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=document.make_indirect(font)))
        for seq in seqs:
            for sheet in range(1, self.sheets[seq - 1] + 1):
                front = document.add_blank_page(page_size=(612, 792))
                front.obj.Resources = resources
                front.obj.Contents = document.make_stream(self._front(seq, sheet))
                document.add_blank_page(page_size=(612, 792))
        written = io.BytesIO()
        document.save(written, object_stream_mode=pikepdf.ObjectStreamMode.generate)
        return written.getvalue()

    def _front(self, seq: int, sheet: int) -> bytes:
        says = f"1|{self.batch_id}|{seq}|{sheet}|{self.sheets[seq - 1]}"
        drawn = draw_mark(self.wrong_marks.get(seq, says))
        if sheet > 1:
            return drawn
        return drawn + b" " + self.drawn.get(seq, draw_address(ADDRESS))

    def _rows(self, part: str, seqs: Sequence[int]) -> list[list[str]]:
        rows, page = [], 1
        for seq in seqs:
            sheets = self.sheets[seq - 1]
            flags = "CONFIDENTIAL" if seq in self.confidential else ""
            place = [str(page), str(2 * sheets), str(sheets)]
            to = ["MARÍA NÚÑEZ", "", "1200 EXAMPLE ST", "APT 14B", "SACRAMENTO", "CA"]
            mark = f"1|{self.batch_id}|{seq}|1|{sheets}"
            rows.append(
                [
                    *(str(seq), self.piece_id(seq), part, *place),
                    *("temporary_pin", "1", "en", "first_class", *to),
                    *("95814", "0042", flags, "", mark),
                ]
            )
            page += 2 * sheets
        return rows

    def _manifest(self, parts: Entries, index: bytes) -> dict[str, Any]:
        rows = [line.split(",") for line in index.decode().splitlines()[1:]]
        first = 1
        listed = []
        for name, pdf in parts.items():
            inside = [row for row in rows if row[2] == name]
            pages = sum(int(row[4]) for row in inside)
            counts = {"pages": pages, "pieces": len(inside)}
            seqs = {"first_seq": first, "last_seq": first + len(inside) - 1}
            listed.append(
                {"file": name, "bytes": len(pdf), "sha256": sha256(pdf), **counts, **seqs}
            )
            first += len(inside)
        _, env, _, day, _ = self.batch_id.split("_")
        return {
            "schema_version": 1,
            "batch_id": self.batch_id,
            "sequence": self.sequence,
            "previous_batch_id": self.previous,
            "env": env,
            "created_at": f"{day[:4]}-{day[4:6]}-{day[6:]}T20:30:00Z",
            "mail_by": f"{day[:4]}-{day[4:6]}-28",
            "supersedes": None,
            "templates": [
                {
                    "id": "temporary_pin",
                    "version": "1",
                    "sha256": "0" * 64,
                    **dict.fromkeys(("proof_id", "approved_by", "approved_at")),
                }
            ],
            "production": {
                "window_profile": "us10-left-window",
                "duplex": True,
                "colour": "black",
                "mail_class": "first_class",
                "endorsement": "RETURN SERVICE REQUESTED",
                "imb_mode": "vendor",
            },
            "parts": listed,
            "index": {"rows": len(rows), "sha256": sha256(index)},
            "totals": {
                "pieces": len(rows),
                "pages": 2 * sum(self.sheets),
                "sheets": sum(self.sheets),
                "by_class": {"first_class": len(rows)},
                "by_sheet_count": dict(Counter(map(str, self.sheets))),
                "piece_ids_sha256": sha256("".join(f"{row[1]}\n" for row in rows).encode()),
            },
            "purge_by": "2027-01-11",
        }


def sha256(content: bytes) -> str:
    """A hash as the contract writes it."""
    return hashlib.sha256(content).hexdigest()


def draw_address(lines: Sequence[str], *, x: float = 80, y: float = 600) -> bytes:
    """Lines of text as PDF drawing instructions, the first at `x`, `y` in points from below."""
    drawn = b" ".join(b"(%s) Tj T*" % line.encode("cp1252") for line in lines)
    return b"BT /F1 9 Tf 11 TL %f %f Td %s ET" % (x, y, drawn)


def draw_mark(says: str) -> bytes:
    """A Data Matrix as PDF drawing instructions, where the contract wants it."""
    symbol = zxingcpp.create_barcode(says, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    drawing: Any = symbol.to_image(scale=1, add_quiet_zones=False)
    cells: Any = memoryview(drawing).tolist()
    left, top = 7.76 * 72, 792 - 0.4 * 72
    drawn = [
        f"{left + x * CELL:.2f} {top - (y + 1) * CELL:.2f} {CELL:.2f} {CELL:.2f} re"
        for y, line in enumerate(cells)
        for x, cell in enumerate(line)
        if cell == 0
    ]
    return f"{' '.join(drawn)} f".encode()


def zipped(entries: Entries) -> bytes:
    """One ZIP archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as written:
        for name, data in entries.items():
            written.writestr(name, data)
    return content.getvalue()


def sealed(content: bytes, *, to: str = "") -> bytes:
    """Signed by the agency, encrypted to the vendor."""
    signer = pysequoia.Tsk.from_bytes(sides().agency_secret.encode()).signer()
    vendor = pysequoia.Cert.from_bytes((to or sides().vendor_public).encode())
    return pysequoia.encrypt(content, recipients=[vendor], signer=signer, armor=False)


def opened(message: bytes) -> bytes:
    """An answer, as the agency reads it: signed by the vendor, encrypted or not. RuntimeError for
    one that is not."""
    vendor = pysequoia.Cert.from_bytes(sides().vendor_public.encode())
    agency = pysequoia.Tsk.from_bytes(sides().agency_secret.encode())
    try:
        read = pysequoia.verify(message, store=lambda _ids: [vendor])
    except RuntimeError:
        store, decryptor = (lambda _ids: [vendor]), agency.decryptor()
        read = pysequoia.decrypt(message, decryptor=decryptor, store=store)
    return read.bytes or b""


def deliver(
    folder: Path, batch_id: str, content: bytes, pieces: int, sheets: int, *, to: str = ""
) -> None:
    """The files of section 4, whatever the archive holds."""
    message = sealed(content, to=to)
    name = f"{batch_id}.zip.pgp"
    done = {"batch_id": batch_id, "bytes": len(message), "sha256": sha256(message)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(message)
    (folder / f"{name}.sha256").write_text(f"{sha256(message)}  {name}\n")
    announced = json.dumps({**done, "pieces": pieces, "sheets": sheets})
    (folder / f"{batch_id}.done").write_text(announced)


def gnupg_key(home: Path) -> tuple[str, str]:
    """A secret key and its certificate, armoured, as GnuPG makes them for itself.

    GnuPG cannot read the newest kind of message, which Sequoia writes to keys that ask for it.
    """
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--passphrase", "", "--armor"]
    make = ["--quick-generate-key", "Sample vendor <print@vendor.example>", "future-default"]
    try:
        subprocess.run([*gpg, *make], check=True, capture_output=True)
        secret, public = (
            subprocess.run([*gpg, export], check=True, capture_output=True, text=True).stdout
            for export in ("--export-secret-keys", "--export")
        )
    finally:
        subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)
    return secret, public


def order(
    folder: Path, batch: SmallBatch, action: str, seqs: Sequence[int], number: int = 1
) -> str:
    """Put an order; its file's name."""
    order_id = f"{batch.batch_id}.order.{number:03}"
    said = {
        "schema_version": 1,
        "order_id": order_id,
        "batch_id": batch.batch_id,
        "ordered_at": "2026-11-24T18:00:00Z",
        "action": action,
        "pieces": [{"piece_id": batch.piece_id(seq), "seq": seq} for seq in seqs],
        "reason": "ADDRESS_WRONG",
    }
    name = f"{order_id}.json.pgp"
    (folder / name).write_bytes(sealed(json.dumps(said).encode()))
    return name
