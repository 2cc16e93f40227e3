"""Processes that serve do not stop to look through what they loaded at their start."""

import gc
from collections.abc import Iterator

import pytest

from engine import serving
from engine.long_lived import settle
from jobs import worker


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """The test process goes on as before."""
    yield
    gc.unfreeze()


def test_what_was_loaded_is_left_alone() -> None:
    """What is alive when a process settles is no longer looked through; what comes after is."""
    loaded = [[] for _ in range(10)]  # type: list[list[object]]
    settle()
    assert gc.get_freeze_count() > len(loaded)
    assert not any(found is one for found in gc.get_objects() for one in loaded)
    later: list[object] = []
    assert any(found is later for found in gc.get_objects())


def test_portals_and_workers_settle() -> None:
    """Both do so before they serve."""
    assert "settle" in serving.serve_portal.__code__.co_names
    assert "settle" in worker.run_worker.__code__.co_names
