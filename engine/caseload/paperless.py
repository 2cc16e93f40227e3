"""Whether a participant's notices go into the inbox: who is enrolled in eCommunications."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.database import driver_connection

_ENROLLED: Final = "SELECT paperless FROM participant WHERE id = $1"


async def is_enrolled(connection: AsyncConnection, participant_id: int) -> bool:
    """Whether the participant chose to be without paper."""
    driver = await driver_connection(connection)
    return bool(await driver.fetchval(_ENROLLED, participant_id))
