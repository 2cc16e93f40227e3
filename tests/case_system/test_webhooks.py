"""Webhooks: signed, in the feed's order, again until they are taken, and given up in the end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.case_system.webhooks.running import BACKOFF
from engine.communications.doorbell import QUEUES
from engine.errors import InputError
from engine.settings import Settings
from jobs.schedule import number_events
from jobs.worker import build_worker
from tests import people
from tests.acting import opened_in_parts
from tests.case_system.standard_webhooks import ForgedError, verify
from tests.database_rows import execute, fetch
from tests.promises import Hand, payment, sent
from tests.webhook_server import Hook, listening

BY = "api:1"


@pytest.fixture
def hand() -> Hand:
    """Monday morning, until it is moved."""
    return Hand()


@pytest.fixture
async def application(
    settings: Settings, database: AsyncEngine, redis: Redis, hand: Hand
) -> AsyncIterator[Application]:
    """The application at an hour of its own."""
    async with opened_in_parts(settings, hand) as opened:
        yield opened


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    """A webhook on the loopback, which a machine that is tried out may post to."""
    async with listening() as hook:
        yield hook


async def happened(application: Application, number: int, first: int = 1) -> None:
    """So many people are sent a notice each, and the feed tells of it."""
    crowd = people.crowd(first + number - 1)[first - 1 :]
    ids = await people.add(application.engine, *crowd)
    await sent(application, *(payment(id_, key=f"payment:{id_}") for id_ in ids))
    await application.numbering.run()


async def post(application: Application) -> int:
    """Post to whoever is due, as a worker does."""
    return await application.webhook_run.post(await application.webhook_run.due())


def events(hook: Hook) -> list[str]:
    """The ids of the events that were posted, in order."""
    return [event["id"] for message in hook.messages for event in message["data"]["events"]]


async def fed(application: Application) -> list[str]:
    """The ids of all events, in the feed's order."""
    page = await application.feed.page(None, 1000)
    return [application.webhook_run.identifiers.shown("event", e.position) for e in page.events]


async def test_what_happens_is_posted_in_order_and_signed(
    application: Application, hook: Hook, hand: Hand
) -> None:
    """Each event once, with a signature that a receiver proves; one that was changed, signed by
    another or kept for long is not taken for ours. No name, address or amount is in it."""
    await happened(application, 1)
    id_, secret = await application.webhooks.add(hook.url, BY)
    await happened(application, 3, first=2)
    assert await post(application) == 3
    assert await post(application) == 0
    assert events(hook) == (await fed(application))[1:]
    ((headers, body),) = hook.posts
    verify(secret, headers, body, hand.now)
    (message,) = hook.messages
    assert (message["type"], set(message["data"])) == ("events", {"events", "cursor"})
    event = message["data"]["events"][0]
    assert event["type"] == "delivery.accepted"
    assert event["communication"]["notice"] == "payment_notice"
    assert event["delivery"]["state"] == "sent"
    for personal in ("Peña".encode(), b"person", b"12345"):
        assert personal not in body
    with pytest.raises(ForgedError):
        verify(secret, headers, body + b" ", hand.now)
    with pytest.raises(ForgedError):
        verify(secret, headers | {"webhook-id": "msg_other"}, body, hand.now)
    with pytest.raises(ForgedError):
        verify(secret, headers, body, hand.now + timedelta(minutes=6))
    with pytest.raises(ForgedError):
        verify(await application.webhooks.rotate(id_, BY), headers, body, hand.now)


async def test_what_was_not_taken_comes_again_as_the_same_message(
    application: Application, hook: Hook, hand: Hand
) -> None:
    """Not before its time, which grows; what happened since waits behind it."""
    await application.webhooks.add(hook.url, BY)
    await happened(application, 2)
    hook.status = 503
    for failures in range(1, 4):
        assert await post(application) == 0
        assert len(hook.posts) == failures
        await post(application)
        assert len(hook.posts) == failures
        hand.now += timedelta(seconds=BACKOFF.first * 2**failures)
    await happened(application, 1, first=3)
    hook.status = 200
    assert await post(application) == 3
    ids = [headers["webhook-id"] for headers, _ in hook.posts]
    assert len(set(ids)) == 2
    assert len({body for _, body in hook.posts[:4]}) == 1
    moments = {headers["webhook-timestamp"] for headers, _ in hook.posts[:4]}
    assert len(moments) == 4
    hook.posts = hook.posts[3:]
    assert events(hook) == await fed(application)


