"""Orders to cancel and to reprint: carried out once, or not at all."""

import json
from pathlib import Path

import pytest

from tests.vendor.answers import StatusRow, from_csv
from tests.vendor.orders import RefusedOrderError
from tests.vendor.schemas import Schemas
from tests.vendor.shop import Vendor
from tests.vendor.small_batches import BATCH, SmallBatch, keys_in, opened, order, sealed, sides
from tests.vendor.verify_batch import BadSignatureError

SMALL = SmallBatch()


@pytest.fixture
async def vendor(tmp_path: Path) -> Vendor:
    """A vendor that took the batch in and acknowledged it."""
    made = Vendor(tmp_path / "drop", keys_in(tmp_path / "keys"))
    SMALL.deliver(made.drop.to_vendor)
    await made.take_in(BATCH)
    made.ack(BATCH)
    return made


def answered(vendor: Vendor, name: str) -> list[StatusRow]:
    """The rows that answer an order."""
    path = vendor.answer_order(name)
    assert path is not None
    read = from_csv(opened(path.read_bytes()))
    assert [Schemas().faults("status-row", vars(row)) for row in read] == [[]] * len(read)
    return read


def test_a_piece_that_waits_is_cancelled(vendor: Vendor) -> None:
    """It is taken out, counts as cancelled in the final, and is not mailed."""
    vendor.accept(BATCH)
    told = answered(vendor, order(vendor.drop.to_vendor, SMALL, "cancel", [2]))
    assert [(row.piece_id, row.status) for row in told] == [(SMALL.piece_id(2), "cancelled")]
    vendor.mail(BATCH)
    final = json.loads(opened(vendor.finish(BATCH).read_bytes()))
    assert (final["mailed"], final["cancelled"], final["sheets"]) == (3, 1, 3)


def test_too_late_to_cancel(vendor: Vendor) -> None:
    """The event that ended the piece is told again with its id, so that nothing counts twice."""
    path = vendor.mail(BATCH)
    mailed = from_csv(opened(path.read_bytes()))
    told = answered(vendor, order(vendor.drop.to_vendor, SMALL, "cancel", [1]))
    assert told == mailed[:1]


def test_a_reprint_after_the_final(vendor: Vendor) -> None:
    """Made again and mailed, with the order named; it counts once in the numbers."""
    vendor.mail(BATCH)
    vendor.finish(BATCH)
    name = order(vendor.drop.to_vendor, SMALL, "reprint", [2])
    told = answered(vendor, name)
    assert [(row.status, row.sheets, row.reprint_of) for row in told] == [
        ("reprinted", "2", f"{BATCH}.order.001"),
        ("mailed", "2", ""),
    ]
    assert vendor.job(BATCH).tally().mailed == 4


def test_what_was_cancelled_is_not_reprinted(vendor: Vendor) -> None:
    """It ended, and the answer says how."""
    answered(vendor, order(vendor.drop.to_vendor, SMALL, "cancel", [3]))
    told = answered(vendor, order(vendor.drop.to_vendor, SMALL, "reprint", [3], number=2))
    assert [row.status for row in told] == ["cancelled"]


def test_an_order_is_carried_out_once(vendor: Vendor) -> None:
    """It may lie there for as long as it likes."""
    name = order(vendor.drop.to_vendor, SMALL, "cancel", [1])
    assert vendor.answer_order(name) is not None
    assert vendor.answer_order(name) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"action": "burn"}, "enum"),
        ({"batch_id": "ccss_test_letters_20261123_009"}, "holds the order"),
        ({"pieces": [{"piece_id": SMALL.piece_id(1), "seq": 2}]}, "does not hold"),
        ({"order_id": f"{BATCH}.order.009"}, "holds the order"),
    ],
)
def test_an_order_that_does_not_fit_is_refused(
    vendor: Vendor, change: dict[str, object], reason: str
) -> None:
    """Nothing of it is carried out."""
    name = order(vendor.drop.to_vendor, SMALL, "cancel", [1])
    path = vendor.drop.to_vendor / name
    said = json.loads(vendor.keys.open(path))
    path.write_bytes(sealed(json.dumps({**said, **change}).encode()))
    with pytest.raises(RefusedOrderError, match=reason):
        vendor.answer_order(name)
    assert vendor.job(BATCH).files == 0


def test_an_order_by_another_is_refused(vendor: Vendor) -> None:
    """Only the agency orders."""
    name = order(vendor.drop.to_vendor, SMALL, "cancel", [1])
    vendor.keys.agency.write_text(sides().vendor_public)
    stranger = Vendor(vendor.drop.root, keys_in(vendor.drop.root.parent / "others"))
    stranger.keys.agency.write_text(sides().vendor_public)
    with pytest.raises(BadSignatureError):
        stranger.answer_order(name)
