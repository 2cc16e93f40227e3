"""Mischief does what its name says: to the one file it is meant for, and nothing else."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysequoia
import pytest

from tests.vendor.answers import Kind, Status, StatusRow, from_csv
from tests.vendor.drop import NameTakenError
from tests.vendor.manners import Manners, Mischief, Prank
from tests.vendor.schemas import Schemas
from tests.vendor.sealing import TOO_MUCH
from tests.vendor.shop import Vendor
from tests.vendor.small_batches import BATCH, SmallBatch, keys_in, opened

BATCH_OF_FOUR = SmallBatch(confidential=(2,))


@dataclass
class Tried:
    """A vendor that has taken the sample batch in."""

    vendor: Vendor

    def path(self, name: str) -> Path:
        """An answer's path."""
        return self.vendor.drop.from_vendor / name

    def ack(self, *mischief: Mischief) -> dict[str, Any]:
        """The ack, as the agency reads it."""
        said: dict[str, Any] = json.loads(opened(self.vendor.ack(BATCH, *mischief).read_bytes()))
        return said

    def accepted(self, *mischief: Mischief) -> list[StatusRow]:
        """The first status file, as the agency reads it."""
        return from_csv(opened(self.vendor.accept(BATCH, *mischief).read_bytes()))

    def mailed(self, *mischief: Mischief) -> list[StatusRow]:
        """A status file of mailed pieces."""
        return from_csv(opened(self.vendor.mail(BATCH, *mischief).read_bytes()))

    def final(self, *mischief: Mischief) -> dict[str, Any]:
        """The final."""
        content = opened(self.vendor.finish(BATCH, *mischief).read_bytes())
        said: dict[str, Any] = json.loads(content)
        return said


@pytest.fixture
async def tried(tmp_path: Path) -> Tried:
    """A vendor that took the batch in."""
    vendor = Vendor(tmp_path / "drop", keys_in(tmp_path / "keys"))
    BATCH_OF_FOUR.deliver(vendor.drop.to_vendor)
    taken = await vendor.take_in(BATCH)
    assert taken.faults == ()
    return Tried(vendor)


def _rows(tried: Tried) -> Iterator[list[str]]:
    for row in tried.accepted():
        yield Schemas().faults("status-row", vars(row))


def test_without_mischief_every_row_fits(tried: Tried) -> None:
    """The vendor is honest unless it is told not to be."""
    assert list(_rows(tried)) == [[]] * 4
    assert Schemas().faults("ack", tried.ack()) == []


def test_silent(tried: Tried) -> None:
    """Nothing is written, and the answer is there to be sent later."""
    path = tried.vendor.ack(BATCH, Mischief.SILENT)
    assert list(tried.vendor.drop.from_vendor.iterdir()) == []
    tried.vendor.send_again(path.name)
    assert json.loads(opened(path.read_bytes()))["result"] == "received"


def test_truncated_and_then_corrected(tried: Tried) -> None:
    """Half a message under the final name; the corrected one comes once it was removed."""
    path = tried.vendor.ack(BATCH, Mischief.TRUNCATED)
    with pytest.raises(RuntimeError):
        opened(path.read_bytes())
    with pytest.raises(NameTakenError):
        tried.vendor.send_again(path.name)
    path.unlink()
    tried.vendor.send_again(path.name)
    assert json.loads(opened(path.read_bytes()))["batch_id"] == BATCH


def test_left_as_part(tried: Tried) -> None:
    """Only the hidden name is there."""
    tried.vendor.ack(BATCH, Mischief.LEFT_AS_PART)
    (left,) = tried.vendor.drop.from_vendor.iterdir()
    assert left.name == f".{BATCH}.ack.json.pgp.part"


def test_again(tried: Tried) -> None:
    """The same bytes under the same name, as soon as the first were collected."""
    path = tried.vendor.ack(BATCH, Mischief.AGAIN)
    first = path.read_bytes()
    assert tried.vendor.tray.turn() == []
    path.unlink()
    assert tried.vendor.tray.turn() == [path.name]
    assert path.read_bytes() == first
    path.unlink()
    assert tried.vendor.tray.turn() == []


def test_events_again(tried: Tried) -> None:
    """The same rows with the same event ids, in two files."""
    first = tried.accepted(Mischief.EVENTS_AGAIN)
    second = from_csv(opened(tried.path(f"{BATCH}.status.002.csv.pgp").read_bytes()))
    assert first == second
    assert tried.vendor.mail(BATCH).name == f"{BATCH}.status.003.csv.pgp"


