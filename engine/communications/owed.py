"""What somebody has to be rung for once a transaction has committed, and the secret it carries."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.communications.ports import Secrets
from engine.database import driver_connection


@dataclass(frozen=True, slots=True)
class Owed:
    """A delivery for which the doorbell should be rung once the transaction has committed."""

    delivery_id: int
    urgency: str
    after: timedelta = timedelta()


async def seal_into(
    connection: AsyncConnection, secrets: Secrets, participant_id: int, delivery_id: int
) -> None:
    """Issue a new secret and put it, sealed, into its delivery."""
    sealed = await secrets.issue(connection, participant_id, delivery_id)
    driver = await driver_connection(connection)
    await driver.execute(
        "UPDATE delivery SET secret = $2, secret_key_id = $3 WHERE id = $1",
        delivery_id,
        sealed.to_bytes(),
        sealed.key_id,
    )
