"""Dispatch against real servers: once, whoever else was asked, and never lost."""

import asyncio
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from aiosmtpd.smtp import Envelope
from redis.asyncio import Redis

from engine.bootstrap import Application
from engine.communications.claims import claim
from engine.communications.doorbell import QUEUES
from engine.communications.outcomes import Outcome
from engine.communications.states import Event
from engine.database import driver_connection
from tests import people
from tests.communications.test_outbox import payment
from tests.database_rows import delivery_ids, execute, fetch, states
from tests.smtp_server import SmtpServer


async def owed(application: Application, number: int = 1) -> list[int]:
    """Delivery ids of `number` payment notices that have been recorded."""
    persons = await people.add(application.engine, *people.crowd(number))
    async with application.outbox.transaction() as transaction:
        await transaction.record_all([payment(id_, f"payment:{id_}") for id_ in persons])
    return [item.delivery_id for item in transaction.owed]


async def test_a_named_delivery_arrives(application: Application, smtp: SmtpServer) -> None:
    """What is owed and due is sent, recorded as sent, and its communication is met."""
    ids = await owed(application, 30)
    assert await application.dispatcher.deliver(ids) == 30
    assert len(set(smtp.message_ids)) == 30
    assert set(await states(application)) == {"sent"}
    rows = await fetch(application, "SELECT DISTINCT state FROM communication")
    assert rows == [{"state": "met"}]


async def test_two_workers_with_the_same_ids_send_once(
    application: Application, smtp: SmtpServer
) -> None:
    """Of two that are named the same, each delivery is claimed by one."""
    ids = await owed(application, 40)
    taken = await asyncio.gather(*(application.dispatcher.deliver(ids) for _ in range(4)))
    assert sum(taken) == 40
    assert sorted(smtp.message_ids) == sorted(set(smtp.message_ids))
    assert len(smtp.message_ids) == 40


async def test_a_claim_neither_waits_for_another_nor_takes_the_same(
    application: Application,
) -> None:
    """While one claim is not yet committed, another takes what is left, at once."""
    ids = await owed(application, 4)
    async with application.engine.begin() as first, application.engine.begin() as second:
        _, held = await claim(first, ids[:3], 60)
        async with asyncio.timeout(20):
            _, rest = await claim(second, ids, 60)
    assert [item.delivery_id for item in held] == ids[:3]
    assert [item.delivery_id for item in rest] == ids[3:]


async def test_what_was_locked_for_a_moment_is_rung_for_again(
    application: Application, redis: Redis
) -> None:
    """A claim waits for nobody: what another transaction holds just now is passed over, and the
    doorbell rings for it within seconds, not at the next sweep."""
    ids = await owed(application, 3)
    await redis.flushall()
    async with application.engine.begin() as other:
        driver = await driver_connection(other)
        await driver.execute("SELECT FROM delivery WHERE id = $1 FOR UPDATE", ids[0])
        assert await application.dispatcher.deliver(ids) == 2
    assert await redis.zcard(QUEUES["bulk"]) == 1
    assert await application.dispatcher.deliver(ids) == 1


async def test_a_job_that_runs_twice_sends_once(application: Application, smtp: SmtpServer) -> None:
    """Running a job again finds nothing left to do."""
    ids = await owed(application, 3)
    await application.dispatcher.deliver(ids)
    assert await application.dispatcher.deliver(ids) == 0
    assert len(smtp.taken) == 3


async def test_a_lost_doorbell_is_rung_again(application: Application, redis: Redis) -> None:
    """With Redis flushed, the sweep rings for everything owed; and not twice within a minute."""
    ids = await owed(application, 5)
    await redis.flushall()
    await execute(application, "UPDATE delivery SET rung_at = now() - interval '1 minute'")
    assert await application.sweep.run() == 5
    assert await redis.zcard(QUEUES["bulk"]) == 1
    assert await application.sweep.run() == 0
    assert await application.dispatcher.deliver(ids) == 5


async def test_a_clock_that_was_put_back_keeps_nothing_waiting(
    application: Application, smtp: SmtpServer
) -> None:
    """The database's clock steps back an hour: what was due by the old time, and the lease of a
    worker that is gone, are not waited for by the new."""
    ids = await owed(application, 4)
    async with application.engine.begin() as connection:
        await claim(connection, ids[:2], 40)
    await execute(
        application,
        "UPDATE delivery SET rung_at = rung_at + interval '1 hour',"
        " next_attempt_at = next_attempt_at + interval '1 hour',"
        " leased_until = leased_until + interval '1 hour' - interval '45 seconds'",
    )
    assert await application.sweep.run() == 4
    assert await application.dispatcher.deliver(ids) == 4
    assert len(smtp.taken) == 4


