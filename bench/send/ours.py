"""Ours: reminders recorded as a campaign, then rung for; `python -m jobs` sends them, and the
database says when the last outcome was recorded."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psutil
from pydantic import SecretStr
from redis import Redis

from bench.people import make_people
from bench.send.runs import Run, Watched, watched
from bench.send.sink import Sink, sink
from bench.send.workload import NOTICE, Calendar, ask
from bench.stand import workers
from engine.bootstrap import Application, open_application
from engine.communications.campaigns import CampaignBell
from engine.database import driver_connection
from engine.settings import Settings

_WARM_UP: Final = 500
_WARM_UP_CHUNK: Final = 50
"""In jobs so small, every worker has its share of them."""
_STUCK_SECONDS: Final = 150
"""So long without a message taken or an outcome recorded, and the run is given up. The sweep rings
again after a minute for what was lost."""
_NOW: Final = "SELECT clock_timestamp() AS at, pg_current_wal_lsn()::text AS log"
_LOGGED: Final = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $1::text::pg_lsn)"
_CAMPAIGN: Final = "SELECT id FROM campaign WHERE name = $1"
_LAST: Final = """
SELECT max(delivery_event.at) FILTER (WHERE event = 'accepted') AS at,
       count(*) FILTER (WHERE event = 'accepted') AS accepted,
       count(*) FILTER (WHERE event = 'claimed') AS claimed,
       count(DISTINCT delivery.id) FILTER (WHERE delivery.state = 'sent') AS sent
FROM communication JOIN delivery ON communication_id = communication.id
JOIN delivery_event ON delivery_id = delivery.id WHERE campaign_id = $1
"""
_MET: Final = "SELECT count(*) FROM communication WHERE campaign_id = $1 AND state = 'met'"
_UNSETTLED: Final = "SELECT EXISTS (SELECT FROM delivery WHERE state IN ('owed', 'sending'))"


class _Silent(CampaignBell):
    """Rings for nothing: the bench rings when it begins to count."""

    async def ring(self, campaign_id: int) -> int:  # noqa: ARG002  the port's
        return 0


async def populate(settings: Settings, number: int) -> str:
    """Put so many participants into the database; the version of PostgreSQL."""
    async with open_application(settings) as application:
        return await make_people(application, number)


def run_ours(
    settings: Settings,
    number: int,
    messages: int,
    calendar: Calendar,
    profile: Path | None = None,
) -> Run:
    """Send so many with so many workers, and see in the database that each was sent once."""
    with sink() as opened:
        url = SecretStr(f"smtp://127.0.0.1:{opened.port}")
        over = settings.model_copy(update={"smtp_url": url})
        with workers(over, number, profile=profile, QUIET_HOURS="") as started:
            pace = _Pace(over, opened, calendar)
            in_small_jobs = over.model_copy(update={"chunk": _WARM_UP_CHUNK})
            asyncio.run(_Pace(in_small_jobs, opened, calendar).send(_WARM_UP))
            servers = servers_of(over, opened)
            with watched(started) as watching:
                before = {name: one.processor() for name, one in servers.items()}
                used = -watching.processor()
                seconds, logged = asyncio.run(pace.send(messages))
                used += watching.processor()
                beside = {name: one.processor() - before[name] for name, one in servers.items()}
    return Run(messages, seconds, used, tuple(watching.memory), beside, logged)


def servers_of(settings: Settings, opened: Sink) -> dict[str, Watched]:
    """What the workers talk to, by name."""
    assert settings.redis_url is not None  # noqa: S101  the stand set it
    with Redis.from_url(settings.redis_url.get_secret_value()) as redis:
        redis_pid = int(redis.info("server")["process_id"])
    postmaster = (settings.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0]
    pids = {"PostgreSQL": int(postmaster), "Redis": redis_pid, "the sink": opened.pid}
    return {name: Watched([psutil.Process(pid)]) for name, pid in pids.items()}


class _Pace:
    """Rings for campaigns, and times them."""

    def __init__(self, settings: Settings, opened: Sink, calendar: Calendar) -> None:
        self._settings = settings
        self._calendar = calendar
        self._sink = opened

    async def send(self, messages: int) -> tuple[float, int]:
        """Seconds from the first ring to the last recorded outcome; bytes of PostgreSQL's log."""
        before = self._sink.taken
        async with open_application(self._settings) as application:
            campaign = await _recorded(application, messages, self._calendar)
            async with application.engine.connect() as connection:
                driver = await driver_connection(connection)
                began = await driver.fetchrow(_NOW)
                await application.campaigns.bell.ring(campaign)
                await self._settled(driver, before + messages)
                logged = await driver.fetchval(_LOGGED, began["log"])
                last = await driver.fetchrow(_LAST, campaign)
                met = await driver.fetchval(_MET, campaign)
        told = {
            "accepted": last["accepted"],
            "claimed": last["claimed"],
            "sent": last["sent"],
            "met": met,
            "taken by the sink": self._sink.taken - before,
        }
        if wrong := {name: count for name, count in told.items() if count != messages}:
            raise SystemExit(f"{messages:,} were to be sent once each, but: {wrong}")
        return float((last["at"] - began["at"]).total_seconds()), int(logged)

    async def _settled(self, driver: Any, count: int) -> None:
        """Wait for the sink first, which costs nothing, and then for the database."""
        standing, since = -1, time.monotonic()
        while self._sink.taken < count or await driver.fetchval(_UNSETTLED):
            if self._sink.taken > standing:
                standing, since = self._sink.taken, time.monotonic()
            if time.monotonic() - since > _STUCK_SECONDS:
                log = (self._settings.data_dir / "bench-worker-0.log").read_text()
                raise SystemExit(f"{count - standing:,} messages did not come\n{log[-2_000:]}")
            await asyncio.sleep(0.05)


async def _recorded(application: Application, messages: int, calendar: Calendar) -> int:
    name = f"bench-{uuid4().hex[:12]}"
    silent = _Silent(application.engine, application.doorbell)
    bulk = replace(application.bulk_notices.bulk, bell=silent)
    async with bulk.recording(name, NOTICE) as recording:
        await ask(recording, name, messages, calendar)
        await recording.write()
    if recording.recorded != messages:
        raise SystemExit(f"{recording.recorded:,} of {messages:,} were recorded")
    return recording.campaign_id
