"""Who remembers, outside the database, how far it had come: the data folder and Redis.

A witness may be lost, and then says nothing; none is believed to be younger than another.
"""

from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

REDIS_KEY: Final = "connect:database-mark"

NEVER: Final = datetime.fromisoformat("0001-01-02T00:00:00+00:00")
"""What is said where nobody remembers anything."""


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The data folder of this machine, and the Redis of all machines."""

    data_dir: Path
    redis: Redis

    @property
    def path(self) -> Path:
        """Where the data folder remembers."""
        return self.data_dir / "run" / "database.mark"

    async def latest(self) -> datetime:
        """The latest beat that any of them has seen."""
        return max(self._from_folder(), await self._from_redis())

    async def remember(self, beat: datetime) -> None:
        """Let all of them know; one that cannot be reached goes without."""
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            draft = self.path.with_suffix(".mark-draft")
            draft.write_text(beat.isoformat())
            draft.rename(self.path)
        with suppress(RedisError, OSError):
            setting: Awaitable[object] = self.redis.set(REDIS_KEY, beat.isoformat())
            await setting

    def _from_folder(self) -> datetime:
        try:
            return datetime.fromisoformat(self.path.read_text())
        except (OSError, ValueError):
            return NEVER

    async def _from_redis(self) -> datetime:
        try:
            said = await self.redis.get(REDIS_KEY)
            return datetime.fromisoformat(said.decode()) if said else NEVER
        except (RedisError, OSError, ValueError):
            return NEVER