async def test_what_a_killed_worker_held_is_taken_again(
    application: Application, smtp: SmtpServer
) -> None:
    """A lease that was never given back runs out: the sweep rings and another worker delivers."""
    ids = await owed(application, 2)
    async with application.engine.begin() as connection:
        await claim(connection, ids, 60)
    assert await application.dispatcher.deliver(ids) == 0
    await execute(
        application,
        "UPDATE delivery SET leased_until = now() - interval '1 second',"
        " rung_at = now() - interval '2 minutes'",
    )
    assert await application.sweep.run() == 2
    assert await application.dispatcher.deliver(ids) == 2
    assert len(smtp.taken) == 2


async def test_a_worker_whose_lease_ran_out_does_not_begin(
    application: Application, smtp: SmtpServer
) -> None:
    """The lease is checked again before each hand-off; what was not begun is owed again."""
    ids = await owed(application, 2)
    short = type(application.dispatcher)(
        application.engine,
        application.dispatcher.channels,
        application.outcomes,
        application.doorbell,
        lease_seconds=1,
        quiet=None,
        clock=application.clock,
    )
    assert await short.deliver(ids) == 2
    assert smtp.taken == []
    assert await states(application) == ["owed", "owed"]
    rows = await fetch(application, "SELECT DISTINCT attempts FROM delivery")
    assert rows == [{"attempts": 0}]


@pytest.mark.parametrize(
    ("monotonic", "time_of_day", "holds"),
    [(30, 30, True), (61, 30, False), (30, 600, False), (30, -3600, True), (61, -3600, False)],
)
async def test_a_lease_ends_by_either_clock(
    application: Application,
    monkeypatch: pytest.MonkeyPatch,
    *,
    monotonic: float,
    time_of_day: float,
    holds: bool,
) -> None:
    """The database's leases end by the time of day: where that is put forward, whoever held one
    does not begin, as another may have begun. Put back, it makes no lease last longer."""
    await owed(application)
    async with application.engine.begin() as connection:
        lease, _ = await claim(connection, await delivery_ids(application), 60)
    for clock, passed in (("monotonic", monotonic), ("time", time_of_day)):
        shown = getattr(time, clock)() + passed
        monkeypatch.setattr(f"engine.communications.claims.time.{clock}", lambda shown=shown: shown)
    assert lease.holds() == holds


async def test_a_refusal_hands_over_to_the_next_channel(
    application: Application, smtp: SmtpServer
) -> None:
    """A 5xx ends the email, and the letter it becomes is due ten days after the first request."""
    ids = await owed(application)
    smtp.script = lambda verb, _envelope: "550 5.1.1 no such user" if verb == "RCPT" else None
    await application.dispatcher.deliver(ids)
    rows = await fetch(
        application,
        "SELECT channel, step, state, reason, due_by::text FROM delivery"
        " WHERE communication_id = 1 ORDER BY id",
    )
    assert rows == [
        {
            "channel": "email",
            "step": 0,
            "state": "failed",
            "reason": "550 5.1.1",
            "due_by": "2026-11-24",
        },
        {"channel": "mail", "step": 1, "state": "owed", "reason": None, "due_by": "2026-12-09"},
    ]
    rows = await fetch(
        application, "SELECT state, step, due_by::text FROM communication WHERE id = 1"
    )
    assert rows == [{"state": "owed", "step": 1, "due_by": "2026-12-09"}]


@pytest.mark.parametrize("verb", ["RCPT", "DATA"])
async def test_a_deferral_waits_and_tries_again(
    application: Application, smtp: SmtpServer, verb: str
) -> None:
    """A 4xx is an attempt: it is owed again later, with the wait in the database."""
    ids = await owed(application)

    def greylisted(asked: str, _envelope: Envelope) -> str | None:
        return "451 4.7.1 come back later" if asked == verb else None

    smtp.script = greylisted
    await application.dispatcher.deliver(ids)
    (row,) = await fetch(
        application,
        "SELECT state, attempts, reason, next_attempt_at > now() AS waits FROM delivery",
    )
    assert row == {"state": "owed", "attempts": 1, "reason": "451 4.7.1", "waits": True}
    smtp.script = lambda _verb, _envelope: None
    assert await application.dispatcher.deliver(ids) == 0
    await execute(application, "UPDATE delivery SET next_attempt_at = now()")
    assert await application.dispatcher.deliver(ids) == 1
    assert await states(application) == ["sent"]


async def test_the_last_permitted_deferral_hands_over(
    application: Application, smtp: SmtpServer
) -> None:
    """When a message has had all its attempts, the next channel takes over."""
    ids = await owed(application)
    most = application.settings.attempts_most
    await execute(application, "UPDATE delivery SET attempts = $1", most - 1)
    smtp.script = lambda _verb, _envelope: "451 4.7.1 come back later"
    await application.dispatcher.deliver(ids)
    assert await states(application) == ["failed", "owed"]


