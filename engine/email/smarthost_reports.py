"""How the smarthosts stand, as the workers say: only who hands mail over knows whether it is taken.

Each worker writes down every few seconds what it knows; whoever watches reads what was written
lately. It stands in PostgreSQL and not in Redis, so that it is there while Redis is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.alarms.book import keep
from engine.alarms.kinds import Alarm, Finder
from engine.clock import Clock
from engine.database import driver_connection
from engine.email.smarthost import advice
from engine.email.transport import SmtpPool

EVERY_SECONDS: Final = 10.0
LATELY: Final = timedelta(seconds=60)
"""What a worker said before that says nothing of now; a dead worker says nothing."""
DEAD_AFTER: Final = timedelta(seconds=60)
"""A smarthost that restarts is no alarm."""

_WRITE: Final = """
INSERT INTO smarthost_report
       (worker, host, seen_at, down_since, answering, reason, connections, granted)
SELECT $1, host, clock_timestamp(), clock_timestamp() - down, answering, reason, connections,
       granted
FROM unnest($2::text[], $3::interval[], $4::bool[], $5::text[], $6::int[], $7::int[])
     AS said (host, down, answering, reason, connections, granted)
ON CONFLICT (worker, host) DO UPDATE SET
    seen_at = excluded.seen_at, down_since = excluded.down_since, answering = excluded.answering,
    reason = excluded.reason, connections = excluded.connections, granted = excluded.granted
"""
_WITHDRAW: Final = "DELETE FROM smarthost_report WHERE worker = $1"
_FORGET: Final = """
DELETE FROM smarthost_report WHERE seen_at < clock_timestamp() - interval '1 hour'
"""
_READ: Final = """
SELECT host, count(*)::int AS workers,
       count(*) FILTER (WHERE answering)::int AS up,
       count(*) FILTER (WHERE down_since IS NOT NULL AND NOT answering)::int AS down,
       max(clock_timestamp() - down_since) FILTER (WHERE NOT answering) AS down_for,
       min(reason) FILTER (WHERE NOT answering) AS reason
FROM smarthost_report WHERE seen_at > clock_timestamp() - $1::interval GROUP BY host ORDER BY host
"""
_ALIVE: Final = """
SELECT count(DISTINCT worker) FROM smarthost_report
WHERE seen_at > clock_timestamp() - $1::interval
"""


@dataclass(frozen=True, slots=True)
class HostStanding:
    """One smarthost as the live workers see it: how many of them there are, how many find that it
    takes connections and how many that it does not; the others have not tried. For how long it has
    been down for the one that has missed it longest, and its word for why."""

    host: str
    workers: int
    up: int
    down: int
    down_for: timedelta | None
    reason: str | None

    def alarm(self) -> Alarm | None:
        """Whether a person must look at it."""
        if self.down_for is None or self.down_for < DEAD_AFTER:
            return None
        advised = advice(self.reason or "")
        seen = f"{self.reason} at {self.down} of {self.workers} worker(s)"
        return Alarm("smarthost", self.host, f"{seen}: {advised}" if advised else seen)


@dataclass(frozen=True, slots=True)
class SmarthostReports:
    """Writes what this process knows, and reads what all said."""

    engine: AsyncEngine
    pool: SmtpPool
    clock: Clock

    async def write(self, worker: str) -> None:
        """Say how the smarthosts stand for `worker`; those that nobody tries just now are tried."""
        self.pool.probe()
        hosts = self.pool.status()
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(
                _WRITE,
                worker,
                [host.name for host in hosts],
                [_interval(host.seconds_down) for host in hosts],
                [host.answering for host in hosts],
                [host.reason for host in hosts],
                [host.connections for host in hosts],
                [host.granted for host in hosts],
            )

    async def withdraw(self, worker: str) -> None:
        """`worker` stops, and says no more."""
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_WITHDRAW, worker)

    async def look(self) -> list[HostStanding]:
        """Raise an alarm for each smarthost that has been dead for a minute at any worker, and
        clear it once one takes mail again and none misses it; what no worker has tried since it
        started is left as it was."""
        now: datetime = self.clock()
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await driver.execute(_FORGET)
            hosts = await standing(connection)
            alarms = [alarm for host in hosts if (alarm := host.alarm())]
            doubtful = {host.host for host in hosts if host.down or not host.up}
            await keep(connection, Finder.SMARTHOSTS, alarms, now, doubtful)
        return hosts


async def standing(connection: AsyncConnection) -> list[HostStanding]:
    """Every smarthost that a worker spoke of lately."""
    driver = await driver_connection(connection)
    rows: Sequence[Any] = await driver.fetch(_READ, LATELY)
    return [HostStanding(**dict(row)) for row in rows]


async def workers_alive(connection: AsyncConnection) -> int:
    """How many workers have said lately that they live."""
    driver = await driver_connection(connection)
    alive: int = await driver.fetchval(_ALIVE, LATELY)
    return alive


def _interval(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
