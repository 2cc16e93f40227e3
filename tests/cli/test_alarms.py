"""`connect alarms`, as whoever is on call meets it."""

from datetime import UTC, datetime

import pytest

from engine.alarms.book import keep
from engine.alarms.kinds import Alarm, Finder
from engine.bootstrap import Application
from tests.cli.terminal import Terminal

# It runs the real command, which takes three seconds: the fuller tier has room.
pytestmark = pytest.mark.full


def test_what_stands_is_listed_with_what_to_do(
    machine: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Since when, of what, and the act; who is told, and no token of a webhook."""

    async def raise_one(application: Application) -> None:
        async with application.engine.begin() as connection:
            found = [Alarm("smarthost", "relay-a:587", "timeout at 1 of 4 worker(s)")]
            since = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
            await keep(connection, Finder.SMARTHOSTS, found, since)

    machine.prepare(raise_one)
    monkeypatch.setenv("OPERATOR_EMAIL", "operator@connect.example")
    monkeypatch.setenv("ALARM_WEBHOOK_URL", "https://hooks.connect.example/alarms?token=hush")
    said = machine.connect("alarms")
    for part in ("2026-11-23 10:30", "relay-a:587", "timeout at 1 of 4", "Do: what its text"):
        assert part in said.out
    assert "Told of each, once: webhook, operator@connect.example" in said.out
    assert "hush" not in said.out + said.error
