"""What Prometheus reads."""

from dataclasses import replace
from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.clock import pacific_date
from engine.database import create_engine
from engine.portal.standing import Standing
from engine.settings import Settings
from tests import people
from tests.database_rows import execute
from tests.portal.portal_server import MONDAY_NOON, Portal, portal_over, send_form


async def read(portal: Portal) -> dict[tuple[str, ...], float]:
    """(name, label value, …) → value."""
    answered = await portal.browser().get("/metrics")
    assert answered.status_code == 200
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answered.text)
        for sample in family.samples
    }


async def test_requests_are_counted_by_route_not_by_path(portal: Portal) -> None:
    """Whatever paths are asked for, the labels are ours: nobody can fill the memory with them."""
    browser = portal.browser()
    await send_form(browser)
    for path in ("/secret-1", "/secret-2", "/static/nothing"):
        await browser.get(path)
    await browser.request("BREW", "/en/")
    samples = await read(portal)
    assert samples["connect_requests_total", "POST", "/en/forgot-pin", "303"] == 1
    assert samples["connect_requests_total", "GET", "unmatched", "404"] == 2
    assert samples["connect_requests_total", "GET", "/static/{name}", "404"] == 1
    assert samples["connect_requests_total", "other", "/en/", "405"] == 1
    assert samples["connect_request_seconds_count", "POST", "/en/forgot-pin"] == 1
    assert not any("secret" in label for sample in samples for label in sample)


async def test_obligations_are_counted_from_the_tables(
    portal: Portal, database: AsyncEngine
) -> None:
    """Deliveries by state and channel, the age of what is owed, what is due today or overdue."""
    [participant] = await people.add(database, people.Person())
    today = pacific_date(MONDAY_NOON)
    for key, urgency, state, due in (
        ("a", "urgent", "owed", today - timedelta(days=1)),
        ("b", "urgent", "owed", today),
        ("c", "bulk", "held", today + timedelta(days=1)),
        ("d", "urgent", "met", today - timedelta(days=9)),
    ):
        await execute(
            portal.application,
            "WITH told AS (INSERT INTO communication (idempotency_key, notice, participant_id,"
            " language, urgency, facts, template_version, route, requested_at, due_by, state,"
            " recorded_at) VALUES ($1, 'temporary_pin', $2, 'es', $3, '{}', '1', '[]', now(), $4,"
            " $5, now() - interval '1 hour') RETURNING id)"
            " INSERT INTO delivery (communication_id, step, channel, due_by, state)"
            " SELECT id, 0, 'email', $4, 'owed' FROM told",
            key,
            participant,
            urgency,
            due,
            state,
        )
    samples = await read(portal)
    assert samples["connect_database_up",] == 1
    assert samples["connect_deliveries", "email", "owed"] == 4
    assert samples["connect_deliveries", "mail", "handed_over"] == 0
    assert samples["connect_overdue", "urgent"] == 1
    assert samples["connect_due_today", "urgent"] == 1
    assert samples["connect_due_today", "bulk"] == 0
    assert samples["connect_oldest_owed_seconds", "bulk"] >= 3600


async def test_workers_smarthosts_and_alarms_are_counted(
    portal: Portal, database: AsyncEngine
) -> None:
    """What workers said within the minute, and every alarm that stands, by kind."""
    await execute(
        portal.application,
        "INSERT INTO smarthost_report (worker, host, seen_at, down_since, answering, connections)"
        " VALUES ('a', 'mx:25', now(), NULL, true, 4), ('b', 'mx:25', now(), now(), false, 0),"
        " ('c', 'mx:25', now(), NULL, false, 0),"
        " ('d', 'mx:25', now() - interval '5 minutes', NULL, true, 4)",
    )
    await execute(
        portal.application,
        "INSERT INTO alarm (kind, subject, detail, raised_at) VALUES ('no_ack', 'x', 'y', now())",
    )
    samples = await read(portal)
    assert samples["connect_workers",] == 3
    for state in ("up", "down", "untried"):
        assert samples["connect_smarthost_workers", "mx:25", state] == 1
    assert samples["connect_alarms", "no_ack"] == 1
    assert samples["connect_alarms", "smarthost"] == 0


async def test_unread_tables_are_said_so_and_show_no_old_figures(
    settings: Settings, redis: Redis
) -> None:
    """Without the database the portal's own figures remain; the others are absent, not stale."""
    nowhere = SecretStr("postgresql://nobody@127.0.0.1:9/nothing")
    async with portal_over(settings.model_copy(update={"database_url": nowhere})) as portal:
        await portal.browser().get("/en/")
        samples = await read(portal)
    assert samples["connect_database_up",] == 0
    assert samples["connect_requests_total", "GET", "/en/", "200"] == 1
    assert not any(sample[0] == "connect_deliveries" for sample in samples)


async def test_figures_do_not_outlive_the_database(portal: Portal) -> None:
    """When the tables can no longer be read, what they said before is not said again."""
    standing = Standing(portal.application)
    await standing.read()
    assert "connect_deliveries" in {family.name for family in standing.collect()}
    nowhere = create_engine("postgresql://nobody@127.0.0.1:9/nothing")
    standing._application = replace(portal.application, engine=nowhere)
    await standing.read()
    assert [family.name for family in standing.collect()] == ["connect_database_up"]


async def test_two_portals_keep_their_own_counts(portal: Portal, settings: Settings) -> None:
    """Nothing is counted in a place that two applications of one process share."""
    await portal.browser().get("/en/")
    async with portal_over(settings) as second:
        assert ("connect_requests_total", "GET", "/en/", "200") not in await read(second)
