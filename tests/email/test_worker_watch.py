"""That no worker is at work is an alarm, and told, though workers do all other telling."""

from datetime import timedelta

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.settings import Settings
from tests.acting import opened_in_parts
from tests.database_rows import fetch
from tests.promises import Hand
from tests.smtp_server import SmtpServer


async def test_no_worker_is_told_once_until_one_lives(
    settings: Settings, database: AsyncEngine, redis: Redis, smtp: SmtpServer
) -> None:
    """Raised when there has been none for a minute, and not when all are restarted; told once
    however often is looked; over when a worker says that it lives."""
    hand = Hand()
    to_tell = settings.model_copy(update={"operator_email": "operator@connect.example"})
    async with opened_in_parts(to_tell, hand) as application:
        watch, reports = application.worker_watch, application.smarthost_reports
        for seconds in (0, 50):
            hand.now += timedelta(seconds=seconds)
            await watch.look()
        await reports.write("a:1")
        await watch.look()
        await reports.withdraw("a:1")
        told = []
        for seconds in (0, 50, 10, 10):
            hand.now += timedelta(seconds=seconds)
            await watch.look()
            told.append([message["Subject"].partition(":")[0][-8:] for _, _, message in smtp.taken])
        assert told == [[], [], *2 * [["1 raised"]]]
        await reports.write("a:1")
        await watch.look()
        rows = await fetch(application, "SELECT kind, cleared_at IS NOT NULL AS over FROM alarm")
        assert rows == [{"kind": "no_workers", "over": True}]
