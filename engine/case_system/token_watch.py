"""Tokens of the machine API that are about to end, for whoever is to exchange them in time."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.alarms.book import keep
from engine.alarms.kinds import Alarm, Finder
from engine.clock import PACIFIC, Clock
from engine.database import driver_connection

WARNED_BEFORE: Final = timedelta(days=14)
"""Whoever runs the case system has to be found, and to put the new token in place."""

# Of a program with two tokens the newer one counts: the older ends because it was rotated away.
_ENDING: Final = """
SELECT name, max(expires_at) AS ends
FROM api_key JOIN api_key_secret AS secret ON api_key_id = api_key.id
WHERE revoked_at IS NULL
GROUP BY api_key.id HAVING max(expires_at) < $1 ORDER BY name
"""


@dataclass(frozen=True, slots=True)
class TokenWatch:
    """Raises an alarm for each program whose last token ends within WARNED_BEFORE, or has ended,
    until it has another or is revoked."""

    engine: AsyncEngine
    clock: Clock

    async def look(self) -> None:
        """Look once."""
        now = self.clock()
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            found = [
                Alarm(
                    "api_token",
                    row["name"],
                    f"{'ended' if row['ends'] <= now else 'ends'} "
                    f"{row['ends'].astimezone(PACIFIC):%Y-%m-%d %H:%M}",
                )
                for row in await driver.fetch(_ENDING, now + WARNED_BEFORE)
            ]
            await keep(connection, Finder.API_TOKENS, found, now)
