"""After a restore nothing that was sent is sent again, and nothing that is owed is lost."""

import json
from dataclasses import dataclass
from dataclasses import replace as with_changes
from pathlib import Path

import pytest

from engine.bootstrap import Application, open_application
from engine.communications.catalogue import Channel
from engine.communications.routing import in_order
from engine.errors import InputError
from engine.mail.acts import Signed
from engine.recovery.mark import DatabaseRestoredError
from engine.recovery.numbers import LEAP
from engine.recovery.recovering import Findings
from engine.settings import Settings
from tests import people
from tests.communications.test_outbox import payment
from tests.database_rows import delivery_ids, execute, fetch, states
from tests.mail.print_shop import by_mail, closed_batch, deliver, folder, gather, vendor_of
from tests.recovery.backups import back_up, restore
from tests.smtp_server import SmtpServer

WHO = Signed("operator 7", "the disk failed")


@dataclass(slots=True)
class Night:
    """A database that can be put back to where it was, and what a mail server has taken."""

    application: Application
    smtp: SmtpServer
    emptying: str
    log: Path

    async def recover(self) -> Findings:
        """`connect recover` with the log of the mail server."""
        taken = [{"message_id": message_id} for message_id in self.smtp.message_ids]
        self.log.write_text("".join(f"{json.dumps(line)}\n" for line in taken) or "{}\n")
        return await recover(self.application, *([self.log] if taken else []))


async def begin(application: Application) -> None:
    """`connect recover --begin`, with the rights of the tables' owner, as an operator has them."""
    async with open_application(application.settings, recovering=True) as opened:
        await opened.recovery.begin(WHO)


async def recover(application: Application, *logs: Path) -> Findings:
    """`connect recover` on the database of an application, likewise."""
    async with open_application(application.settings, recovering=True) as opened:
        return await opened.recovery.run(opened.recovery.read(logs), WHO, let_go=True)


@pytest.fixture
async def night(application: Application, smtp: SmtpServer, emptying: str, tmp_path: Path) -> Night:
    """An application that has worked."""
    await application.mark.beat()
    return Night(application, smtp, emptying, tmp_path / "taken.jsonl")


async def record(application: Application, number: int, first: int = 1) -> None:
    """Payment notices for so many people, by email, then by mail."""
    crowd = [
        people.Person(external_id=f"{index:010d}", email=f"reader{index}@example.com")
        for index in range(first, first + number)
    ]
    ids = await people.add(application.engine, *crowd)
    async with application.outbox.transaction() as transaction:
        await transaction.record_all([payment(id_, f"payment:{id_}") for id_ in ids])


async def test_what_was_sent_since_is_not_sent_again(night: Night) -> None:
    """Emails owed in the backup and sent since are recorded as sent; what was not sent is owed,
    and goes."""
    application = night.application
    await record(application, 3)
    backup = await back_up(application)
    await application.dispatcher.deliver((await delivery_ids(application))[:2])
    await application.mark.beat()
    await restore(application, backup, night.emptying)
    assert await states(application) == ["owed"] * 3
    found = await night.recover()
    assert (len(found.emails.taken), found.let_go) == (2, True)
    assert await states(application) == ["sent", "sent", "owed"]
    await deliver(application)
    assert len(night.smtp.message_ids) == len(set(night.smtp.message_ids)) == 3
    events = await fetch(
        application,
        "SELECT event, reason FROM delivery_event WHERE event = 'accepted' ORDER BY id LIMIT 1",
    )
    assert events == [{"event": "accepted", "reason": "found_in_mail_log"}]


async def test_a_dry_run_changes_nothing(night: Night) -> None:
    """It finds what a run would find, and the database stays as it was restored, and held."""
    application = night.application
    await record(application, 1)
    backup = await back_up(application)
    await deliver(application)
    await application.mark.beat()
    await restore(application, backup, night.emptying)
    night.log.write_text(json.dumps({"message_id": night.smtp.message_ids[0]}) + "\n")
    async with open_application(application.settings, recovering=True) as opened:
        found = await opened.recovery.look(opened.recovery.read([night.log]))
    assert len(found.emails.taken) == 1
    assert found.standing.restored
    (number,) = await fetch(application, "SELECT last_value FROM delivery_id_seq")
    assert number["last_value"] == 1
    assert await states(application) == ["owed"]


async def test_numbers_are_not_given_out_again(night: Night) -> None:
    """What was recorded after the backup is listed, and its numbers stand for nothing else."""
    application = night.application
    backup = await back_up(application)
    await record(application, 2)
    await deliver(application)
    lost = [1, 2]
    await application.mark.beat()
    await restore(application, backup, night.emptying)
    found = await night.recover()
    assert sorted(found.emails.unknown) == lost
    await record(application, 1, first=9)
    (new,) = await delivery_ids(application)
    assert new > max(lost) + LEAP - 1


