"""What happens when two things happen at once, or one of many goes wrong."""

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from redis.asyncio import Redis

from engine.bootstrap import Application
from engine.caseload.pin_requests import Method
from engine.communications.catalogue import Channel
from engine.communications.claims import claim
from engine.communications.doorbell import QUEUES
from engine.communications.owed import Owed
from engine.communications.retries import Backoff
from engine.communications.routing import in_order
from tests import people
from tests.communications.test_outbox import payment
from tests.database_rows import delivery_ids, execute, fetch, states
from tests.mail.test_batches import by_mail, gather
from tests.smtp_server import SmtpServer


async def ask(application: Application, number: int, method: Method = "email") -> None:
    """One of the crowd asks for a PIN, and a worker settles it."""
    person = people.Person()
    await application.pin_requests.receive(
        person.first_name, person.last_name, f"{number:010d}", method, "es"
    )
    waiting = await fetch(application, "SELECT id FROM pin_request WHERE settled_at IS NULL")
    await application.pin_requests.settle([int(str(row["id"])) for row in waiting])


async def owed(application: Application, number: int) -> list[int]:
    """Delivery ids of so many payment notices that have been recorded."""
    persons = await people.add(application.engine, *people.crowd(number))
    async with application.outbox.transaction() as transaction:
        await transaction.record_all([payment(id_, f"payment:{id_}") for id_ in persons])
    return [item.delivery_id for item in transaction.owed]


class ComposerThatFirst:
    """Composes as ever, after something else has happened on the event loop; once."""

    def __init__(self, application: Application, act: Callable[[], Any]) -> None:
        self._composer = application.batches.printer.composer
        self._act: Callable[[], Any] | None = act
        self._loop = asyncio.get_running_loop()

    @contextmanager
    def crew(self) -> Iterator[Any]:
        """The crew of the composer in place, which does something else first."""
        with self._composer.crew() as crew:
            compose = crew.compose

            def after(*arguments: Any, **named: Any) -> Any:
                act, self._act = self._act, None
                if act is not None:
                    asyncio.run_coroutine_threadsafe(act(), self._loop).result()
                return compose(*arguments, **named)

            crew.compose = after  # type: ignore[method-assign]  # it stands in for one
            yield crew


async def test_a_void_pin_is_not_sent(application: Application, smtp: SmtpServer) -> None:
    """A newer PIN asked for while the older one waits for its turn: one email arrives."""
    await people.add(application.engine, *people.crowd(2))
    await ask(application, 1)
    await ask(application, 2)
    ids = await delivery_ids(application)
    smtp.pause_after = 0
    application.smtp.size = 1
    job = asyncio.create_task(application.dispatcher.deliver(ids))
    await smtp.paused.wait()
    await ask(application, 2)
    smtp.pause_after = None
    smtp.go_on.set()
    await job
    await application.dispatcher.deliver(await delivery_ids(application))
    assert sorted(recipient for _, recipient, _ in smtp.taken) == [
        "person1@example.com",
        "person2@example.com",
    ]


async def test_asking_again_and_recording_do_not_block_each_other(
    application: Application, smtp: SmtpServer
) -> None:
    """PIN requests settled while PINs are being recorded as sent, many times over: nothing
    deadlocks, and nothing is sent twice under one delivery."""
    await people.add(application.engine, *people.crowd(12))
    for number in range(1, 13):
        await ask(application, number)
    for _ in range(3):
        ids = await delivery_ids(application)
        await asyncio.gather(
            application.dispatcher.deliver(ids),
            *(ask(application, number) for number in range(1, 13)),
        )
    await application.dispatcher.deliver(await delivery_ids(application))
    assert sorted(smtp.message_ids) == sorted(set(smtp.message_ids))
    assert set(await states(application)) <= {"sent", "cancelled"}
    live = await fetch(
        application,
        "SELECT participant_id FROM pin_credential WHERE voided_at IS NULL ORDER BY 1",
    )
    assert len(live) == 12


async def test_a_late_worker_does_not_move_a_printed_letter(application: Application) -> None:
    """A gatherer that stalled past its lease cannot take a letter out of a closing batch."""
    persons = await people.add(application.engine, *by_mail(2))
    async with application.outbox.transaction() as transaction:
        await transaction.record_all(
            [
                dataclasses.replace(payment(id_, f"payment:{id_}"), route=in_order(Channel.MAIL))
                for id_ in persons
            ]
        )
    ids = await delivery_ids(application)
    async with application.engine.begin() as connection:
        lease, stalled = await claim(connection, ids[:1], 60)
    await execute(application, "UPDATE delivery SET leased_until = now() WHERE id = $1", ids[0])
    assert await application.dispatcher.deliver(ids) == 2
    await execute(application, "UPDATE print_batch SET state = 'closing'")
    await application.dispatcher.channels[Channel.MAIL].deliver(stalled, lease)
    batches = await fetch(application, "SELECT DISTINCT batch_id FROM print_piece")
    assert len(batches) == 1


