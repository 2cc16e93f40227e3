"""What waits for a person: why, whose task it is, and a deadline that keeps running."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from engine.bootstrap import Application
from engine.communications.catalogue import Channel
from engine.communications.outcomes import Outcome
from engine.communications.rerouting import allow_email
from engine.communications.routing import in_order
from engine.communications.states import Event
from engine.errors import InputError
from engine.mail.acts import Signed
from tests import people
from tests.communications.test_outbox import payment
from tests.database_rows import execute, fetch
from tests.mail.print_shop import deliver, gather

WHO = Signed("operator 7", "called the participant")
UNSAFE = people.Person(mail_safe=False)


async def held(application: Application, *persons: people.Person) -> list[int]:
    """Communications with these people, none of whom can be written to by mail; their ids."""
    await gather(application, *persons, channels=[Channel.MAIL])
    return [task.communication_id for task in await application.held.tasks()]


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (UNSAFE, "not_safe_to_use"),
        (people.Person(street=None), "no_address_on_file"),
        (people.Person(confidential=True), "no_substitute_address"),
        (people.Person(street="?"), "INCOMPLETE"),
    ],
)
async def test_a_held_letter_says_why(
    application: Application, person: people.Person, reason: str
) -> None:
    """A word for what stopped it, and nothing of the reader."""
    await held(application, person)
    (task,) = await application.held.tasks()
    assert (task.notice, task.channel, task.reason) == ("payment_notice", "mail", reason)


async def test_a_held_letter_is_somebodys_task(application: Application) -> None:
    """The local agency of the oldest open case has it; customer service, where there is none."""
    with_case, _ = await people.add(
        application.engine, UNSAFE, people.Person(external_id="0000000002", mail_safe=False)
    )
    for number, (county, status, opened) in enumerate(
        [
            ("Fresno", "open", "2021-05-01"),
            ("Placer", "open", "2020-05-01"),
            ("Yolo", "closed", "2019-05-01"),
        ],
        1,
    ):
        await execute(
            application,
            "WITH made AS (INSERT INTO support_case (external_id, county, status, opened_on)"
            " VALUES ($1, $2, $3, $4::text::date) RETURNING id)"
            " INSERT INTO case_party (case_id, participant_id, role)"
            " SELECT id, $5, 'payee' FROM made",
            f"{number:015d}",
            county,
            status,
            opened,
            with_case,
        )
    await record_for(application, with_case, with_case + 1)
    tasks = {task.communication_id: task.given_to for task in await application.held.tasks()}
    assert tasks == {1: "local agency: Placer", 2: "customer service"}
    await application.held.send_on([1])
    rows = await fetch(application, "SELECT given_to FROM communication ORDER BY id")
    assert [row["given_to"] for row in rows] == [None, "customer service"]


async def record_for(application: Application, *participants: int) -> None:
    """Payment notices by mail."""
    async with application.outbox.transaction() as transaction:
        for id_ in participants:
            notice = payment(id_, f"payment:{id_}")
            await transaction.record(replace(notice, route=in_order(Channel.MAIL)))
    await deliver(application)


async def test_its_deadline_keeps_running(application: Application) -> None:
    """Neither being held nor being sent on moves the day; the soonest due is listed first."""
    one, two = await held(
        application, UNSAFE, people.Person(external_id="0000000002", mail_safe=False)
    )
    await execute(application, "UPDATE communication SET due_by = due_by - 1 WHERE id = $1", two)
    before = await fetch(application, "SELECT id, due_by FROM communication ORDER BY due_by")
    tasks = await application.held.tasks()
    assert [(task.communication_id, task.due_by) for task in tasks] == [
        (row["id"], row["due_by"]) for row in before
    ]
    assert [task.communication_id for task in tasks] == [two, one]
    await application.held.send_on([one, two])
    after = await fetch(application, "SELECT id, due_by FROM communication ORDER BY due_by")
    assert after == before


async def test_what_was_mended_goes(application: Application) -> None:
    """Once the address may be used the letter goes in the next batch; who and why are on record."""
    (one,) = await held(application, UNSAFE)
    await execute(application, "UPDATE contact_point SET safe_to_use = true")
    assert await application.by_hand.send_on(application.held, [one], WHO) == 1
    assert await application.held.tasks() == []
    await deliver(application)
    (closed,) = await application.batches.close()
    assert closed.pieces == 1
    acts = await fetch(application, "SELECT who, act, subject, why FROM operator_act")
    assert acts == [
        {"who": WHO.who, "act": "send_on", "subject": f"communication {one}", "why": WHO.why}
    ]


async def test_what_was_not_mended_is_held_again(application: Application) -> None:
    """With the same reason and the same task."""
    (one,) = await held(application, UNSAFE)
    before = await application.held.tasks()
    await application.held.send_on([one])
    await deliver(application)
    assert await application.held.tasks() == before


async def test_only_what_is_held_is_sent_on(application: Application) -> None:
    """One number that is not held refuses them all, and is named; all that is held needs none."""
    one, two = await held(
        application, UNSAFE, people.Person(external_id="0000000002", mail_safe=False)
    )
    with pytest.raises(InputError, match="not held: 99; nothing was sent on"):
        await application.by_hand.send_on(application.held, [one, 99], WHO)
    assert len(await application.held.tasks()) == 2
    assert await fetch(application, "SELECT 1 FROM operator_act") == []
    assert await application.by_hand.send_on(application.held, None, WHO) == 2
    with pytest.raises(InputError, match="not held"):
        await application.by_hand.send_on(application.held, [two], WHO)


async def test_two_who_send_on_the_same_send_it_once(application: Application) -> None:
    """What came back is a new delivery: one, not two."""
    (one,) = await held(application, UNSAFE)
    await execute(application, "UPDATE delivery SET state = 'returned'")
    sent = await asyncio.gather(*(application.held.send_on([one]) for _ in range(3)))
    assert sorted(sent) == [0, 0, 1]
    rows = await fetch(application, "SELECT step, state FROM delivery ORDER BY id")
    assert rows == [{"step": 0, "state": "returned"}, {"step": 1, "state": "owed"}]


@pytest.mark.parametrize("what", ["sending on", "going on by email"])
async def test_nobody_waits_for_whom_they_keep_waiting(application: Application, what: str) -> None:
    """Deliveries are locked before their communications, here as where outcomes are recorded."""
    (one,) = await held(application, UNSAFE)

    async def act() -> None:
        if what == "sending on":
            await application.held.send_on([one])
            return
        async with application.engine.begin() as connection:
            await allow_email(connection, application.batches.printer.recipients, [1])
            await application.outcomes.record(connection, [Outcome(1, Event.RETURNED)])

    await execute(
        application, "UPDATE delivery SET state = 'mailed'" if what[0] == "g" else "SELECT"
    )
    async with application.engine.begin() as recording:
        await recording.execute(text("SELECT FROM delivery FOR UPDATE"))
        acting = asyncio.create_task(act())
        while not (acting.done() or await waiting(application)):  # noqa: ASYNC110  it is PostgreSQL that knows
            await asyncio.sleep(0)
        await recording.execute(text("SET LOCAL lock_timeout = '5s'"))
        await recording.execute(text("UPDATE communication SET state = state"))
    await acting


async def waiting(application: Application) -> bool:
    """Whether somebody waits for a lock."""
    rows = await fetch(
        application,
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()",
    )
    return bool(rows)
