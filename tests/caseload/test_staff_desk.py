"""The staff's desk: what caseworkers do by hand, with their account on record."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.caseload.sign_in import Attempt
from engine.caseload.staff_desk import StaffDesk
from engine.errors import InputError
from engine.migrations.grants import OPERATOR
from tests import people
from tests.caseload.test_caseworker_messages import family, write
from tests.database_rows import delivery_ids, execute, fetch

pytestmark = pytest.mark.acting(OPERATOR)

ACCOUNT = "r.ortiz"


def desk(application: Application) -> StaffDesk:
    """The desk of an application."""
    return StaffDesk(
        application.outbox,
        application.audit,
        application.sign_in,
        application.held,
        application.clock,
    )


async def trail(application: Application) -> list[tuple[object, object, object, object]]:
    """Who did what to whom, and the details."""
    rows = await fetch(
        application,
        "SELECT actor, act, participant_id, details::text FROM audit_entry ORDER BY id",
    )
    return [
        (row["actor"], row["act"], row["participant_id"], json.loads(str(row["details"])))
        for row in rows
    ]


@pytest.mark.parametrize("account", ["", "  ", "x" * 65, "a\nb", "esc\x1b"])
async def test_nobody_acts_without_an_account(application: Application, account: str) -> None:
    """Nothing is shown or changed for one that cannot be kept on record."""
    await family(application)
    await write(application, "question")
    with pytest.raises(InputError, match="--as"):
        await desk(application).thread(1, account)
    with pytest.raises(InputError, match="--as"):
        await desk(application).reply(1, "answer", account)
    assert await trail(application) == []


async def test_messages_are_shown_and_answered_on_record(application: Application) -> None:
    """Who read them and who answered; never the words."""
    await family(application)
    await write(application, "question")
    staff = desk(application)
    assert [message.id for message in await staff.waiting(5)] == [1]
    await staff.thread(1, ACCOUNT)
    replied = await staff.reply(1, "answer", f" {ACCOUNT} ")
    with pytest.raises(InputError, match="answered already"):
        await staff.reply(1, "answer", ACCOUNT)
    assert await trail(application) == [
        (f"staff:{ACCOUNT}", "staff.message.shown", 1, {"message": 1}),
        (f"staff:{ACCOUNT}", "staff.message.answered", 1, {"message": 1, "reply": replied.id}),
    ]
    [row] = await fetch(application, "SELECT staff FROM caseworker_message WHERE id = 2")
    assert row["staff"] == ACCOUNT


async def test_a_report_is_read_once_and_shown_again(application: Application) -> None:
    """The first reader's name stays; each reading is on record."""
    await family(application)
    await execute(
        application,
        "INSERT INTO other_party_report (participant_id, case_id, facts, reported_at)"
        ' VALUES (1, 1, \'{"employer": "Example Foods"}\', $1)',
        datetime(2026, 11, 23, 20, tzinfo=UTC),
    )
    staff = desk(application)
    [line] = await staff.reports(5)
    assert (line.id, line.county, line.participant_id) == (1, "Yolo", 1)
    first = await staff.report(1, ACCOUNT)
    assert first.facts == {"employer": "Example Foods"}
    assert (first.participant_number, first.read_by) == ("0000000001", None)
    assert await staff.reports(5) == []
    assert (await staff.report(1, "another")).read_by == ACCOUNT
    assert [entry[0] for entry in await trail(application)] == [
        f"staff:{ACCOUNT}",
        "staff:another",
    ]
    with pytest.raises(InputError, match="no report 2"):
        await staff.report(2, ACCOUNT)


async def test_a_lock_is_ended(application: Application) -> None:
    """Whether anything stood against the number is said; the number is not in the trail."""
    await people.add(application.engine, people.Person())
    for _ in range(5):
        await application.sign_in.attempt(Attempt("0000000001", "000000", "192.0.2.0/24"))
    [row] = await fetch(application, "SELECT locked_until FROM sign_in_standing")
    assert row["locked_until"] is not None
    staff = desk(application)
    assert await staff.unlock("0000000001", ACCOUNT)
    assert not await fetch(application, "SELECT FROM sign_in_standing")
    assert not await staff.unlock("0000000001", ACCOUNT)
    assert (await trail(application))[-2:] == [
        (f"staff:{ACCOUNT}", "staff.sign_in.unlocked", 1, {"stood": True}),
        (f"staff:{ACCOUNT}", "staff.sign_in.unlocked", 1, {"stood": False}),
    ]
    with pytest.raises(InputError, match="no participant") as refused:
        await staff.unlock("9999999999", ACCOUNT)
    assert "9999999999" not in str(refused.value)


