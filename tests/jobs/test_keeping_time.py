"""The cron table, on the days when the clocks change."""

from datetime import datetime, timedelta

from redis.asyncio import Redis

from engine.bootstrap import Application
from engine.clock import PACIFIC
from engine.communications.doorbell import QUEUES
from jobs.worker import build_worker

AUTUMN = datetime(2026, 11, 1, 1, 59, 59, tzinfo=PACIFIC)
"""The last second before the hour that comes twice."""
SPRING = datetime(2027, 3, 14, 1, 59, 58, tzinfo=PACIFIC)
"""Shortly before the hour that never is."""


async def sweeps(redis: Redis) -> int:
    """How many sweeps are in the queue."""
    queued = [name.decode() for name in await redis.zrange(QUEUES["clock"], 0, -1)]
    return sum("sweep:" in name for name in queued)


async def test_the_hour_that_comes_twice_is_worked_twice(
    application: Application, redis: Redis
) -> None:
    """After the clocks have changed in autumn the sweep runs as before, and not an hour later."""
    worker = build_worker(application, "clock", application.doorbell.redis)
    await worker.run_cron(AUTUMN, 0.1)
    await redis.flushall()
    again = datetime(2026, 11, 1, 1, 0, 0, 500_000, tzinfo=PACIFIC, fold=1)
    for seconds in range(17):
        await worker.run_cron(again + timedelta(seconds=seconds), 0.5)
    assert await sweeps(redis) > 0


async def test_the_hour_that_never_was_is_made_up_for_once(
    application: Application, redis: Redis
) -> None:
    """After the clocks have changed in spring one sweep runs, and not two hundred and forty."""
    worker = build_worker(application, "clock", application.doorbell.redis)
    await worker.run_cron(SPRING, 0.1)
    await redis.flushall()
    for tenths in range(30):
        after = datetime(2027, 3, 14, 3, 0, 1, tzinfo=PACIFIC) + timedelta(seconds=tenths / 10)
        await worker.run_cron(after, 0.1)
    assert await sweeps(redis) == 1
