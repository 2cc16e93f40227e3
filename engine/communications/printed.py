"""Letters that lie in a stored print batch: they have not left us yet, and nothing stops them.

A stored batch is immutable, and is handed over as it is. Whoever comes too late to take a letter
out of it leaves it as it stands: the record must not say that what goes out was cancelled.
"""

from collections.abc import Sequence
from typing import Any, Final

LIES_IN_A_STORED_BATCH: Final = """EXISTS (
    SELECT FROM print_piece JOIN print_batch ON print_batch.id = batch_id
    WHERE print_piece.delivery_id = delivery.id AND print_batch.state = 'stored')"""
"""Holds of a row of `delivery`."""

_STORED: Final = f"""
SELECT id FROM delivery WHERE id = ANY($1::bigint[]) AND {LIES_IN_A_STORED_BATCH}
"""  # noqa: S608  a constant


async def lying_in_stored_batches(driver: Any, delivery_ids: Sequence[int]) -> frozenset[int]:
    """Those of the deliveries that leave with a stored batch. Whoever has locked the deliveries
    before knows that it stays so: a batch is stored under the locks of its letters."""
    return frozenset(row["id"] for row in await driver.fetch(_STORED, list(delivery_ids)))