async def test_a_dead_server_is_held_against_no_message(
    application: Application, smtp: SmtpServer
) -> None:
    """With no server to talk to, work waits with backoff however often it was tried."""
    ids = await owed(application)
    await execute(application, "UPDATE delivery SET attempts = 10000")
    smtp.script = lambda _verb, _envelope: "421 4.3.2 shutting down"
    await application.dispatcher.deliver(ids)
    (row,) = await fetch(application, "SELECT state, reason FROM delivery")
    assert row == {"state": "owed", "reason": "421 4.3.2"}


async def test_an_unknown_hand_off_is_repeated_under_the_same_message_id(
    application: Application, smtp: SmtpServer
) -> None:
    """The connection lost after DATA: sent again, and both copies have one Message-ID."""
    ids = await owed(application)
    smtp.drop_after_data = True
    await application.dispatcher.deliver(ids)
    assert await states(application) == ["owed"]
    smtp.drop_after_data = False
    await execute(application, "UPDATE delivery SET next_attempt_at = now()")
    await application.dispatcher.deliver(ids)
    assert await states(application) == ["sent"]
    assert len(smtp.message_ids) == 2
    assert len(set(smtp.message_ids)) == 1
    rows = await fetch(application, "SELECT event FROM delivery_event ORDER BY id")
    assert [row["event"] for row in rows] == ["claimed", "unknown", "claimed", "accepted"]


async def test_a_stopping_worker_puts_back_what_it_had_not_begun(
    application: Application, smtp: SmtpServer
) -> None:
    """Cancelled in the middle: what was accepted stays so, the rest is owed again, none is lost."""
    ids = await owed(application, 20)
    smtp.pause_after = 5
    job = asyncio.create_task(application.dispatcher.deliver(ids))
    await smtp.paused.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    smtp.go_on.set()
    found = await states(application)
    assert set(found) == {"sent", "owed"}
    assert found.count("sent") == 5
    leased = await fetch(application, "SELECT id FROM delivery WHERE lease_token IS NOT NULL")
    assert leased == []


async def test_a_late_acceptance_is_a_fact_about_the_world(application: Application) -> None:
    """A 250 reported after the lease was lost still counts; any other late word does not."""
    ids = await owed(application, 2)
    async with application.engine.begin() as connection:
        await application.outcomes.record(
            connection,
            [Outcome(ids[0], Event.ACCEPTED, "250"), Outcome(ids[1], Event.REFUSED, "550")],
        )
    assert await states(application) == ["sent", "owed"]


async def test_a_lost_lease_has_no_say(application: Application) -> None:
    """A worker whose lease another has taken over may report that it was accepted, no more."""
    ids = await owed(application, 2)
    async with application.engine.begin() as connection:
        await claim(connection, ids, 60)
    for event in (Event.REFUSED, Event.DEFERRED, Event.UNKNOWN, Event.PUT_BACK, Event.GATHERED):
        async with application.engine.begin() as connection:
            await application.outcomes.record(connection, [Outcome(ids[0], event)], uuid4())
    assert await states(application) == ["sending", "sending"]
    async with application.engine.begin() as connection:
        await application.outcomes.record(connection, [Outcome(ids[0], Event.ACCEPTED)], uuid4())
    assert await states(application) == ["sent", "sending"]


async def test_events_are_never_changed(application: Application) -> None:
    """The database itself refuses to change or remove an event."""
    ids = await owed(application)
    await application.dispatcher.deliver(ids)
    for statement in ("UPDATE delivery_event SET event = 'x'", "DELETE FROM delivery_event"):
        with pytest.raises(Exception, match="append-only"):
            await execute(application, statement)


async def test_nothing_goes_to_a_contact_that_is_not_safe(
    application: Application, smtp: SmtpServer
) -> None:
    """Safe-to-use is read when sending: an email became unsafe after it was recorded, and a
    letter to an unsafe address is held for a person, still owed."""
    ids = await owed(application)
    await execute(application, "UPDATE contact_point SET safe_to_use = false")
    await application.dispatcher.deliver(ids)
    await application.dispatcher.deliver(await delivery_ids(application))
    assert smtp.taken == []
    rows = await fetch(application, "SELECT state, reason FROM delivery ORDER BY id")
    assert rows == [
        {"state": "failed", "reason": "not_safe_to_use"},
        {"state": "held", "reason": "not_safe_to_use"},
    ]
    rows = await fetch(application, "SELECT state FROM communication")
    assert rows == [{"state": "held"}]


async def test_a_wait_is_a_value_in_the_database(application: Application) -> None:
    """How long a deferred delivery waits is written with its outcome, not kept in a process."""
    ids = await owed(application)
    async with application.engine.begin() as connection:
        lease, _ = await claim(connection, ids, 60)
        await application.outcomes.record(
            connection,
            [Outcome(ids[0], Event.DEFERRED, "451", timedelta(hours=3))],
            lease.token,
        )
    (row,) = await fetch(
        application,
        "SELECT next_attempt_at BETWEEN now() + interval '179 minutes'"
        " AND now() + interval '181 minutes' AS waits FROM delivery",
    )
    assert row == {"waits": True}