async def test_what_a_log_says_of_a_younger_delivery_is_not_believed(night: Night) -> None:
    """A number that was used again before anybody recovered: the younger one is still owed."""
    application = night.application
    await record(application, 1)
    (delivery,) = await delivery_ids(application)
    line = {
        "message_id": application.recovery.addressing.message_id(delivery),
        "at": "2020-01-01T00:00:00Z",
    }
    night.log.write_text(json.dumps(line) + "\n")
    await begin(application)
    found = await recover(application, night.log)
    assert found.emails.used_again == [delivery]
    assert await states(application) == ["owed"]


async def test_what_came_back_goes_on_by_mail(night: Night) -> None:
    """An email that the mail system gave back since the backup is not met: a letter is owed."""
    application = night.application
    await record(application, 1)
    backup = await back_up(application)
    await deliver(application)
    await restore(application, backup, night.emptying)
    line = {"message_id": night.smtp.message_ids[0], "status": "bounced", "dsn": "5.1.1"}
    night.log.write_text(json.dumps(line) + "\n")
    await begin(application)
    await recover(application, night.log)
    rows = await fetch(application, "SELECT channel, state FROM delivery ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [("email", "failed"), ("mail", "owed")]


async def test_a_batch_that_left_is_put_back(night: Night) -> None:
    """Letters gathered, closed and handed over since the backup stand in their batch again, with
    the pieces that the vendor knows; the batch goes once, and what the vendor said is applied."""
    application = night.application
    persons = await people.add(application.engine, *by_mail(3))
    async with application.outbox.transaction() as transaction:
        await transaction.record_all(
            [
                with_changes(payment(id_, f"payment:{id_}"), route=in_order(Channel.MAIL))
                for id_ in persons
            ]
        )
    backup = await back_up(application)
    await deliver(application)
    (closed,) = await application.batches.close()
    shop = vendor_of(application)
    await shop.take_in(closed.name)
    shop.ack(closed.name)
    await application.pickup.run()
    before = await fetch(application, "SELECT piece_id, delivery_id, seq FROM print_piece")
    await application.mark.beat()
    await restore(application, backup, night.emptying)
    found = await night.recover()
    assert found.letters.rebuilt == [closed.name]
    assert found.letters.with_the_vendor == [closed.name]
    assert found.letters.conflicts == []
    assert await states(application) == ["handed_over"] * 3
    after = await fetch(application, "SELECT piece_id, delivery_id, seq FROM print_piece")
    assert after == before
    answers = await fetch(application, "SELECT kind FROM print_answer")
    assert answers == [{"kind": "ack"}]
    await deliver(application)
    assert await application.batches.close() == []


@pytest.mark.full
async def test_the_next_batch_has_the_next_number(night: Night) -> None:
    """Neither name nor number of a batch that left is used again, though the vendor has not
    answered yet; and it is handed over again under its hash, which changes nothing."""
    application = night.application
    backup = await back_up(application)
    first = await closed_batch(application, 1)
    shop = vendor_of(application)
    await application.mark.beat()
    await restore(application, backup, night.emptying)
    found = await night.recover()
    assert found.letters.unknown == 1
    assert await fetch(application, "SELECT name, state, sequence FROM print_batch") == [
        {"name": first, "state": "stored", "sequence": 1}
    ]
    second = await closed_batch(application, 1, first=2)
    rows = await fetch(application, "SELECT name, state, sequence FROM print_batch ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [
        (first, "handed_over", 1),
        (second, "handed_over", 2),
    ]
    await shop.take_in(first)
    await shop.take_in(second)


@pytest.mark.full
async def test_an_open_batch_gives_up_what_has_left(night: Night) -> None:
    """Letters that were gathered in the backup, and left since, are not printed with the next."""
    application = night.application
    await gather(application, *by_mail(2))
    backup = await back_up(application)
    (closed,) = await application.batches.close()
    await application.mark.beat()
    await restore(application, backup, night.emptying)
    await night.recover()
    await gather(application, *by_mail(1, first=3))
    (second,) = await application.batches.close()
    assert second.pieces == 1
    pieces = await fetch(
        application,
        "SELECT name, count(*) FROM print_piece JOIN print_batch ON print_batch.id = batch_id"
        " GROUP BY name ORDER BY name",
    )
    assert [tuple(row.values()) for row in pieces] == [(closed.name, 2), (second.name, 1)]


@pytest.mark.full
async def test_a_batch_that_never_left_is_closed_again(night: Night) -> None:
    """What was stored, and never begun to be handed over, left nothing: its letters are owed."""
    application = night.application
    await gather(application, *by_mail(1))
    backup = await back_up(application)
    await application.by_hand.hold("open", WHO)
    await application.mark.beat()
    await restore(application, backup, night.emptying)
    (folder(application) / "outgoing").mkdir(parents=True)
    (folder(application) / "outgoing" / ".x.zip.pgp.part").write_bytes(b"half")
    found = await night.recover()
    assert (found.letters.rebuilt, found.lost_batches) == ([], [])
    (closed,) = await application.batches.close()
    assert closed.pieces == 1


@pytest.mark.full
async def test_a_letter_that_an_email_became_since(night: Night) -> None:
    """An email that bounced since the backup, and the letter that took its place: the letter's
    delivery is put back under its number, and neither is sent again."""
    application = night.application
    await record(application, 1)
    backup = await back_up(application)
    await deliver(application)
    await execute(application, "UPDATE delivery SET state = 'failed'")
    await execute(
        application,
        "INSERT INTO delivery (communication_id, step, channel, due_by)"
        " SELECT id, 1, 'mail', due_by FROM communication",
    )
    await execute(application, "UPDATE communication SET step = 1, state = 'owed'")
    await deliver(application)
    (closed,) = await application.batches.close()
    await application.mark.beat()
    await restore(application, backup, night.emptying)
    night.smtp.message_ids.clear()
    found = await night.recover()
    assert len(found.letters.brought_back) == 1
    rows = await fetch(application, "SELECT channel, state, step FROM delivery ORDER BY id")
    assert [row["state"] for row in rows] == ["cancelled", "batched"]
    (left,) = await application.handover.run()
    assert (left.name, left.waits) == (closed.name, None)
    assert await states(application) == ["cancelled", "handed_over"]


async def test_a_batch_of_which_nobody_knows_what_it_holds(night: Night) -> None:
    """Without its roster a batch keeps its name and number, and every letter that may be in it
    waits for a person: none is printed twice."""
    application = night.application
    await gather(application, *by_mail(2))
    backup = await back_up(application)
    (closed,) = await application.batches.close()
    (folder(application) / "rosters" / f"{closed.name}.jsonl").unlink()
    await application.mark.beat()
    await restore(application, backup, night.emptying)
    found = await night.recover()
    assert found.lost_batches == [closed.name]
    assert len(found.held_letters) == 2
    assert len(await delivery_ids(application, "held")) == 2
    assert {task.reason for task in await application.held.tasks()} == {"may_be_printed"}
    assert await closed_batch(application, 1, first=3) != closed.name


@pytest.mark.full
async def test_another_batch_under_the_same_number_is_a_conflict(night: Night) -> None:
    """Two batches that claim one number: nothing runs until a person has looked."""
    application = night.application
    backup = await back_up(application)
    first = await closed_batch(application, 1)
    await restore(application, backup, night.emptying)
    await execute(
        application,
        "INSERT INTO print_batch (job, env, sequence, name, state)"
        " VALUES ('letters', 'test', 1, 'ccss_test_letters_20200101_001', 'closing')",
    )
    await begin(application)
    found = await night.recover()
    assert first in found.letters.conflicts[0]
    assert found.let_go is False
    async with open_application(application.settings) as opened:
        with pytest.raises(DatabaseRestoredError):
            await fetch(opened, "SELECT 1")


async def test_nothing_is_recovered_under_running_workers(
    application: Application, settings: Settings
) -> None:
    """A database that is neither restored nor held is in use."""
    with pytest.raises(InputError, match="--begin"):
        await recover(application)


async def test_a_log_that_says_nothing_is_refused(application: Application, tmp_path: Path) -> None:
    """The wrong file is not taken for a night in which nothing was sent."""
    path = tmp_path / "syslog"
    path.write_text("Nov 29 15:14:06 relay kernel: nothing of ours\n")
    with pytest.raises(InputError, match="no line of it"):
        application.recovery.read([path])


async def test_what_is_put_right_takes_no_number_of_what_was_lost(night: Night) -> None:
    """A letter that an email becomes in the recovery itself has a number beyond all that were
    given out since the backup."""
    application = night.application
    await record(application, 1)
    backup = await back_up(application)
    await deliver(application)
    await record(application, 2, first=2)
    await deliver(application)
    await restore(application, backup, night.emptying)
    first, *others = night.smtp.message_ids
    lines = [{"message_id": first, "status": "bounced", "dsn": "5.1.1"}]
    lines += [{"message_id": other} for other in others]
    night.log.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    await begin(application)
    found = await recover(application, night.log)
    assert len(found.emails.unknown) == 2
    (letter,) = await delivery_ids(application)
    assert letter > LEAP
