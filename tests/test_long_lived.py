"""Processes that serve do not stop to look through what they loaded at their start."""

import gc
import socket
from collections.abc import Iterator

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine import serving
from engine.long_lived import settle
from engine.migrations.grants import PORTAL, WORKER
from engine.settings import Settings
from jobs import worker
from tests.acting import as_role


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """The test process goes on as before."""
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_what_was_loaded_is_left_alone() -> None:
    """What is alive when a process settles is no longer looked through; what comes after is."""
    loaded: list[list[object]] = [[] for _ in range(10)]
    settle()
    assert not any(found is one for found in gc.get_objects() for one in loaded)
    later: list[object] = []
    assert any(found is later for found in gc.get_objects())


async def test_portals_and_workers_settle_before_they_serve(
    settings: Settings, database: AsyncEngine, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the first visitor or job is let in, what was loaded is left alone already."""
    settled: list[bool] = []

    async def serve(*given: object) -> None:
        settled.append(gc.get_freeze_count() > 0)
        gc.unfreeze()
        for listener in given:
            if isinstance(listener, socket.socket):
                listener.close()

    monkeypatch.setattr(serving, "serve_until_told", serve)
    monkeypatch.setattr(worker.WorkerProcess, "run", serve)
    await serving.serve_portal(as_role(settings, PORTAL), "127.0.0.1", 0, shared=False)
    await worker.run_worker(as_role(settings, WORKER))
    assert settled == [True, True]
