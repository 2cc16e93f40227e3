"""Endpoints that nothing is posted to any more, for whoever is to know."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.alarms.book import keep
from engine.alarms.kinds import Alarm, Finder
from engine.clock import PACIFIC, Clock
from engine.database import driver_connection

_DISABLED: Final = """
SELECT id, disabled_at, disabled_why, failing_since, last_answer FROM webhook_endpoint
WHERE disabled_why IN ('dead', 'gone') ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class WebhookWatch:
    """Raises an alarm for each endpoint that was given up, until it is enabled or removed."""

    engine: AsyncEngine
    clock: Clock

    async def look(self) -> None:
        """Look once."""
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            found = [
                Alarm(
                    "webhook",
                    f"webhook {row['id']}",
                    f"disabled {row['disabled_at'].astimezone(PACIFIC):%Y-%m-%d %H:%M}; "
                    f"last answer: {row['last_answer']}",
                )
                for row in await driver.fetch(_DISABLED)
            ]
            await keep(connection, Finder.WEBHOOKS, found, self.clock())
