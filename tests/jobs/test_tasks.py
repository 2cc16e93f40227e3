"""Jobs that another version of the program has enqueued."""

import asyncio
import json
import pickle

import pytest
from redis.asyncio import Redis

from engine.bootstrap import Application
from engine.communications.doorbell import DELIVER, QUEUES
from jobs.tasks import deliver, post_to_webhook, settle_pin_requests
from jobs.worker import build_worker
from tests.communications.test_campaigns import crowd
from tests.database_rows import states
from tests.jobs.test_worker import record

UNREADABLE = [None, 7, "7", ["7"], [True], [-1], [2**63], {"ids": [7]}, [[7]]]


@pytest.mark.parametrize("given", UNREADABLE)
async def test_what_cannot_be_read_is_dropped(application: Application, given: object) -> None:
    """A job whose ids are none takes nothing, and raises nothing: the sweep rings again."""
    ctx = {"application": application, "queue": "bulk"}
    assert await deliver(ctx, given) == 0
    assert await settle_pin_requests(ctx, given) == 0
    assert await post_to_webhook(ctx, given) == 0


async def test_what_is_understood_is_done(application: Application) -> None:
    """A newer version may say more beside the ids."""
    owed = await record(application, 1)
    ctx = {"application": application, "queue": "bulk"}
    assert await deliver(ctx, [owed[0].delivery_id], "tenant-1", hurry=True) == 1
    assert await states(application) == ["sent"]


async def test_a_worker_outlives_what_it_cannot_read(
    application: Application, redis: Redis
) -> None:
    """Jobs of another name, of another serializer or without any sense end, and the one behind
    them is done."""
    strange = {
        "pickled": pickle.dumps({"t": 1, "f": DELIVER, "a": ([1],), "k": {}, "et": 1}),
        "torn": b'{"t": 1, "f": "deliver", "a": [[1',
        "not-a-job": b'["deliver"]',
        "unknown": json.dumps({"t": 1, "f": "send_fax", "a": [[1]], "k": {}, "et": 1}).encode(),
        "no-ids": json.dumps({"t": 1, "f": DELIVER, "a": ["1"], "k": {}, "et": 1}).encode(),
    }
    for number, (name, payload) in enumerate(strange.items(), 1):
        await redis.set(f"arq:job:{name}", payload)
        await redis.zadd(QUEUES["bulk"], {name: number})
    await record(application, 1)
    worker = build_worker(application, "bulk", application.doorbell.redis, burst=True)
    async with asyncio.timeout(20):
        await worker.async_run()
    assert await states(application) == ["sent"]
    assert await redis.zcard(QUEUES["bulk"]) == 0


async def test_a_campaign_rings_for_all_of_its_first(
    application: Application, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few are looked up at a time, each of the first is rung for, once."""
    monkeypatch.setattr("engine.communications.campaigns.RUNG_AT_ONCE", 2)
    object.__setattr__(application.doorbell, "chunk", 1)
    await crowd(application, 5)
    assert await redis.zcard(QUEUES["bulk"]) == 5
    worker = build_worker(application, "bulk", application.doorbell.redis, burst=True)
    async with asyncio.timeout(20):
        await worker.async_run()
    assert await states(application) == ["sent"] * 5


async def test_a_campaign_keeps_its_workers_busy(
    application: Application, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It rings for its first alone; whoever works them off rings for the next, and no sweep is
    waited for until all are sent."""
    monkeypatch.setattr("engine.communications.campaigns.RUNG_AT_FIRST", 1)
    monkeypatch.setattr("engine.communications.sweep.BULK_JOBS", 2)
    await crowd(application, 6)
    assert await redis.zcard(QUEUES["bulk"]) == 1
    object.__setattr__(application.doorbell, "chunk", 1)
    worker = build_worker(application, "bulk", application.doorbell.redis, burst=True)
    async with asyncio.timeout(20):
        await worker.async_run()
    assert await states(application) == ["sent"] * 6
