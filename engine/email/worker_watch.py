"""Whether any worker is at work.

Workers raise all alarms and tell of them; that there is none can only be said by somebody else. The
receiver of bounces does: it stays up beside them, with the same rights and the same settings.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from asyncpg.exceptions import InterfaceError, PostgresError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.alarms.book import keep
from engine.alarms.kinds import Alarm, Finder
from engine.alarms.telling import Teller
from engine.clock import Clock
from engine.email.smarthost_reports import EVERY_SECONDS, workers_alive
from engine.errors import ConnectError

log: Final = structlog.get_logger()

AT_LEAST: Final = timedelta(seconds=60)
"""Workers that are all restarted at once are no alarm."""
NONE: Final = Alarm("no_workers", "workers", "none has said for a minute that it lives")
_NO_ANSWER: Final = (
    *(TimeoutError, OSError, SQLAlchemyError, PostgresError, InterfaceError, ConnectError),
)


@dataclass(slots=True)
class WorkerWatch:
    """Looks for workers, and remembers since when it has found none."""

    engine: AsyncEngine
    teller: Teller
    clock: Clock
    _none_since: datetime | None = None

    async def look(self) -> None:
        """Raise the alarm once there has been no worker for a minute, and tell of it, as nobody
        else would; clear it once there is one."""
        now = self.clock()
        async with self.engine.begin() as connection:
            alive = await workers_alive(connection)
            self._none_since = None if alive else min(self._none_since or now, now)
            gone = self._none_since is not None and now - self._none_since >= AT_LEAST
            if alive or gone:
                await keep(connection, Finder.WORKERS, [NONE] if gone else [], now)
        if gone:
            await self.teller.run()

    async def keep_looking(self) -> None:
        """Look every few seconds, until cancelled. A database that is away says nothing of
        workers."""
        while True:
            try:
                await self.look()
            except _NO_ANSWER as error:
                log.warning("workers_not_looked_for", cause=type(error).__name__)
            await asyncio.sleep(EVERY_SECONDS)
