"""A vendor works from what it finds: good batches go all the way, others are refused by name."""

import io
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from tests.vendor.answers import Status, StatusRow, from_csv
from tests.vendor.counting import Piece
from tests.vendor.drop import NameTakenError
from tests.vendor.manners import Manners
from tests.vendor.marks import Sampling
from tests.vendor.route import fates
from tests.vendor.schemas import Schemas
from tests.vendor.sealing import Keys, new_key_pair
from tests.vendor.shop import NotTakenInError, Vendor
from tests.vendor.small_batches import (
    BATCH,
    Change,
    Entries,
    SmallBatch,
    deliver,
    gnupg_key,
    keys_in,
    opened,
    sha256,
    sides,
)

NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
SECOND = "ccss_test_letters_20261123_002"
THIRD = "ccss_test_letters_20261124_001"


@pytest.fixture
def vendor(tmp_path: Path) -> Vendor:
    """A vendor with an empty drop, whose clock stands still."""
    return Vendor(tmp_path / "drop", keys_in(tmp_path / "keys"), clock=lambda: NOW)


def answer(vendor: Vendor, name: str, batch_id: str = BATCH) -> bytes:
    """An answer's content, as the agency reads it."""
    return opened((vendor.drop.from_vendor / f"{batch_id}.{name}.pgp").read_bytes())


def ack(vendor: Vendor, batch_id: str = BATCH) -> dict[str, Any]:
    """The ack, which always fits its schema."""
    said: dict[str, Any] = json.loads(answer(vendor, "ack.json", batch_id))
    assert Schemas().faults("ack", said) == []
    return said


def rows(vendor: Vendor, number: int) -> list[StatusRow]:
    """A status file, whose rows always fit their schema."""
    read = from_csv(answer(vendor, f"status.{number:03}.csv"))
    assert [Schemas().faults("status-row", vars(row)) for row in read] == [[]] * len(read)
    return read


async def test_the_whole_way(vendor: Vendor) -> None:
    """Received, accepted, printed, mailed, final: counted by the vendor, each piece once."""
    batch = SmallBatch()
    batch.deliver(vendor.drop.to_vendor)
    await vendor.work(BATCH)
    counted = ack(vendor)["counted"]
    ids = "".join(f"{piece}\n" for piece in batch.piece_ids)
    assert counted == {
        "pieces": 4,
        "pages": 10,
        "sheets": 5,
        "piece_ids_sha256": sha256(ids.encode()),
    }
    assert {row.status for row in rows(vendor, 1)} == {"accepted"}
    assert [row.sheets for row in rows(vendor, 2)] == ["1", "2", "1", "1"]
    assert [row.piece_id for row in rows(vendor, 3)] == batch.piece_ids
    final = json.loads(answer(vendor, "final.json"))
    assert Schemas().faults("final", final) == []
    assert (final["pieces"], final["mailed"], final["pages"], final["sheets"]) == (4, 4, 10, 5)


async def test_what_goes_wrong_at_the_presses(tmp_path: Path) -> None:
    """Each fate meets its number of pieces, no piece two of them, and every event has its own id
    and moment."""
    manners = Manners(rejected=1, held=1, spoiled=2, moved=1, returned=2, destroys=False)
    keys = keys_in(tmp_path / "keys")
    vendor = Vendor(tmp_path / "drop", keys, manners=manners, clock=lambda: NOW)
    batch = SmallBatch(sheets=(1,) * 9, confidential=(1, 2, 3))
    batch.deliver(vendor.drop.to_vendor)
    await vendor.work(BATCH)
    told = [row for number in (1, 2, 3, 4) for row in rows(vendor, number)]
    counts = Counter(row.status for row in told)
    assert counts == {
        "accepted": 8,
        "rejected": 1,
        "held": 1,
        "printed": 8,
        "spoiled": 2,
        "reprinted": 2,
        "mailed": 8,
        "returned": 2,
    }
    assert len({row.event_id for row in told}) == len({row.at for row in told}) == len(told)
    spoiled = {row.event_id for row in told if row.status == "spoiled"}
    assert {row.reprint_of for row in told if row.status == "reprinted"} == spoiled
    confidential = {batch.piece_id(seq) for seq in batch.confidential}
    assert not {row.piece_id for row in told if row.ncoa_code} & confidential
    final = json.loads(answer(vendor, "final.json"))
    assert (final["mailed"], final["rejected"], final["held"]) == (8, 1, 0)


def test_the_same_seed_deals_the_same_fates() -> None:
    """A run can be repeated; another batch meets other fates."""
    batch = SmallBatch(sheets=(1,) * 50)
    pieces = [Piece(seq, batch.piece_id(seq), 1, confidential=False) for seq in range(1, 51)]
    manners = Manners(spoiled=3, returned=3)
    assert fates(BATCH, pieces, manners) == fates(BATCH, pieces, manners)
    assert fates(BATCH, pieces, manners) != fates(SECOND, pieces, manners)
    few = fates(BATCH, pieces[:2], Manners(held=1, returned=9))
    assert (len(few.held), len(few.returned)) == (1, 1)


