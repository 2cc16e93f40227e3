"""Batches as the mail room makes them, in the hands of a vendor who has only the contract."""

import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import pytest

from engine.mail.composing import compose_part
from tests.mail.sample_batches import (
    DAY,
    FACTS,
    NAME,
    Archive,
    build_archive,
    deliver,
    keys,
    letters,
    rows,
)
from tests.vendor.sealing import Keys
from tests.vendor.shop import Vendor

SCRIPT = Path(__file__).with_name("verify_batch.py")
BATCH = str(NAME)


@cache
def real_batch() -> Archive:
    """The sample letters, in two parts."""
    sources = [
        replace(letter, piece_id=str(uuid5(NAMESPACE_URL, letter.piece_id))) for letter in letters()
    ]
    parts = [
        compose_part(sources[:2], batch_id=BATCH, document_date=DAY),
        compose_part(sources[2:], batch_id=BATCH, document_date=DAY, first_seq=3),
    ]
    return build_archive(FACTS, parts, rows(parts, sources))


def keys_in(folder: Path) -> Keys:
    """The sample keys of the mail room's own tests."""
    return Keys.write(folder, secret=keys().vendor.secret, agency=keys().signer.certificate)


@pytest.mark.parametrize(
    "program", ["pysequoia", pytest.param("gpg", marks=pytest.mark.needs("gpg"))]
)
def test_the_script_agrees_with_the_mail_room(tmp_path: Path, program: str) -> None:
    """Exit code 0, whatever the vendor decrypts with."""
    deliver(tmp_path / "outgoing", real_batch().content, real_batch())
    held = keys_in(tmp_path / "keys")
    command = [sys.executable, str(SCRIPT), str(tmp_path / "outgoing"), "--with", program]
    command += ["--key", str(held.secret), "--signer", str(held.agency)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"agrees     {NAME}: 4 pieces, 10 pages, 5 sheets, 2 parts" in done.stdout


async def test_the_vendor_takes_in_what_the_mail_room_made(tmp_path: Path) -> None:
    """It fits the published schemas, counts as announced, and every sheet's mark is its own."""
    vendor = Vendor(tmp_path / "drop", keys_in(tmp_path / "keys"))
    deliver(vendor.drop.to_vendor, real_batch().content, real_batch())
    taken = await vendor.work(BATCH)
    assert taken.faults == ()
    assert taken.counted is not None
    totals = real_batch().manifest.totals
    assert (taken.counted.pieces, taken.counted.pages) == (totals.pieces, totals.pages)
    assert vendor.job(BATCH).tally().mailed == totals.pieces