async def test_a_worker_that_dies_between_taking_and_writing_posts_again(
    application: Application, hook: Hook
) -> None:
    """At least once: the same message under the same id, by which the receiver knows it."""
    await application.webhooks.add(hook.url, BY)
    await happened(application, 1)
    await post(application)
    await execute(
        application, "UPDATE webhook_endpoint SET position = 0, offered_to = 1, lease_token = NULL"
    )
    await happened(application, 1, first=2)
    await post(application)
    (one, _), (again, _), _ = hook.posts
    assert one["webhook-id"] == again["webhook-id"]


async def test_a_rotated_secret_signs_besides_until_its_time_is_over(
    application: Application, hook: Hook, hand: Hand
) -> None:
    """Whoever holds the old or the new one knows a message for ours; a day later the new alone.
    Neither is in the database in the clear."""
    id_, old = await application.webhooks.add(hook.url, BY)
    new = await application.webhooks.rotate(id_, BY)
    for turn, secrets in enumerate(((old, new), (new,)), 1):
        assert (await application.webhook_run.test(id_)).taken
        headers, body = hook.posts[-1]
        for secret in secrets:
            verify(secret, headers, body, hand.now)
        assert len(headers["webhook-signature"].split()) == 3 - turn
        hand.now += timedelta(hours=24, seconds=1)
    assert hook.said == ["webhook.test", "webhook.test"]
    stored = await fetch(application, "SELECT sealed::text FROM webhook_secret")
    trail = await fetch(application, "SELECT act, details::text FROM audit_entry ORDER BY id")
    assert [row["act"] for row in trail] == ["webhook.added", "webhook.rotated"]
    for secret in (old, new, hook.url):
        assert secret not in str(stored) + str(trail)


async def test_a_dead_endpoint_is_given_up_and_told_once(
    application: Application, hook: Hook, hand: Hand
) -> None:
    """After three days without an answer; the others go on meanwhile. Enabled again, it goes on
    where it stopped, and the alarm is over."""
    async with listening() as well:
        dead, _ = await application.webhooks.add(hook.url, BY)
        await application.webhooks.add(well.url, BY)
        await happened(application, 1)
        hook.status = 500
        until = hand.now + timedelta(days=3)
        while hand.now <= until:
            await post(application)
            hand.now += timedelta(hours=9)
        await post(application)
        before = len(hook.posts)
        await happened(application, 1, first=2)
        hand.now += timedelta(hours=2)
        await post(application)
        assert len(hook.posts) == before
        assert events(well) == await fed(application)
    for _ in range(2):
        await application.webhook_watch.look()
    (alarm,) = await application.alarms.standing()
    assert (alarm.kind, alarm.subject) == ("webhook", f"webhook {dead}")
    assert "status 500" in alarm.detail
    assert hook.url not in alarm.detail
    (row,) = await fetch(application, "SELECT count(*) AS alarms FROM alarm")
    assert row["alarms"] == 1
    hook.status, hook.posts = 204, []
    await application.webhooks.enable(dead, BY)
    assert await post(application) == 2
    assert events(hook) == await fed(application)
    await application.webhook_watch.look()
    assert await application.alarms.standing() == []


async def test_an_endpoint_that_says_it_is_gone_is_given_up_at_once(
    application: Application, hook: Hook
) -> None:
    """410 asks for no more; a redirect is no answer, and is not followed."""
    id_, _ = await application.webhooks.add(hook.url, BY)
    await happened(application, 1)
    hook.status = 301
    await post(application)
    assert (await application.webhooks.one(id_)).last_answer == "status 301"
    await application.webhooks.enable(id_, BY)
    hook.status = 410
    await post(application)
    assert (await application.webhooks.one(id_)).disabled_why == "gone"
    assert len(hook.posts) == 2


