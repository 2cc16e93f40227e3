"""Counts letters at the vendor's end: each owed letter once, in a batch that can be opened."""

from collections import Counter
from pathlib import Path

from engine.bootstrap import Application
from engine.mail.keys import load_print_keys
from tests.database_rows import fetch
from tests.vendor.marks import Sampling
from tests.vendor.sealing import Keys
from tests.vendor.shop import Vendor


def vendor_at(application: Application, drop: Path) -> Vendor:
    """The demonstration vendor, with its drop at that folder."""
    load_print_keys(application.settings)
    keys = application.settings.data_dir / "print" / "vendor-key"
    return Vendor(
        drop,
        Keys(keys / "vendor-secret.asc", keys / "signing-public.asc"),
        clock=application.clock,
        sampling=Sampling(1000),
    )


async def batches_of_letters(application: Application, drop: Path) -> dict[int, str]:
    """Delivery → the batch in which the vendor has its letter.

    Fails unless every letter that is not held or cancelled is in exactly one piece of exactly one
    batch, each batch opens and adds up, and batches that the vendor rejected are left out.
    """
    vendor = vendor_at(application, drop)
    rejected = await fetch(
        application,
        "SELECT name FROM print_batch JOIN print_answer ON batch_id = print_batch.id"
        " WHERE kind = 'ack' AND content->>'result' = 'rejected'",
    )
    names = {path.name.removesuffix(".done") for path in vendor.drop.to_vendor.glob("*.done")}
    at_the_vendor: Counter[str] = Counter()
    batch_of: dict[str, str] = {}
    for name in sorted(names - {row["name"] for row in rejected}):
        taken = await vendor.take_in(name)
        assert taken.good, taken.faults
        for piece in vendor.job(name).pieces:
            at_the_vendor[piece.piece_id] += 1
            batch_of[piece.piece_id] = name
    letters = await fetch(
        application,
        "SELECT delivery.id, piece_id::text FROM delivery LEFT JOIN print_piece"
        " ON delivery_id = delivery.id AND NOT superseded AND seq IS NOT NULL"
        " WHERE channel = 'mail' AND state NOT IN ('held', 'cancelled') ORDER BY delivery.id",
    )
    assert at_the_vendor == Counter(str(letter["piece_id"]) for letter in letters)
    return {int(str(letter["id"])): batch_of[str(letter["piece_id"])] for letter in letters}
