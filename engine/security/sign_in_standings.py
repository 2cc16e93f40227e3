"""How sign-in stands for what somebody signs in as: failures in a row, and the locks they bring.

It is kept under a keyed tag, for names that are known and for those that are not alike.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.clock import Clock, pacific_date
from engine.database import driver_connection

FAILURES_FORGIVEN_AFTER: Final = timedelta(hours=24)
"""A row of failures that ended so long ago is not gone on with."""
LOCKS_FORGIVEN_AFTER: Final = timedelta(days=7)
"""Without a failure for so long, the next lock is a first one again."""
_A_DAY: Final = timedelta(days=1)

_IN_A_ROW: Final = """
SELECT failures FROM sign_in_standing WHERE tag = $1 AND failed_at > $2
"""
_STANDING: Final = """
INSERT INTO sign_in_standing (tag, participant_id) VALUES ($1, $2)
ON CONFLICT (tag) DO UPDATE SET participant_id = excluded.participant_id
RETURNING failures, locks, failed_at, locked_until, told_on, tries, tries_since
"""
_FAILED: Final = """
UPDATE sign_in_standing SET failures = $2, locks = $3, failed_at = $4, locked_until = $5,
       tries = $6, tries_since = $7, tell = tell OR $8
WHERE tag = $1
"""
_CLEAR: Final = "DELETE FROM sign_in_standing WHERE tag = $1"
_FORGET: Final = """
DELETE FROM sign_in_standing
WHERE failed_at < $1 AND coalesce(locked_until < $1, true) AND NOT tell
"""


@dataclass(frozen=True, slots=True)
class Manners:
    """When a number is slowed down, by `slow` and then twice as much each time; when it is locked,
    and for how long: `first`, then twice as long each time."""

    after_failures: int
    first: timedelta
    most: timedelta
    slow: timedelta = timedelta(0)

    def pause(self, failures: int) -> timedelta:
        """How long the next attempt takes after so many failures in a row: two are free."""
        return self.slow * (1 << (failures - 2)) if failures >= 2 else timedelta(0)

    def lock(self, locks: int) -> timedelta:
        """How long the lock lasts that is the `locks`-th in a row."""
        return min(self.first * (1 << min(locks - 1, 20)), self.most)


class Standing(NamedTuple):
    """What is kept under one tag, in the order of the statement that keeps it."""

    failures: int
    locks: int
    failed_at: datetime | None
    locked_until: datetime | None
    tries: int
    tries_since: datetime | None
    told_on: Any = None

    def locked(self, now: datetime) -> bool:
        """Whether nobody is let in for now."""
        return self.locked_until is not None and self.locked_until > now

    def tries_of_the_day(self, now: datetime) -> int:
        """How many wrong ones were typed within the day while it was locked."""
        since = self.tries_since
        return self.tries if since is not None and now - since <= _A_DAY else 0


@dataclass(frozen=True, slots=True)
class Standings:
    """Keeps them."""

    manners: Manners
    clock: Clock

    async def pause(self, connection: AsyncConnection, tag: str) -> timedelta:
        """How long the next attempt takes."""
        driver = await driver_connection(connection)
        failures = await driver.fetchval(_IN_A_ROW, tag, self.clock() - FAILURES_FORGIVEN_AFTER)
        return self.manners.pause(failures or 0)

    async def of(
        self, connection: AsyncConnection, tag: str, participant_id: int | None
    ) -> Standing:
        """How it stands under `tag`; nobody else changes it until the transaction ends."""
        driver = await driver_connection(connection)
        row = dict(await driver.fetchrow(_STANDING, tag, participant_id))
        return Standing(**row)

    async def failed(
        self, connection: AsyncConnection, tag: str, standing: Standing, *, tell: bool = True
    ) -> bool:
        """Count one failure more; whether it brought a lock, which with `tell` a worker is asked
        to tell the participant of, once a day."""
        now, driver = self.clock(), await driver_connection(connection)
        locked = standing.locked(now)
        after = _tried(standing, now) if locked else self._after_failure(standing, now)
        locking = not locked and after.locked_until not in {None, standing.locked_until}
        tell = tell and locking and standing.told_on != pacific_date(now)
        await driver.execute(_FAILED, tag, *after[:-1], tell)
        return locking

    async def clear(self, connection: AsyncConnection, tag: str) -> None:
        """Somebody was let in, or proved by other means who they are."""
        driver = await driver_connection(connection)
        await driver.execute(_CLEAR, tag)

    async def forget(self, connection: AsyncConnection) -> None:
        """Remove standings that no longer say anything."""
        driver = await driver_connection(connection)
        await driver.execute(_FORGET, self.clock() - LOCKS_FORGIVEN_AFTER)

    def _after_failure(self, standing: Standing, now: datetime) -> Standing:
        row, locks = standing.failures, standing.locks
        if standing.failed_at is not None:
            since_last = now - standing.failed_at
            row = 0 if since_last > FAILURES_FORGIVEN_AFTER else row
            locks = 0 if since_last > LOCKS_FORGIVEN_AFTER else locks
        row += 1
        until = standing.locked_until
        if row >= self.manners.after_failures:
            row, locks = 0, locks + 1
            until = now + self.manners.lock(locks)
        return standing._replace(failures=row, locks=locks, failed_at=now, locked_until=until)


def _tried(standing: Standing, now: datetime) -> Standing:
    """A failure while it is locked is none of the row: a lock is not prolonged by those it keeps
    out."""
    since = standing.tries_since
    fresh = since is None or now - since > _A_DAY
    return standing._replace(
        tries=standing.tries_of_the_day(now) + 1, tries_since=now if fresh else since
    )
