"""Rows that nothing can be made of: found, counted, and called out; the others go on."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.alarms.book import keep
from engine.alarms.kinds import Alarm, Finder, counted
from engine.clock import Clock
from engine.communications.claims import UNREADABLE
from engine.communications.inlining import InliningError
from engine.communications.rendering import RenderError
from engine.database import driver_connection
from engine.errors import ConnectError, InputError, MissingTranslationError, SettingsError
from engine.security.sealing import SealError

NOT_BUILT: Final = [
    *(
        error.__name__
        for error in (
            RenderError,
            InliningError,
            MissingTranslationError,
            SealError,
            InputError,
            SettingsError,
            ConnectError,
        )
    ),
    "ExtraError",
]
"""The reasons with which a message waits that could not be built: what went wrong, by its name."""

_POISONED: Final = """
SELECT kind, notice, channel, count(*)::int AS number,
       (array_agg(delivery_id ORDER BY delivery_id))[1:5] AS first
FROM (
    SELECT 'unreadable' AS kind, notice, channel, delivery.id AS delivery_id
    FROM communication JOIN delivery ON communication_id = communication.id
    WHERE communication.state = 'held' AND delivery.state = 'held' AND reason = $1
    UNION ALL
    SELECT 'not_built', notice, channel, delivery.id
    FROM delivery JOIN communication ON communication.id = communication_id
    WHERE final_at IS NULL AND delivery.state = 'owed' AND reason = ANY($2::text[])
) AS poisoned GROUP BY kind, notice, channel ORDER BY kind, notice, channel
"""


@dataclass(frozen=True, slots=True)
class PoisonWatch:
    """Looks for rows that cannot be read, and messages that cannot be built."""

    engine: AsyncEngine
    clock: Clock

    async def look(self) -> list[Alarm]:
        """One alarm for each notice and channel, while there are any."""
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            rows = await driver.fetch(_POISONED, UNREADABLE, NOT_BUILT)
            found = [
                Alarm(
                    row["kind"],
                    f"{row['notice']} by {row['channel']}",
                    counted("deliveries", row["number"], row["first"]),
                )
                for row in rows
            ]
            await keep(connection, Finder.DELIVERIES, found, self.clock())
        return found
