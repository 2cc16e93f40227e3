"""How the smarthosts stand is known to every process, and a dead one is an alarm."""

from datetime import timedelta

from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application, open_application
from engine.email.smarthost_reports import HostStanding, SmarthostReports
from engine.settings import Settings
from tests.database_rows import execute, fetch

AWAY = "127.0.0.1:9"


async def tried(application: Application, worker: str) -> SmarthostReports:
    """What `worker` says once it has tried its smarthosts."""
    reports = application.smarthost_reports
    await reports.write(worker)
    while any(not host.answering and not host.reason for host in application.smtp.status()):
        await application.smtp.smarthosts.change()
    await reports.write(worker)
    return reports


async def grow_old(application: Application) -> None:
    """Two minutes go by, in which every worker lives."""
    await execute(
        application, "UPDATE smarthost_report SET down_since = down_since - interval '2 minutes'"
    )


async def alarms(application: Application) -> list[tuple[str, str]]:
    """The alarms that stand."""
    standing = await application.alarms.standing()
    return [(alarm.subject, alarm.detail) for alarm in standing]


async def test_a_dead_smarthost_is_an_alarm_until_it_takes_mail_again(
    settings: Settings, application: Application, database: AsyncEngine
) -> None:
    """Found though no mail is owed, after a minute; one worker that misses it is enough, and a
    worker that has just started and knows nothing ends no alarm."""
    dead = settings.model_copy(update={"smtp_url": SecretStr(f"smtp://{AWAY}")})
    async with open_application(dead) as without:
        reports = await tried(without, "a:1")
        (host,) = await reports.look()
        assert (host.workers, host.up, host.down, host.reason) == (1, 0, 1, "connect")
        assert await alarms(application) == []
        await grow_old(application)
        await reports.look()
        assert await alarms(application) == [(AWAY, "connect at 1 of 1 worker(s)")]
        await reports.withdraw("a:1")
    await execute(
        application,
        "INSERT INTO smarthost_report (worker, host, seen_at, answering, connections)"
        " VALUES ('b:2', $1, now(), false, 0)",
        AWAY,
    )
    await application.smarthost_reports.look()
    assert len(await alarms(application)) == 1
    await execute(application, "UPDATE smarthost_report SET answering = true")
    await application.smarthost_reports.look()
    assert await alarms(application) == []


async def test_a_live_smarthost_is_known_to_be_up(
    application: Application, redis: Redis, settings: Settings
) -> None:
    """Tried by its worker at once, before anything is owed."""
    reports = await tried(application, "a:1")
    (host,) = await reports.look()
    assert host == HostStanding(host.host, workers=1, up=1, down=0, down_for=None, reason=None)
    assert settings.smtp_url
    assert settings.smtp_url.get_secret_value().endswith(host.host)


async def test_a_dead_worker_says_nothing(application: Application) -> None:
    """What it said last counts for a minute, and is kept for an hour."""
    reports = await tried(application, "a:1")
    await execute(
        application,
        "UPDATE smarthost_report SET seen_at = seen_at - $1::interval",
        timedelta(minutes=2),
    )
    assert await reports.look() == []
    await execute(
        application,
        "UPDATE smarthost_report SET seen_at = seen_at - $1::interval",
        timedelta(hours=1),
    )
    await reports.look()
    assert await fetch(application, "SELECT worker FROM smarthost_report") == []
