"""What the vendor sees through the envelope's window."""

from pathlib import Path

import pytest

from tests.vendor.shop import Vendor
from tests.vendor.small_batches import ADDRESS, BATCH, SmallBatch, draw_address, keys_in

RULE = b" 400 600 100 2 re f"
TOO_MANY = ("MARÍA", "NÚÑEZ", "1200 EXAMPLE ST", "APT 14B", "SACRAMENTO CA 95814-0042")


@pytest.mark.parametrize(
    ("drawn", "found"),
    [
        (draw_address(("JUAN PEREZ", *ADDRESS[1:])), "shows another address than the index"),
        (draw_address(ADDRESS, y=480), "shows another address than the index"),
        (draw_address(ADDRESS) + b" " + draw_address(("PIN 123456",), y=640), "more in the window"),
        (draw_address(ADDRESS) + RULE, "more in the window"),
        (draw_address(TOO_MANY, y=608), "the address has 5 lines"),
    ],
)
async def test_what_must_not_be_seen(tmp_path: Path, drawn: bytes, found: str) -> None:
    """Another's address, none, words or lines beside it: the piece is named, its address is not."""
    batch = SmallBatch(drawn={3: drawn})
    vendor = Vendor(tmp_path / "drop", keys_in(tmp_path / "keys"))
    batch.deliver(vendor.drop.to_vendor)
    taken = await vendor.take_in(BATCH)
    assert {fault.piece_id for fault in taken.faults} == {batch.piece_id(3)}
    assert any(found in fault.text for fault in taken.faults)
    assert not any("PEREZ" in fault.text for fault in taken.faults)


async def test_the_index_s_own_address_is_all_that_is_seen(tmp_path: Path) -> None:
    """Nothing to say of the sample batch."""
    vendor = Vendor(tmp_path / "drop", keys_in(tmp_path / "keys"))
    SmallBatch().deliver(vendor.drop.to_vendor)
    assert (await vendor.take_in(BATCH)).faults == ()
