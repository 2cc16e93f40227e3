"""A worker that does not wait for its next poll."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from arq.worker import func
from redis.exceptions import ResponseError

from engine.communications.doorbell import DELIVER, QUEUES, Doorbell, serialize
from engine.communications.owed import Owed
from jobs.waking import PromptWorker

NEVER = 3_600.0


@asynccontextmanager
async def working(redis_url: str, poll_seconds: float) -> AsyncIterator[asyncio.Queue[list[int]]]:
    """A worker of the urgent queue, and the ids that it is given."""
    given: asyncio.Queue[list[int]] = asyncio.Queue()

    async def deliver(_ctx: dict[str, Any], delivery_ids: list[int]) -> None:
        given.put_nowait(delivery_ids)

    doorbell = Doorbell.at(redis_url)
    worker = PromptWorker(
        poll_seconds=poll_seconds,
        functions=[func(deliver, name=DELIVER, keep_result=0)],  # type: ignore[arg-type]  # it works
        queue_name=QUEUES["urgent"],
        redis_pool=doorbell.redis,
        handle_signals=False,
        job_serializer=serialize,
        job_deserializer=json.loads,
    )
    running = asyncio.create_task(worker.main())
    try:
        yield given
    finally:
        running.cancel()
        await asyncio.wait({running})
        await doorbell.close()


async def heard(redis_url: str) -> None:
    """Return once somebody listens for changes."""
    doorbell = Doorbell.at(redis_url)
    while not any(  # noqa: ASYNC110  a list that another process keeps
        "t" in client["flags"] and "P" in client["flags"]
        for client in await doorbell.redis.client_list()
    ):
        await asyncio.sleep(0.01)
    await doorbell.close()


async def test_what_is_rung_for_begins_at_once(redis_url: str) -> None:
    """The next poll is an hour away; each ring is answered all the same."""
    doorbell = Doorbell.at(redis_url)
    async with working(redis_url, NEVER) as given:
        await heard(redis_url)
        for id_ in (1, 2, 3):
            await doorbell.ring([Owed(id_, "urgent")])
            assert await given.get() == [id_]
    await doorbell.close()


async def test_a_server_that_tells_of_no_changes_is_polled(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every Redis that is hosted knows the command: what is rung for is found by the poll."""

    async def refused(_self: PromptWorker) -> None:
        raise ResponseError("unknown subcommand 'TRACKING'")

    monkeypatch.setattr(PromptWorker, "_hear", refused)
    doorbell = Doorbell.at(redis_url)
    async with working(redis_url, 0.02) as given:
        await doorbell.ring([Owed(7, "urgent")])
        assert await given.get() == [7]
    await doorbell.close()


async def test_a_worker_ends_though_its_ear_swallows_a_cancellation(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """redis-py loses one now and then, where a server is lost: the worker would wait for its ear
    for ever, and look at its queue no more."""
    listens = asyncio.Event()

    async def deaf(_self: PromptWorker) -> None:
        listens.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(NEVER)
        await asyncio.sleep(NEVER)

    monkeypatch.setattr(PromptWorker, "_hear", deaf)
    async with asyncio.timeout(60), working(redis_url, 0.02):
        await listens.wait()
