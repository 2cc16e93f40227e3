"""What a participant chooses for their notices: the language, and whether paper is sent."""

from typing import Final

from engine.caseload.alerts import security_alert
from engine.clock import Clock
from engine.communications.outbox import Transaction
from engine.database import driver_connection
from engine.errors import InputError
from engine.i18n import Language

_LOCK: Final = "SELECT language, paperless FROM participant WHERE id = $1 FOR NO KEY UPDATE"
_LANGUAGE: Final = "UPDATE participant SET language = $2 WHERE id = $1"
_PAPERLESS: Final = "UPDATE participant SET paperless = $2 WHERE id = $1"
_HAS_EMAIL: Final = """
SELECT EXISTS (SELECT FROM contact_point WHERE participant_id = $1 AND kind = 'email'
               AND superseded_at IS NULL AND safe_to_use AND bounced_at IS NULL)
"""


class NoEmailError(InputError):
    """Without an email address that may be used nobody can be told of what waits for them."""


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


async def change_paperless(
    transaction: Transaction, participant_id: int, *, paperless: bool, key: str, clock: Clock
) -> bool:
    """Enrol in eCommunications or withdraw, and tell; False where it is so already. Raises
    NoEmailError for who cannot be told that something waits."""
    driver = await driver_connection(transaction.connection)
    current = await driver.fetchrow(_LOCK, participant_id)
    if current["paperless"] == paperless:
        return False
    if paperless and not await driver.fetchval(_HAS_EMAIL, participant_id):
        raise NoEmailError("there is no email address that may be used")
    await driver.execute(_PAPERLESS, participant_id, paperless)
    await security_alert(transaction, participant_id, "ecommunications", key, clock())
    return True
