"""A worker process: one arq worker for each queue, opened again by itself when Redis comes back.

arq's own worker dies when Redis goes away; this one is built anew, with backoff. On SIGTERM both
stop picking up work, finish what they hold, and put back what they had not begun.
"""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Awaitable
from contextlib import suppress
from functools import partial
from typing import Any, Final

import structlog
from arq.connections import ArqRedis
from arq.worker import Worker, func
from asyncpg.exceptions import InterfaceError, PostgresError
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from engine.bootstrap import Application, open_application
from engine.caseload.personal import CONTACT, NAMES
from engine.clock import PACIFIC
from engine.communications.doorbell import (
    DELIVER,
    POST_TO_WEBHOOK,
    QUEUES,
    SETTLE_PIN_REQUESTS,
    Doorbell,
    serialize,
)
from engine.communications.retries import Backoff
from engine.email.smarthost_reports import EVERY_SECONDS
from engine.long_lived import settle
from engine.migrations.grants import WORKER
from engine.migrations.logins import require_own_login
from engine.recovery.mark import DatabaseRestoredError
from engine.security.resealing import require_keys
from engine.settings import Settings
from jobs.keeping_time import ClockWorker
from jobs.schedule import cron_table
from jobs.tasks import deliver, post_to_webhook, settle_pin_requests
from jobs.waking import PromptWorker, end

log: Final = structlog.get_logger()

GRACE_SECONDS: Final = 7.0
"""What a stopping worker gives its jobs to finish; the rest of ten seconds is for putting back."""

_DATABASE_AWAY: Final = (TimeoutError, OSError, SQLAlchemyError, PostgresError, InterfaceError)
_RECONNECT: Final = Backoff(first=0.5, most=15)
_POLL_SECONDS: Final = 0.1
_JOBS_AT_ONCE: Final = {"urgent": 4, "bulk": 2, "clock": 4, "webhooks": 20}


def build_worker(application: Application, queue: str, redis: ArqRedis, **options: Any) -> Worker:
    """The arq worker of one queue. Retries live in the database, so a job is tried once.

    The cron table has a queue of its own, so that a sweep never waits behind a backlog. What is
    rung for begins at once; by the clock nothing is rung for.
    """
    worker = (
        partial(ClockWorker, poll_delay=_POLL_SECONDS, cron_jobs=cron_table())
        if queue == "clock"
        else partial(PromptWorker, poll_seconds=_POLL_SECONDS)
    )
    return worker(
        functions=[
            func(deliver, name=DELIVER, keep_result=0, max_tries=1),
            func(settle_pin_requests, name=SETTLE_PIN_REQUESTS, keep_result=0, max_tries=1),
            func(post_to_webhook, name=POST_TO_WEBHOOK, keep_result=0, max_tries=1),
        ],
        queue_name=QUEUES[queue],
        redis_pool=redis,
        handle_signals=False,
        max_jobs=_JOBS_AT_ONCE[queue],
        keep_result=0,
        max_tries=1,
        retry_jobs=False,
        job_timeout=600,
        job_serializer=serialize,
        job_deserializer=json.loads,
        timezone=PACIFIC,  # type: ignore[arg-type]  # arq hints less than it takes
        log_results=False,
        ctx={"application": application, "queue": queue},
        **options,
    )


class WorkerProcess:
    """Runs the workers of both queues until it is told to stop."""

    def __init__(self, application: Application, redis_url: str) -> None:
        self._application = application
        self._redis_url = redis_url
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Stop when what is held has been finished, or the grace has run out."""
        log.info("worker_stopping")
        self._stopping.set()

    async def run(self) -> None:
        """Work until stopped. Raises DatabaseRestoredError, at its start or once it is noticed."""
        await self._application.mark.try_to_beat()
        beating = asyncio.create_task(self._application.mark.keep_beating())
        beating.add_done_callback(lambda _: self._stopping.set())
        log.info("worker_started")
        async with asyncio.TaskGroup() as group:
            for queue in QUEUES:
                group.create_task(self._keep_working(queue))
            group.create_task(self._keep_reporting())
        log.info("worker_stopped")
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating

    async def _keep_reporting(self) -> None:
        """Say every few seconds how the smarthosts stand for this process, and that it lives."""
        reports = self._application.smarthost_reports
        name = f"{socket.gethostname()}:{os.getpid()}"
        while not self._stopping.is_set():
            await self._reported(reports.write(name))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), EVERY_SECONDS)
        await self._reported(reports.withdraw(name))

    async def _reported(self, said: Awaitable[None]) -> None:
        """A database that is away for a moment ends no worker."""
        try:
            async with asyncio.timeout(EVERY_SECONDS):
                await said
        except (*_DATABASE_AWAY, DatabaseRestoredError) as error:
            log.warning("smarthosts_unreported", cause=type(error).__name__)

    async def _keep_working(self, queue: str) -> None:
        failures = 0
        while not self._stopping.is_set():
            doorbell = Doorbell.at(self._redis_url)
            worker = build_worker(self._application, queue, doorbell.redis)
            started = asyncio.get_running_loop().time()
            try:
                await self._work(worker)
            except (RedisError, OSError) as error:
                lasted = asyncio.get_running_loop().time() - started
                failures = 1 if lasted > 60 else failures + 1
                wait = _RECONNECT.delay(failures).total_seconds()
                log.warning(
                    "redis_lost", queue=queue, cause=type(error).__name__, retry_in=round(wait, 1)
                )
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), wait)
            finally:
                await doorbell.close()

    async def _work(self, worker: Worker) -> None:
        """Run `worker` until Redis is lost or we are stopped; its jobs are never left running."""
        running = asyncio.create_task(worker.main())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        worker.allow_pick_jobs = False
        failure = running.exception() if running.done() else None
        for task in (stopping, running):
            await end(task)
        await self._let_finish(worker)
        if failure is not None:
            raise failure

    async def _let_finish(self, worker: Worker) -> None:
        """Jobs need PostgreSQL and the smarthost, not Redis: let them end, then cancel them.

        A Redis that is merely lost gives them all the time they need.
        """
        jobs = list(worker.tasks.values())
        if not jobs:
            return
        late = set(jobs)
        while late and not self._stopping.is_set():
            _, late = await asyncio.wait(late, timeout=1)
        if late:
            _, late = await asyncio.wait(late, timeout=GRACE_SECONDS)
        for job in late:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)


async def run_worker(settings: Settings) -> None:
    """Open the application and work until SIGTERM or SIGINT."""
    async with open_application(settings) as application:
        await require_own_login(settings, application.engine, WORKER)
        await require_keys(application.engine, (NAMES, CONTACT), tuple(settings.sealing_keys))
        assert settings.redis_url is not None  # noqa: S101  opening the application checked it
        settle()
        process = WorkerProcess(application, settings.redis_url.get_secret_value())
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, process.stop)
        await process.run()
