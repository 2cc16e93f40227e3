"""The cron table, on a day when the clock is put back."""

from datetime import datetime, timedelta

from redis.asyncio import Redis

from engine.bootstrap import Application
from engine.clock import PACIFIC
from engine.communications.doorbell import QUEUES
from jobs.worker import build_worker

AUTUMN = datetime(2026, 11, 1, 1, 59, 59, 800_000, tzinfo=PACIFIC)
"""The last moment before the hour that comes twice."""


async def test_the_hour_that_comes_twice_is_worked_twice(
    application: Application, redis: Redis
) -> None:
    """After the clocks have changed in autumn the sweep runs as before, and not an hour later."""
    worker = build_worker(application, "clock", application.doorbell.redis)
    await worker.run_cron(AUTUMN - timedelta(seconds=1), 0.1)
    await redis.flushall()
    again = datetime(2026, 11, 1, 1, 0, 0, 100_000, tzinfo=PACIFIC, fold=1)
    for seconds in range(17):
        await worker.run_cron(again + timedelta(seconds=seconds), 0.5)
    queued = [
        name.decode().partition(":")[2] for name in await redis.zrange(QUEUES["clock"], 0, -1)
    ]
    assert any(name.startswith("sweep:") for name in queued)
