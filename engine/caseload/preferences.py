"""The language that a participant chooses for their notices."""

from typing import Final

from engine.caseload.alerts import security_alert
from engine.clock import Clock
from engine.communications.outbox import Transaction
from engine.database import driver_connection
from engine.i18n import Language

_LOCK: Final = "SELECT language FROM participant WHERE id = $1 FOR NO KEY UPDATE"
_LANGUAGE: Final = "UPDATE participant SET language = $2 WHERE id = $1"


async def change_language(
    transaction: Transaction, participant_id: int, language: Language, key: str, clock: Clock
) -> bool:
    """Write notices in `language` from now on, and tell; False where they are already."""
    driver = await driver_connection(transaction.connection)
    current = await driver.fetchrow(_LOCK, participant_id)
    if current["language"] == language:
        return False
    await driver.execute(_LANGUAGE, participant_id, language)
    await security_alert(transaction, participant_id, "language", key, clock())
    return True
