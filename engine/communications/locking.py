"""The one order in which deliveries are locked: by id, with those beside them from the first.

What becomes of a delivery is recorded with all those that meet its obligation together (an inbox
document and its alert). Who locked one of them first, and the others when it comes to recording,
would wait for whoever did so the other way round.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.database import driver_connection

_ABREAST: Final = """
SELECT id FROM delivery
WHERE (communication_id, step) IN (
    SELECT communication_id, step FROM delivery WHERE id = ANY($1::bigint[]))
ORDER BY id FOR UPDATE
"""


async def lock_abreast(connection: AsyncConnection, delivery_ids: Sequence[int]) -> None:
    """Lock these deliveries and those that belong to the same step of their communications."""
    driver = await driver_connection(connection)
    await driver.execute(_ABREAST, list(delivery_ids))
