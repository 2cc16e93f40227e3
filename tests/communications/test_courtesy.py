"""Bulk work steps aside for urgent work of the same process, and never for good."""

import asyncio

import pytest

from engine.communications import courtesy
from engine.communications.courtesy import Courtesy


async def test_bulk_waits_until_nothing_is_urgent() -> None:
    """It goes on when the last of several urgent works has ended, however that ended."""
    manners = Courtesy()
    await manners.step_aside()
    with manners.urgent():
        with pytest.raises(RuntimeError), manners.urgent():
            raise RuntimeError
        waiting = asyncio.create_task(manners.step_aside())
        await asyncio.sleep(0)
        assert not waiting.done()
    async with asyncio.timeout(20):
        await waiting


async def test_bulk_goes_on_however_much_is_urgent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Urgent work without an end holds up each piece of bulk work for a while only."""
    monkeypatch.setattr(courtesy, "MOST_SECONDS", 0.01)
    manners = Courtesy()
    with manners.urgent():
        async with asyncio.timeout(20):
            await manners.step_aside()
