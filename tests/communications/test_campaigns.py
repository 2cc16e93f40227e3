"""One notice to many: recorded whole or not at all, claimed only while its campaign runs."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from asyncpg.exceptions import InterfaceError, PostgresError
from redis.asyncio import Redis
from sqlalchemy.exc import DBAPIError

from engine.bootstrap import Application
from engine.communications import bulk_recording, sweep
from engine.communications.bulk_recording import Bulk
from engine.communications.campaigns import CampaignBell
from engine.communications.catalogue import PAYMENT_NOTICE, TEMPORARY_PIN, Channel
from engine.communications.claims import claim
from engine.communications.doorbell import QUEUES
from engine.communications.routing import in_order, route_to_json
from engine.errors import InputError
from tests import people
from tests.database_rows import delivery_ids, execute, fetch, states

BY = ("operator 7", "a mistake in the list")
_ASK = """
INSERT INTO asked_in_bulk (key, participant_id, language, facts, route)
SELECT 'bulk:' || id, id, language,
       jsonb_build_object('name', first_name, 'direction', 'sent', 'amount_cents', 100,
                          'paid_on', '2026-11-20', 'case_number', '000000000000042'), $1::jsonb
FROM participant ORDER BY id
"""


def bulk(application: Application) -> Bulk:
    """The recording of campaigns, as the application does it."""
    return Bulk(
        application.engine,
        CampaignBell(application.engine, application.doorbell),
        application.renderer,
        application.clock,
    )


async def record(
    application: Application,
    name: str = "november",
    channels: Sequence[Channel] = (Channel.EMAIL, Channel.MAIL),
    **options: Any,
) -> int:
    """A payment notice to everyone on file; how many were new."""
    async with bulk(application).recording(name, PAYMENT_NOTICE, **options) as recording:
        await recording.driver.execute(_ASK, route_to_json(in_order(*channels)))
        await recording.write()
    return recording.recorded


async def crowd(application: Application, number: int) -> None:
    """So many participants, and one campaign that tells them."""
    await people.add(application.engine, *people.crowd(number))
    assert await record(application) == number


async def test_each_is_recorded_once_with_its_delivery_and_deadline(
    application: Application, redis: Redis
) -> None:
    """As the outbox records one: the same columns; rung for in chunks, on the bulk queue; and the
    same again adds nothing."""
    await crowd(application, 7)
    rows = await fetch(
        application,
        "SELECT DISTINCT notice, urgency, communication.due_by = delivery.due_by AS same, channel,"
        " communication.state, delivery.state AS sending, delivery.step, template_version"
        " FROM communication JOIN delivery ON communication_id = communication.id",
    )
    assert rows == [
        {
            "notice": "payment_notice", "urgency": "bulk", "same": True, "channel": "email",
            "state": "owed", "sending": "owed", "step": 0,
            "template_version": application.renderer.version(PAYMENT_NOTICE),
        }
    ]  # fmt: skip
    assert await redis.zcard(QUEUES["bulk"]) == 1
    assert await record(application) == 0
    assert len(await delivery_ids(application)) == 7
    assert await application.dispatcher.deliver(await delivery_ids(application)) == 7
    assert set(await states(application)) == {"sent"}


async def test_slices_are_written_whole(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rows than a slice: none is skipped, none is written twice, and every step is told."""
    monkeypatch.setattr(bulk_recording, "SLICE", 3)
    await people.add(application.engine, *people.crowd(8))
    told: list[tuple[int, int]] = []
    async with bulk(application).recording("november", PAYMENT_NOTICE) as recording:
        await recording.driver.execute(_ASK, route_to_json(in_order(Channel.EMAIL)))
        await recording.write(lambda done, total: told.append((done, total)))
    assert told == [(3, 8), (6, 8), (8, 8)]
    rows = await fetch(application, "SELECT count(DISTINCT participant_id) AS n FROM communication")
    assert rows == [{"n": 8}]