async def test_a_letter_cancelled_while_it_is_printed_does_not_leave(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer PIN during composition: the batch is printed again without the void one."""
    await people.add(application.engine, *people.crowd(1))
    await ask(application, 1, "mail")
    await application.dispatcher.deliver(await delivery_ids(application))
    await gather(application, 1)
    composer = ComposerThatFirst(application, lambda: ask(application, 1, "email"))
    printer = dataclasses.replace(
        application.batches.printer,
        composer=composer,  # type: ignore[arg-type]  # it stands in for one
    )
    (closed,) = await dataclasses.replace(application.batches, printer=printer).close()
    assert closed.pieces == 1
    rows = await fetch(
        application, "SELECT state FROM delivery WHERE channel = 'mail' ORDER BY id LIMIT 1"
    )
    assert rows == [{"state": "cancelled"}]


async def test_one_bad_letter_does_not_keep_a_batch(application: Application) -> None:
    """A secret whose key is gone holds its own letter; the others leave."""
    await people.add(application.engine, *people.crowd(1))
    await ask(application, 1, "mail")
    await application.dispatcher.deliver(await delivery_ids(application))
    await gather(application, 2)
    await execute(
        application, "UPDATE delivery SET secret_key_id = 'gone' WHERE secret IS NOT NULL"
    )
    (closed,) = await application.batches.close()
    assert (closed.pieces, closed.held) == (2, 1)


async def test_one_unreadable_delivery_does_not_keep_its_chunk(
    application: Application, smtp: SmtpServer
) -> None:
    """Facts that this program cannot read are held for a person; the rest of the job is sent."""
    ids = await owed(application, 5)
    await execute(
        application, """UPDATE communication SET facts = facts || '{"shoe": 1}' WHERE id = 3"""
    )
    await application.dispatcher.deliver(ids)
    assert len(smtp.taken) == 4
    rows = await fetch(application, "SELECT state, reason FROM delivery WHERE communication_id = 3")
    assert rows == [{"state": "held", "reason": "unreadable"}]
    rows = await fetch(application, "SELECT state FROM communication WHERE id = 3")
    assert rows == [{"state": "held"}]


async def test_attempts_on_a_dead_server_are_not_counted(
    application: Application, smtp: SmtpServer
) -> None:
    """However long the server was away, the first greylisting after it is the first attempt."""
    ids = await owed(application, 1)
    (station,) = application.smtp.smarthosts.stations
    alive = station.smarthost
    station.smarthost = dataclasses.replace(alive, port=9)
    for _ in range(application.settings.attempts_most + 1):
        await execute(application, "UPDATE delivery SET next_attempt_at = now()")
        await application.dispatcher.deliver(ids)
    station.smarthost = alive
    station.health.again_at = 0
    smtp.script = lambda verb, _envelope: "451 4.7.1 later" if verb == "RCPT" else None
    await execute(application, "UPDATE delivery SET next_attempt_at = now()")
    await application.dispatcher.deliver(ids)
    rows = await fetch(application, "SELECT state, attempts FROM delivery")
    assert rows == [{"state": "owed", "attempts": 1}]


async def test_a_pin_that_may_have_leaked_on_the_way_is_void(
    application: Application, smtp: SmtpServer
) -> None:
    """A PIN mail that failed for good, with no other channel: its PIN no longer works."""
    await people.add(application.engine, people.Person(confidential=True))
    await ask(application, 1)
    smtp.drop_after_data = True
    await execute(
        application, "UPDATE delivery SET attempts = $1", application.settings.attempts_most - 1
    )
    await application.dispatcher.deliver(await delivery_ids(application))
    assert await states(application) == ["failed"]
    rows = await fetch(application, "SELECT voided_at IS NOT NULL AS void FROM pin_credential")
    assert rows == [{"void": True}]


async def test_a_pin_waits_for_one_message_not_for_a_statement_run(
    application: Application, smtp: SmtpServer
) -> None:
    """Asked for in the middle of bulk mail, a PIN overtakes what of it has not begun."""
    bulk = await owed(application, 400)
    smtp.pause_after = 5
    job = asyncio.create_task(application.dispatcher.deliver(bulk))
    await smtp.paused.wait()
    await ask(application, 1)
    rows = await fetch(
        application,
        "SELECT delivery.id FROM delivery JOIN communication ON communication.id = communication_id"
        " WHERE urgency = 'urgent'",
    )
    pin = asyncio.create_task(application.dispatcher.deliver([int(str(rows[0]["id"]))]))
    smtp.pause_after = None
    smtp.go_on.set()
    await asyncio.gather(job, pin)
    subjects = [message["Subject"] for _, _, message in smtp.taken]
    place = next(number for number, subject in enumerate(subjects) if "PIN" in subject)
    assert place < len(subjects) - 50


async def test_what_is_due_together_shares_a_job(application: Application, redis: Redis) -> None:
    """Fifty deferred messages with jittered waits are a few jobs, not fifty."""
    settings = application.settings
    backoff = Backoff(settings.retry_first_seconds, settings.retry_most_seconds)
    await application.doorbell.ring(Owed(id_, "bulk", backoff.delay(1)) for id_ in range(1, 51))
    assert 1 <= await redis.zcard(QUEUES["bulk"]) <= 5