async def test_step_by_step(vendor: Vendor) -> None:
    """Every step writes one file; the last final has the first one's numbers."""
    batch = SmallBatch()
    batch.deliver(vendor.drop.to_vendor)
    taken = await vendor.take_in(BATCH)
    assert taken.good
    written = [
        vendor.ack(BATCH),
        vendor.accept(BATCH),
        vendor.status(
            BATCH,
            [vendor.event(BATCH, batch.piece_id(1), Status.REJECTED, reason="CASS_FAILED")],
        ),
        vendor.mail(BATCH),
        vendor.finish(BATCH),
        vendor.bring_back(BATCH, [batch.piece_id(2)], reason="VACANT"),
    ]
    assert vendor.drop.waiting() == sorted(path.name for path in written)
    with pytest.raises(NameTakenError):
        vendor.destroy(BATCH)
    first = json.loads(answer(vendor, "final.json"))
    written[4].unlink()
    vendor.destroy(BATCH)
    second = json.loads(answer(vendor, "final.json"))
    assert (first["mailed"], first["rejected"], first["sheets"]) == (3, 1, 4)
    assert second == {**first, "at": second["at"], "destroyed_at": second["at"]}


async def test_nothing_is_answered_before_it_was_taken_in(vendor: Vendor) -> None:
    """A step out of nowhere is a mistake of the test, and says so."""
    with pytest.raises(NotTakenInError):
        vendor.ack(BATCH)


def _set(*path: str | int, to: object) -> Change:
    def change(_entries: Entries, manifest: dict[str, Any]) -> None:
        place: Any = manifest
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return change


def _unreadable_pdf(entries: Entries, manifest: dict[str, Any]) -> None:
    entries["part-001.pdf"] = b"%PDF-1.7 /Type /Page /Type /Page"
    _hash_part(entries, manifest)


def _hash_part(entries: Entries, manifest: dict[str, Any]) -> None:
    pdf = entries["part-001.pdf"]
    manifest["parts"][0].update(bytes=len(pdf), sha256=sha256(pdf))


def _cell(old: bytes, new: bytes) -> Change:
    def change(entries: Entries, manifest: dict[str, Any]) -> None:
        entries["index.csv"] = entries["index.csv"].replace(old, new, 1)
        manifest["index"]["sha256"] = sha256(entries["index.csv"])

    return change


def _lose_a_part(entries: Entries, _manifest: dict[str, Any]) -> None:
    del entries["part-002.pdf"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_set("parts", 0, "sha256", to="0" * 64), "HASH_MISMATCH"),
        (_set("index", "sha256", to="0" * 64), "HASH_MISMATCH"),
        (_set("totals", "sheets", to=6), "COUNT_MISMATCH"),
        (_set("totals", "piece_ids_sha256", to="0" * 64), "COUNT_MISMATCH"),
        (_set("surplus", to=1), "SCHEMA"),
        (_set("production", "colour", to="sepia"), "SCHEMA"),
        (_set("production", "endorsement", to="PLEASE FORWARD"), "SCHEMA"),
        (_set("env", to="prod"), "WRONG_ENVIRONMENT"),
        (_cell(b",CA,", b",Ca,"), "ADDRESS_REFUSED"),
        (_cell(b",SACRAMENTO,", b",=SACRAMENTO,"), "SCHEMA"),
        (_cell(b"|1|1|1\r\n", b"|9|1|1\r\n"), "MARK_MISMATCH"),
        (_lose_a_part, "ARCHIVE_DAMAGED"),
        (_unreadable_pdf, "PDF_UNREADABLE"),
    ],
)
async def test_a_bad_batch_is_rejected_by_name(vendor: Vendor, change: Change, code: str) -> None:
    """The ack carries the contract's code, and nothing is printed."""
    SmallBatch().deliver(vendor.drop.to_vendor, change)
    await vendor.work(BATCH)
    said = ack(vendor)
    assert said["result"] == "rejected"
    assert code in {error["code"] for error in said["errors"]}
    assert vendor.drop.waiting() == [f"{BATCH}.ack.json.pgp"]


async def test_no_fault_repeats_what_is_personal(vendor: Vendor) -> None:
    """Neither a name nor an address goes back in a `detail`."""
    SmallBatch().deliver(vendor.drop.to_vendor, _cell(b"1200 EXAMPLE ST", b"1,1200 EXAMPLE ST"))
    await vendor.work(BATCH)
    assert "EXAMPLE" not in answer(vendor, "ack.json").decode()
    assert ack(vendor)["result"] == "rejected"