async def test_what_fails_or_only_tries_leaves_nothing(
    application: Application, redis: Redis
) -> None:
    """A recording that is cut short, or a dry run, leaves no campaign, no row and no ring."""
    await people.add(application.engine, *people.crowd(3))
    assert await record(application, keep=False) == 3

    async def fail() -> None:
        async with bulk(application).recording("november", PAYMENT_NOTICE) as recording:
            await recording.driver.execute(_ASK, route_to_json(in_order(Channel.EMAIL)))
            await recording.write()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    for table in ("campaign", "campaign_recording", "communication", "delivery"):
        assert await fetch(application, f"SELECT * FROM {table}") == []
    assert await redis.keys("*") == []


async def test_a_recording_that_is_killed_is_done_again_whole(application: Application) -> None:
    """Its connection dies in the middle: nothing is left of it, and the same again records all."""
    await people.add(application.engine, *people.crowd(3))

    async def killed() -> None:
        async with bulk(application).recording("november", PAYMENT_NOTICE) as recording:
            await recording.driver.execute(_ASK, route_to_json(in_order(Channel.EMAIL)))
            await recording.write()
            pid = await recording.driver.fetchval("SELECT pg_backend_pid()")
            await fetch(application, "SELECT pg_terminate_backend($1, 10000)", pid)

    with pytest.raises((DBAPIError, PostgresError, InterfaceError)):
        await killed()
    assert await fetch(application, "SELECT * FROM campaign, communication") == []
    assert await record(application) == 3


async def test_two_at_once_record_each_once(application: Application) -> None:
    """Whoever comes second waits, and finds what the first recorded."""
    await people.add(application.engine, *people.crowd(5))
    recorded = await asyncio.gather(record(application), record(application))
    assert sorted(recorded) == [0, 5]
    assert len(await delivery_ids(application)) == 5


async def test_a_name_is_one_campaign(application: Application) -> None:
    """Of another notice, or cancelled, it is refused; so is a content known by another name."""
    await crowd(application, 1)
    with pytest.raises(InputError, match="tells of payment_notice"):
        async with bulk(application).recording("november", TEMPORARY_PIN):
            pass
    assert await record(application, "first", digest=b"same") == 0
    with pytest.raises(InputError, match="recorded as the campaign first"):
        await record(application, "second", digest=b"same")
    assert await record(application, "second", digest=b"same", again=True) == 0
    await application.campaigns.cancel("november", *BY)
    with pytest.raises(InputError, match="was cancelled"):
        await record(application)


async def test_a_paused_campaign_is_not_claimed(application: Application, redis: Redis) -> None:
    """Neither a job nor the sweep moves it, deadlines go on, and resuming rings for all of it."""
    await crowd(application, 4)
    ids = await delivery_ids(application)
    await application.campaigns.pause("november", *BY)
    assert await application.dispatcher.deliver(ids) == 0
    await execute(application, "UPDATE delivery SET rung_at = now() - interval '1 hour'")
    assert await application.sweep.run() == 0
    shown = await application.campaigns.shown("november")
    assert (shown.state, shown.communications) == ("paused", {"owed": 4})
    assert shown.due is not None
    await redis.flushall()
    assert await application.campaigns.resume("november", *BY) == 4
    assert await redis.zcard(QUEUES["bulk"]) == 1
    assert await application.dispatcher.deliver(ids) == 4


async def test_what_a_worker_holds_at_a_pause_is_finished(application: Application) -> None:
    """A pause takes nothing out of a worker's hands; the rest waits, other notices do not."""
    await crowd(application, 3)
    ids = await delivery_ids(application)
    async with application.engine.begin() as connection:
        _, held = await claim(connection, ids[:1], 60)
    await application.campaigns.pause("november", *BY)
    assert [item.delivery_id for item in held] == ids[:1]
    assert await states(application) == ["sending", "owed", "owed"]
    assert await record(application, "other") == 0
    await execute(application, "UPDATE communication SET campaign_id = NULL WHERE id = 3")
    assert await application.dispatcher.deliver(ids) == 1
    assert await states(application) == ["sending", "owed", "sent"]