@pytest.mark.parametrize(
    "mischief", [Mischief.UNSIGNED, Mischief.IN_THE_CLEAR, Mischief.ANOTHER_KEY]
)
def test_what_the_vendor_did_not_sign(tried: Tried, mischief: Mischief) -> None:
    """It does not verify with the vendor's certificate."""
    path = tried.vendor.ack(BATCH, mischief)
    with pytest.raises(RuntimeError):
        opened(path.read_bytes())


def test_clear_signed(tried: Tried) -> None:
    """A clear-text signature, which the contract does not read."""
    message = tried.vendor.ack(BATCH, Mischief.CLEAR_SIGNED).read_bytes()
    assert message.startswith(b"-----BEGIN PGP SIGNED MESSAGE-----")


def test_huge(tried: Tried) -> None:
    """One byte more than 64 MiB."""
    content = opened(tried.vendor.ack(BATCH, Mischief.HUGE).read_bytes())
    assert len(content) == TOO_MUCH == 64 * 2**20 + 1


def test_wrong_name(tried: Tried) -> None:
    """A name that the contract does not know."""
    assert tried.vendor.ack(BATCH, Mischief.WRONG_NAME).name == f"{BATCH}.ack.json.asc"


def test_unknown_batch(tried: Tried) -> None:
    """Name and content agree, and no such batch was ever sent."""
    path = tried.vendor.ack(BATCH, Mischief.UNKNOWN_BATCH)
    unknown = "ccss_test_letters_20261123_999"
    assert path.name == f"{unknown}.ack.json.pgp"
    assert json.loads(opened(path.read_bytes()))["batch_id"] == unknown


def test_unknown_piece(tried: Tried) -> None:
    """One row names a piece that is in no batch."""
    ids = [row.piece_id for row in tried.accepted(Mischief.UNKNOWN_PIECE)]
    assert ids[0] == "00000000-0000-0000-0000-000000000000"
    assert ids[1:] == BATCH_OF_FOUR.piece_ids[1:]


def test_wrong_totals(tried: Tried) -> None:
    """An ack and a final that fit their schemas and add up, but not to what was sent."""
    ack = tried.ack(Mischief.WRONG_TOTALS)
    assert (ack["counted"]["pieces"], ack["counted"]["sheets"]) == (5, 6)
    assert Schemas().faults("ack", ack) == []
    assert [row.sheets for row in tried.mailed(Mischief.WRONG_TOTALS)] == ["2", "3", "2", "2"]
    final = tried.final(Mischief.WRONG_TOTALS)
    assert (final["pieces"], final["mailed"], final["sheets"]) == (5, 5, 6)
    assert Schemas().faults("final", final) == []


def test_wrong_sum(tried: Tried) -> None:
    """A final whose parts do not make its whole."""
    tried.mailed()
    final = tried.final(Mischief.WRONG_SUM)
    assert final["mailed"] + final["rejected"] + final["cancelled"] != final["pieces"] == 4


def test_wrong_hash(tried: Tried) -> None:
    """An ack of other bytes."""
    assert tried.ack(Mischief.WRONG_HASH)["sha256"] != tried.vendor.job(BATCH).taken.sha256


@pytest.mark.parametrize("mischief", [Mischief.OUT_OF_VOCABULARY, Mischief.LOCAL_TIME])
def test_cells_that_no_schema_allows(tried: Tried, mischief: Mischief) -> None:
    """A code that is in no list, a moment that is not in Z: in rows and in acks."""
    schemas = Schemas()
    assert any(schemas.faults("status-row", vars(row)) for row in tried.accepted(mischief))
    assert schemas.faults("ack", tried.ack(mischief))


def test_misshapen(tried: Tried) -> None:
    """Another column, another field."""
    with pytest.raises(ValueError, match="columns"):
        tried.accepted(Mischief.MISSHAPEN)
    assert "operator" in tried.final(Mischief.MISSHAPEN)


def test_mailed_twice(tried: Tried) -> None:
    """One piece is mailed twice, by two events, and nobody had ordered it."""
    rows = tried.mailed(Mischief.MAILED_TWICE)
    assert [row.piece_id for row in rows].count(rows[0].piece_id) == 2
    assert len({row.event_id for row in rows}) == 5


def test_ncoa_on_confidential(tried: Tried) -> None:
    """Only the confidential piece carries a code."""
    rows = tried.mailed(Mischief.NCOA_ON_CONFIDENTIAL)
    assert [row.ncoa_code for row in rows] == ["", "A", "", ""]


def test_held_in_final(tried: Tried) -> None:
    """A piece still waits, and the final is written all the same."""
    tried.mailed()
    final = tried.final(Mischief.HELD_IN_FINAL)
    assert (final["held"], final["mailed"]) == (1, 3)