async def test_a_message_that_was_changed(vendor: Vendor) -> None:
    """A flipped byte is a hash that does not agree, and nothing was counted."""
    SmallBatch().deliver(vendor.drop.to_vendor)
    path = vendor.drop.to_vendor / f"{BATCH}.zip.pgp"
    message = bytearray(path.read_bytes())
    message[-40] ^= 1
    path.write_bytes(message)
    await vendor.work(BATCH)
    said = ack(vendor)
    assert said["errors"][0]["code"] == "HASH_MISMATCH"
    assert (said["counted"], said["sha256"]) == (None, sha256(bytes(message)))


async def test_a_message_for_another_or_by_another(tmp_path: Path) -> None:
    """Who cannot open it says NOT_DECRYPTED; who can, and finds no such signer, BAD_SIGNATURE."""
    for secret, agency, code in (
        (sides().agency_secret, sides().agency_public, "NOT_DECRYPTED"),
        (sides().vendor_secret, sides().vendor_public, "BAD_SIGNATURE"),
    ):
        folder = tmp_path / code
        keys = Keys.write(folder / "keys", secret=secret, agency=agency)
        vendor = Vendor(folder / "drop", keys)
        SmallBatch().deliver(vendor.drop.to_vendor)
        assert [fault.code for fault in (await vendor.take_in(BATCH)).faults] == [code]


@pytest.mark.needs("gpg")
async def test_gnupg_finds_the_same(tmp_path: Path) -> None:
    """A vendor with GnuPG alone opens a batch, and tells a stranger's from a broken one."""
    secret, public = gnupg_key(tmp_path / "gnupg")
    found = []
    for number, agency in enumerate((sides().agency_public, sides().vendor_public)):
        folder = tmp_path / str(number)
        keys = Keys.write(folder / "keys", secret=secret, agency=agency)
        vendor = Vendor(folder / "drop", replace(keys, program="gpg"))
        SmallBatch().deliver(vendor.drop.to_vendor, to=public)
        found.append([fault.code for fault in (await vendor.take_in(BATCH)).faults])
    SmallBatch(batch_id=SECOND).deliver(vendor.drop.to_vendor)
    found.append([fault.code for fault in (await vendor.take_in(SECOND)).faults])
    assert found == [[], ["BAD_SIGNATURE"], ["NOT_DECRYPTED"]]


async def test_an_older_key_still_opens(tmp_path: Path) -> None:
    """While keys roll over, a batch may be sealed to either."""
    old = keys_in(tmp_path / "old")
    newer, _ = new_key_pair("Sample vendor <print@vendor.example>")
    new = Keys.write(tmp_path / "new", secret=newer, agency=old.agency.read_text())
    vendor = Vendor(tmp_path / "drop", replace(new, older=(old.secret,)))
    SmallBatch().deliver(vendor.drop.to_vendor)
    assert (await vendor.take_in(BATCH)).faults == ()


async def test_not_a_zip(vendor: Vendor) -> None:
    """Well sealed, and no archive."""
    deliver(vendor.drop.to_vendor, BATCH, b"not a zip", 4, 5)
    taken = await vendor.take_in(BATCH)
    assert [fault.code for fault in taken.faults] == ["ARCHIVE_DAMAGED"]


async def test_a_production_batch_needs_approved_proofs(tmp_path: Path) -> None:
    """In `prod` a template without a proof is refused; so is a `test` batch."""
    vendor = Vendor(tmp_path / "drop", keys_in(tmp_path / "keys"), env="prod")
    unproved = "ccss_prod_letters_20261123_001"
    SmallBatch(batch_id=unproved).deliver(vendor.drop.to_vendor)
    SmallBatch().deliver(vendor.drop.to_vendor)
    codes = {
        name: {fault.code for fault in (await vendor.take_in(name)).faults}
        for name in (unproved, BATCH)
    }
    assert codes == {unproved: {"TEMPLATE_NOT_APPROVED"}, BATCH: {"WRONG_ENVIRONMENT"}}


async def test_the_same_batch_again_gets_the_same_ack(vendor: Vendor) -> None:
    """It is printed once."""
    SmallBatch().deliver(vendor.drop.to_vendor)
    await vendor.work(BATCH)
    first = ack(vendor)
    for name in vendor.drop.waiting():
        (vendor.drop.from_vendor / name).unlink()
    await vendor.work(BATCH)
    assert vendor.drop.waiting() == [f"{BATCH}.ack.json.pgp"]
    assert ack(vendor) == first