async def test_cancelling_cancels_what_was_not_sent(application: Application) -> None:
    """What was sent stays sent; what a worker held is cancelled once it comes back."""
    await crowd(application, 5)
    ids = await delivery_ids(application)
    await application.dispatcher.deliver(ids[:1])
    async with application.engine.begin() as connection:
        await claim(connection, ids[1:2], 60)
    told: list[tuple[int, int]] = []
    cancelled = await application.campaigns.cancel(
        "november", *BY, lambda done, total: told.append((done, total))
    )
    assert (cancelled, told) == (3, [(3, 3)])
    expected = ["sent", "sending", "cancelled", "cancelled", "cancelled"]
    assert await states(application) == expected
    await execute(
        application, "UPDATE delivery SET leased_until = now() - interval '1 second'"
        " WHERE state = 'sending'"
    )  # fmt: skip
    assert await application.dispatcher.deliver(ids) == 0
    assert await application.campaigns.finish_cancelling() == 1
    assert await application.campaigns.finish_cancelling() == 0
    rows = await fetch(application, "SELECT state FROM communication ORDER BY id")
    assert [row["state"] for row in rows] == ["met", *["cancelled"] * 4]
    events = await fetch(
        application, "SELECT count(*) AS n FROM delivery_event WHERE event = 'cancelled'"
    )
    assert events == [{"n": 4}]


async def test_who_did_it_is_on_record(application: Application) -> None:
    """Each act is in the audit trail with its reason; nobody acts unnamed, or on what cannot be."""
    await crowd(application, 1)
    await application.campaigns.pause("november", *BY)
    with pytest.raises(InputError, match="is paused"):
        await application.campaigns.pause("november", *BY)
    with pytest.raises(InputError, match="--by"):
        await application.campaigns.resume("november", " ", "why")
    with pytest.raises(InputError, match="no campaign of that name"):
        await application.campaigns.cancel("december", *BY)
    await application.campaigns.cancel("november", *BY)
    async with application.engine.connect() as connection:
        entries = await application.audit.latest(connection, 10)
    assert [(each.entry.actor, each.entry.act) for each in entries] == [
        ("staff:operator 7", "campaign.cancelled"),
        ("staff:operator 7", "campaign.paused"),
    ]
    assert entries[0].entry.details == {"campaign": "november", "why": "a mistake in the list"}


async def test_how_far_it_has_come(application: Application) -> None:
    """Counts by state and channel, and how long the rest takes at the pace of the last minutes."""
    await crowd(application, 4)
    assert (await application.campaigns.shown("november")).left is None
    await application.dispatcher.deliver((await delivery_ids(application))[:2])
    shown = await application.campaigns.shown("november")
    assert shown.communications == {"owed": 2, "met": 2}
    assert shown.deliveries == {("email", "owed"): 2, ("email", "sent"): 2}
    assert shown.per_second > 0
    assert shown.left is not None
    assert shown.left > timedelta()
    (listed,) = await application.campaigns.listed(10)
    assert (listed.name, listed.communications, listed.owed, listed.met) == ("november", 4, 2, 2)


async def test_the_sweep_does_not_flood_redis(
    application: Application, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It rings for bulk only as the queue has room, and first for what was rung for least lately;
    urgent notices are rung for whatever waits."""
    monkeypatch.setattr(sweep, "BULK_JOBS", 3)
    monkeypatch.setattr("engine.communications.campaigns.RUNG_AT_FIRST", 1)
    await crowd(application, 6)
    object.__setattr__(application.doorbell, "chunk", 1)
    assert await redis.zcard(QUEUES["bulk"]) == 1
    await execute(
        application, "UPDATE delivery SET rung_at = now() - interval '1 hour' - id * interval '1 s'"
    )
    assert await application.sweep.run() == 2
    rows = await fetch(
        application, "SELECT id FROM delivery WHERE rung_at > now() - interval '1 minute'"
    )
    assert {row["id"] for row in rows} == {5, 6}
    assert await application.sweep.run() == 0
    await execute(application, "UPDATE communication SET urgency = 'urgent'")
    assert await application.sweep.run() == 4