def test_late(tried: Tried) -> None:
    """Every moment is a week on."""
    honest, late = tried.accepted(), tried.accepted(Mischief.LATE)
    assert late[0].at[:10] > honest[0].at[:10]


def test_gap(tried: Tried) -> None:
    """A number is left out."""
    assert tried.vendor.accept(BATCH, Mischief.GAP).name == f"{BATCH}.status.002.csv.pgp"
    assert tried.vendor.mail(BATCH).name == f"{BATCH}.status.003.csv.pgp"


def test_out_of_order_in_the_steps_themselves(tried: Tried) -> None:
    """Nothing keeps a test from the wrong order: 003 first, mailed before printed, no ack."""
    rows = [tried.vendor.event(BATCH, BATCH_OF_FOUR.piece_id(1), Status.MAILED)]
    assert tried.vendor.status(BATCH, rows, number=3).name == f"{BATCH}.status.003.csv.pgp"
    assert tried.vendor.finish(BATCH).exists()
    assert not tried.path(f"{BATCH}.ack.json.pgp").exists()
    printed = [tried.vendor.event(BATCH, BATCH_OF_FOUR.piece_id(1), Status.PRINTED)]
    assert tried.vendor.status(BATCH, printed, number=1).exists()


async def test_out_of_order_on_the_whole_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The final comes first and the ack last."""
    prank = Prank(Mischief.OUT_OF_ORDER)
    manners = Manners(returned=1, pranks=frozenset({prank}))
    vendor = Vendor(tmp_path / "drop", keys_in(tmp_path / "keys"), manners=manners)
    BATCH_OF_FOUR.deliver(vendor.drop.to_vendor)
    names: list[str] = []
    put = vendor.tray.put

    def noted(name: str, content: bytes) -> Path:
        names.append(name[len(BATCH) + 1 :])
        return put(name, content)

    monkeypatch.setattr(vendor.tray, "put", noted)
    await vendor.work(BATCH)
    assert names == [
        *("status.004.csv.pgp", "final.json.pgp", "status.003.csv.pgp"),
        *("status.002.csv.pgp", "status.001.csv.pgp", "ack.json.pgp"),
    ]


async def test_rejects(tmp_path: Path) -> None:
    """A good batch is refused, and nothing of it is printed."""
    manners = Manners(pranks=frozenset({Prank.read("rejects")}))
    vendor = Vendor(tmp_path / "drop", keys_in(tmp_path / "keys"), manners=manners)
    BATCH_OF_FOUR.deliver(vendor.drop.to_vendor)
    await vendor.work(BATCH)
    (ack,) = vendor.drop.from_vendor.iterdir()
    said = json.loads(opened(ack.read_bytes()))
    assert (said["result"], [error["code"] for error in said["errors"]]) == ("rejected", ["OTHER"])
    assert Schemas().faults("ack", said) == []


def test_a_prank_touches_only_what_it_is_meant_for() -> None:
    """By kind, by number, or everything."""
    manners = Manners(
        pranks=frozenset(map(Prank.read, ("status.002:truncated", "ack:silent", "late")))
    )
    assert manners.of(Kind.STATUS, 1) == {Mischief.LATE}
    assert manners.of(Kind.STATUS, 2) == {Mischief.LATE, Mischief.TRUNCATED}
    assert manners.of(Kind.ACK) == {Mischief.LATE, Mischief.SILENT}


@pytest.mark.parametrize("text", ["nonsense", "order:silent", "status.two:silent", "ack:"])
def test_an_unknown_prank_is_refused(text: str) -> None:
    """A mistyped mischief is not a well-behaved vendor."""
    with pytest.raises(ValueError, match="is not"):
        Prank.read(text)


def test_the_truth_is_kept_whatever_was_told(tried: Tried) -> None:
    """What `send_again` puts is what should have been there."""
    path = tried.vendor.accept(BATCH, Mischief.UNKNOWN_PIECE)
    path.unlink()
    rows = from_csv(opened(tried.vendor.send_again(path.name).read_bytes()))
    assert [row.piece_id for row in rows] == BATCH_OF_FOUR.piece_ids


def test_an_answer_may_be_encrypted_and_armoured(tmp_path: Path) -> None:
    """Both are the vendor's to choose."""
    manners = Manners(encrypted=True, armoured=True)
    vendor = Vendor(tmp_path / "drop", keys_in(tmp_path / "keys"), manners=manners)
    path = vendor.tray.write("a", b"good", b"good", frozenset(), under="a")
    message = path.read_bytes()
    assert message.startswith(b"-----BEGIN PGP MESSAGE-----")
    with pytest.raises(RuntimeError):
        pysequoia.verify(message, store=lambda _ids: [])
    assert opened(message) == b"good"
