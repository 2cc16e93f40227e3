"""Whether a participant wants reminders of appointments by email, which nobody has to.

It is no part of the consent to eCommunications: who does without reminders stays enrolled, and is
still told when an appointment is made, moved or cancelled.
"""

from datetime import datetime
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.database import driver_connection

Via = Literal["link", "profile"]

WANTED: Final = """
COALESCE((SELECT wanted FROM reminder_choice WHERE reminder_choice.participant_id = participant.id
          ORDER BY reminder_choice.id DESC LIMIT 1), true)
"""
"""In a statement over `participant`: whether reminders are wanted."""
_WANTS: Final = f"SELECT {WANTED} FROM participant WHERE id = $1"  # noqa: S608  of this module
_LOCK: Final = "SELECT FROM participant WHERE id = $1 FOR NO KEY UPDATE"
_CHOOSE: Final = """
INSERT INTO reminder_choice (participant_id, wanted, via, at) VALUES ($1, $2, $3, $4)
"""


async def choose_reminders(
    connection: AsyncConnection, participant_id: int, via: Via, at: datetime, *, wanted: bool
) -> bool:
    """Take down a choice; False where it is so already. Emails that are on their way out by then
    are stopped when their turn comes: see `overtaken`."""
    driver = await driver_connection(connection)
    await driver.execute(_LOCK, participant_id)
    if await driver.fetchval(_WANTS, participant_id) == wanted:
        return False
    await driver.execute(_CHOOSE, participant_id, wanted, via, at)
    return True
