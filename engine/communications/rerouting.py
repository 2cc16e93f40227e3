"""From a letter that came back to an email, for a reader who may be written to there."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.communications.catalogue import CATALOGUE, Channel
from engine.communications.claims import Reader
from engine.communications.ports import EmailAddress, Recipients
from engine.communications.routing import Leg, route_from_json, route_to_json
from engine.database import driver_connection

_LOCK_DELIVERIES: Final = """
SELECT id FROM delivery WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE
"""
_AT_THEIR_LAST_STEP: Final = """
SELECT communication.id, notice, participant_id, route::text AS route
FROM communication JOIN delivery ON communication_id = communication.id
WHERE delivery.id = ANY($1::bigint[]) AND delivery.step = communication.step
  AND delivery.state IN ('handed_over', 'mailed') AND contact_point_id IS NULL
  AND communication.step = jsonb_array_length(route) - 1
ORDER BY communication.id FOR UPDATE OF communication
"""


async def allow_email(
    connection: AsyncConnection, recipients: Recipients, delivery_ids: Sequence[int]
) -> None:
    """Give the obligations of these deliveries email as a last step, where nothing follows, the
    notice goes by email, it was not tried before, and the reader has an address that is safe."""
    driver = await driver_connection(connection)
    # Deliveries before communications, as everywhere: two who wait for each other stop both.
    await driver.execute(_LOCK_DELIVERIES, list(delivery_ids))
    rows = [
        (row, route)
        for row in await driver.fetch(_AT_THEIR_LAST_STEP, list(delivery_ids))
        for route in (route_from_json(row["route"]),)
        if Channel.EMAIL in CATALOGUE[row["notice"]].days
        and not any(leg.channel is Channel.EMAIL for step in route for leg in step)
    ]
    readers = [
        Reader(row["participant_id"], secret=CATALOGUE[row["notice"]].carries_secret)
        for row, _ in rows
    ]
    addresses = await recipients.email(connection, readers)
    for (row, route), reader in zip(rows, readers, strict=True):
        if isinstance(addresses[reader], EmailAddress):
            await driver.execute(
                "UPDATE communication SET route = $2::jsonb WHERE id = $1",
                row["id"],
                route_to_json((*route, (Leg(Channel.EMAIL),))),
            )