async def hold_a_pin(application: Application) -> None:
    """A temporary PIN by mail, held because its reader changed the address lately."""
    await people.add(application.engine, people.Person())
    await execute(
        application, "UPDATE contact_point SET changed_by = 'participant' WHERE kind = 'mail'"
    )
    await application.pin_requests.receive("Inés", "Peña-Ibáñez", "0000000001", "mail", "es")
    await application.pin_requests.settle(await application.pin_requests.unsettled(0))
    await application.dispatcher.deliver(await delivery_ids(application))


async def state(application: Application) -> tuple[object, object]:
    """How the communication stands, and why its delivery is held."""
    [row] = await fetch(
        application,
        "SELECT communication.state, reason FROM communication"
        " JOIN delivery ON communication_id = communication.id",
    )
    return row["state"], row["reason"]


async def test_a_new_address_is_vouched_for(application: Application) -> None:
    """With the vouching the letter goes; without, it is held again."""
    await hold_a_pin(application)
    assert await state(application) == ("held", "address_too_new")
    staff = desk(application)
    released = await staff.release(1, ACCOUNT)
    assert (released.reason, released.vouched) == ("address_too_new", False)
    await application.dispatcher.deliver(await delivery_ids(application))
    assert await state(application) == ("held", "address_too_new")
    shown = await staff.contact(1, ACCOUNT)
    assert (shown.kind, shown.changed_by) == ("mail", "participant")
    assert shown.said == "1200 EXAMPLE ST APT 4\nSACRAMENTO, CA 95814"
    assert (await staff.release(1, ACCOUNT, vouch=shown.id)).vouched
    await application.dispatcher.deliver(await delivery_ids(application))
    assert (await state(application))[0] == "owed"
    points = await fetch(application, "SELECT kind FROM contact_point WHERE vouched_at IS NOT NULL")
    assert points == [{"kind": "mail"}]
    details = {"communication": 1, "reason": "address_too_new"}
    assert (await trail(application))[-3:] == [
        (f"staff:{ACCOUNT}", "staff.communication.released", 1, details | {"vouched": None}),
        (f"staff:{ACCOUNT}", "staff.contact.shown", 1, {"contact": shown.id}),
        (f"staff:{ACCOUNT}", "staff.communication.released", 1, details | {"vouched": shown.id}),
    ]


async def test_only_what_was_looked_at_is_vouched_for(application: Application) -> None:
    """An address that was changed again since the caseworker saw it is not vouched for, and
    nothing is sent on."""
    await hold_a_pin(application)
    staff = desk(application)
    shown = await staff.contact(1, ACCOUNT)
    await execute(
        application, "UPDATE contact_point SET superseded_at = now() WHERE id = $1", shown.id
    )
    await execute(
        application,
        "INSERT INTO contact_point (participant_id, kind, addr1, city, state, zip5, changed_by)"
        " VALUES (1, 'mail', '9 OTHER ST', 'SACRAMENTO', 'CA', '95814', 'participant')",
    )
    with pytest.raises(InputError, match="is not what is on file now"):
        await staff.release(1, ACCOUNT, vouch=shown.id)
    assert await state(application) == ("held", "address_too_new")
    assert not await fetch(application, "SELECT FROM contact_point WHERE vouched_at IS NOT NULL")


async def test_what_is_not_held_is_not_released(application: Application) -> None:
    """Nor is anything vouched for that is held for another reason."""
    await people.add(application.engine, people.Person(mail_safe=False))
    staff = desk(application)
    with pytest.raises(InputError, match="communication 1 is not held"):
        await staff.release(1, ACCOUNT)
    await application.pin_requests.receive("Inés", "Peña-Ibáñez", "0000000001", "mail", "es")
    await application.pin_requests.settle(await application.pin_requests.unsettled(0))
    await application.dispatcher.deliver(await delivery_ids(application))
    with pytest.raises(InputError, match="held as not_safe_to_use: vouching is for"):
        await staff.release(1, ACCOUNT, vouch=2)
    assert await state(application) == ("held", "not_safe_to_use")
    assert not [entry for entry in await trail(application) if entry[0] != "unknown"]


async def test_a_desk_leaves_no_words_in_the_trail(
    application: Application, database: AsyncEngine
) -> None:
    """The whole trail of the desk is provable."""
    await family(application)
    await write(application, "PRIVATE WORDS")
    await desk(application).reply(1, "PRIVATE WORDS", ACCOUNT)
    assert "PRIVATE" not in str(await trail(application))
    async with database.connect() as connection:
        assert (await application.audit.verify(connection)).entries == 1