@pytest.mark.parametrize(
    ("status", "asked", "waits"),
    [
        (503, "1200", timedelta(minutes=20)),
        (429, "90000", timedelta(hours=1)),
        (500, "1200", timedelta(seconds=5)),
        (503, "-1", timedelta(seconds=5)),
        (503, "Wed, 21 Oct 2026 07:28:00 GMT", timedelta(seconds=5)),
    ],
)
async def test_who_asks_for_time_is_given_it(
    application: Application,
    hook: Hook,
    hand: Hand,
    *,
    status: int,
    asked: str,
    waits: timedelta,
) -> None:
    """By Retry-After in seconds, with the statuses that mean it, up to an hour; with anything else
    the first wait is of five seconds at the most."""
    id_, _ = await application.webhooks.add(hook.url, BY)
    await happened(application, 1)
    hook.status, hook.answer_head = status, f"Retry-After: {asked}\r\n"
    await post(application)
    assert (await application.webhooks.one(id_)).next_attempt_at <= hand.now + waits
    hand.now += waits - timedelta(seconds=5)
    await post(application)
    assert len(hook.posts) == 1
    hand.now += timedelta(seconds=5)
    await post(application)
    assert len(hook.posts) == 2


async def test_a_slow_endpoint_holds_up_no_other(
    application: Application, hook: Hook, redis: Redis
) -> None:
    """Each has a job of its own, and one that is being posted to gets no second one."""
    async with listening() as slow:
        slow.open.clear()
        slow_id, _ = await application.webhooks.add(slow.url, BY)
        quick_id, _ = await application.webhooks.add(hook.url, BY)
        await happened(application, 1)
        due = await application.webhook_run.due()
        assert await application.doorbell.ring_for_webhooks(due) == 2
        await application.doorbell.ring_for_webhooks(due)
        assert await redis.zcard(QUEUES["webhooks"]) == 2
        waiting = asyncio.create_task(application.webhook_run.post([slow_id]))
        await slow.asked.wait()
        assert await application.webhook_run.post([slow_id]) == 0
        assert await application.webhook_run.post([quick_id]) == 1
        assert not waiting.done()
        slow.open.set()
        assert await waiting == 1
    assert len(slow.posts) == 1


async def test_one_may_ask_for_some_notices_and_from_a_place_on(
    application: Application, hook: Hook
) -> None:
    """What is passed over is not looked at again."""
    await happened(application, 2)
    one, _ = await application.webhooks.add(hook.url, BY, ["monthly_statement"], 0)
    assert await post(application) == 0
    assert (await application.webhooks.one(one)).position == 2
    await application.webhooks.add(hook.url, BY, ["payment_notice"], 1)
    assert await post(application) == 1
    assert events(hook) == (await fed(application))[1:]
    assert await application.webhook_run.due() == []


async def test_endpoints_are_removed_with_their_secrets(
    application: Application, hook: Hook
) -> None:
    """What cannot be one is refused, and says why without showing it."""
    id_, _ = await application.webhooks.add(hook.url, BY)
    await application.webhooks.disable(id_, BY)
    await happened(application, 1)
    assert await post(application) == 0
    await application.webhooks.remove(id_, BY)
    assert await fetch(application, "SELECT id FROM webhook_secret") == []
    for wrong in (id_, 7):
        with pytest.raises(InputError, match="no webhook endpoint"):
            await application.webhooks.rotate(wrong, BY)
    with pytest.raises(InputError, match="no notice is called carrier_pigeon"):
        await application.webhooks.add(hook.url, BY, ["carrier_pigeon"])
    with pytest.raises(InputError) as caught:
        await application.webhooks.add("https://user:hunter2@hooks.example/", BY)
    assert "hunter2" not in str(caught.value)


async def test_workers_number_and_post_by_the_clock(
    application: Application, hook: Hook, redis: Redis
) -> None:
    """What happened is numbered, rung for and posted by jobs that name ids alone."""
    await application.webhooks.add(hook.url, BY)
    persons = await people.add(application.engine, people.Person())
    await sent(application, payment(persons[0]))
    await number_events({"application": application})
    (job,) = await redis.keys("arq:job:*webhook*")
    assert hook.url.encode() not in (await redis.get(job) or b"")
    worker = build_worker(application, "webhooks", application.doorbell.redis, burst=True)
    async with asyncio.timeout(20):
        await worker.async_run()
    assert events(hook) == await fed(application)
    assert await application.webhook_run.due() == []