async def test_the_same_name_with_other_bytes_is_refused(vendor: Vendor) -> None:
    """What was taken in first stays as it is."""
    SmallBatch().deliver(vendor.drop.to_vendor)
    await vendor.work(BATCH)
    (vendor.drop.from_vendor / f"{BATCH}.ack.json.pgp").unlink()
    SmallBatch(sheets=(1,)).deliver(vendor.drop.to_vendor)
    await vendor.work(BATCH)
    assert (ack(vendor)["result"], ack(vendor)["errors"][0]["code"]) == (
        "rejected",
        "HASH_MISMATCH",
    )
    assert vendor.job(BATCH).taken.good


async def test_a_gap_in_the_sequence_is_told_and_stops_nothing(vendor: Vendor) -> None:
    """The batch after the one that never came is printed; the one after that has no gap."""
    SmallBatch().deliver(vendor.drop.to_vendor)
    SmallBatch(batch_id=SECOND, sequence=3, previous="ccss_test_letters_20261123_009").deliver(
        vendor.drop.to_vendor
    )
    SmallBatch(batch_id=THIRD, sequence=4, previous=SECOND).deliver(vendor.drop.to_vendor)
    for name in vendor.drop.announced():
        await vendor.work(name)
    assert [error["code"] for error in ack(vendor, SECOND)["errors"]] == ["SEQUENCE_GAP"]
    assert ack(vendor, SECOND)["result"] == "received"
    assert ack(vendor, THIRD)["errors"] == []


async def test_a_batch_that_could_not_be_opened_is_no_gap(vendor: Vendor) -> None:
    """It came, and the next one names it."""
    SmallBatch().deliver(vendor.drop.to_vendor)
    deliver(vendor.drop.to_vendor, SECOND, b"not a zip", 4, 5)
    SmallBatch(batch_id=THIRD, sequence=3, previous=SECOND).deliver(vendor.drop.to_vendor)
    for name in vendor.drop.announced():
        await vendor.work(name)
    assert ack(vendor, SECOND)["result"] == "rejected"
    assert ack(vendor, THIRD)["errors"] == []


async def test_a_batch_without_its_done_is_not_there(vendor: Vendor) -> None:
    """Nor is one whose `.done` is still hidden."""
    SmallBatch().deliver(vendor.drop.to_vendor)
    done = vendor.drop.done_file(BATCH)
    done.rename(done.with_name(f".{done.name}.part"))
    assert vendor.drop.announced() == []


async def test_files_are_removed_only_after_the_ack(tmp_path: Path) -> None:
    """And only when the vendor's manners are so."""
    manners = Manners(removes=True)
    vendor = Vendor(tmp_path / "drop", keys_in(tmp_path / "keys"), manners=manners)
    SmallBatch().deliver(vendor.drop.to_vendor)
    await vendor.take_in(BATCH)
    assert vendor.drop.announced() == [BATCH]
    await vendor.work(BATCH)
    assert list(vendor.drop.to_vendor.iterdir()) == []


async def test_another_piece_s_mark_is_found(vendor: Vendor) -> None:
    """The index and the manifest agree, and the paper does not: both pieces are named."""
    other = f"1|{BATCH}|4|1|1"
    batch = SmallBatch(wrong_marks={1: "smudge", 3: other})
    batch.deliver(vendor.drop.to_vendor)
    await vendor.work(BATCH)
    errors = ack(vendor)["errors"]
    assert {error["code"] for error in errors} == {"MARK_MISMATCH"}
    assert [error["piece_id"] for error in errors] == [batch.piece_id(1), batch.piece_id(3)]


async def test_a_sample_of_marks_may_miss_what_all_would_find(tmp_path: Path) -> None:
    """`nth` and the ends of each part are looked at; none at all when asked."""
    batch = SmallBatch(sheets=(1,) * 6, per_part=6, wrong_marks={2: "smudge"})
    found = []
    for nth in (1, 2, 0):
        folder = tmp_path / str(nth)
        vendor = Vendor(folder / "drop", keys_in(folder / "keys"), sampling=Sampling(nth))
        batch.deliver(vendor.drop.to_vendor)
        found.append(len((await vendor.take_in(BATCH)).faults))
    assert found == [1, 0, 0]


async def test_a_page_that_is_not_us_letter_is_found(vendor: Vendor) -> None:
    """A4 does not fold into the envelope."""

    def taller(entries: Entries, manifest: dict[str, Any]) -> None:
        with pikepdf.open(io.BytesIO(entries["part-001.pdf"])) as document:
            document.pages[0].mediabox = pikepdf.Array([0, 0, 595, 842])
            written = io.BytesIO()
            document.save(written)
        entries["part-001.pdf"] = written.getvalue()
        _hash_part(entries, manifest)

    SmallBatch().deliver(vendor.drop.to_vendor, taller)
    taken = await vendor.take_in(BATCH)
    assert "part-001.pdf: page 1 is not US Letter" in [fault.text for fault in taken.faults]
