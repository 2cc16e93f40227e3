"""A batch that the vendor rejected: its letters go in another that names it, each once, with new
PINs; and the next batch does not wait for it."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from engine.bootstrap import Application
from engine.communications.outcomes import Outcome
from engine.communications.states import Event
from engine.errors import InputError
from engine.mail.acts import Signed
from tests import people
from tests.database_rows import delivery_ids, execute, fetch, states
from tests.mail.letter_count import batches_of_letters
from tests.mail.print_shop import alarm_kinds, by_mail, closed_batch, deliver, gather, vendor_of
from tests.mail.test_batches import opened
from tests.vendor.answers import Status
from tests.vendor.manners import Mischief

WHO = Signed("operator 7", "the vendor could not open it")


async def rejected(application: Application, batch: str) -> None:
    """The vendor refuses the whole batch."""
    shop = vendor_of(application)
    await shop.take_in(batch)
    shop.ack(batch, Mischief.REJECTS)
    (picked_up,) = await application.pickup.run()
    assert picked_up.reason is None


def manifest(application: Application, batch: str) -> dict[str, object]:
    """What the batch says of itself."""
    archive: zipfile.ZipFile = opened(application, batch)
    content: dict[str, object] = json.load(io.BytesIO(archive.read("manifest.json")))
    return content


def drop(application: Application) -> Path:
    """Where the vendor's folders stand."""
    return application.settings.data_dir / "drop"


async def test_a_rejected_batch_is_replaced(application: Application) -> None:
    """Its letters go once more, in a batch that names it and follows it; the letters gathered
    meanwhile follow in their own; nothing has to be released."""
    first = await closed_batch(application, 3)
    await rejected(application, first)
    assert await alarm_kinds(application) == {"totals"}
    await gather(application, *by_mail(2, first=4))
    assert await application.superseding.replace(first, WHO) == 3
    assert await alarm_kinds(application) == set()
    second, third = await application.batches.close()
    assert (second.pieces, second.waits, third.pieces, third.waits) == (3, None, 2, None)
    said = [manifest(application, name) for name in (first, second.name, third.name)]
    assert [each["sequence"] for each in said] == [1, 2, 3]
    assert [each["supersedes"] for each in said] == [None, first, None]
    assert [each["previous_batch_id"] for each in said] == [None, first, second.name]
    assert sorted((await batches_of_letters(application, drop(application))).values()) == [
        *[second.name] * 3,
        *[third.name] * 2,
    ]
    acts = await fetch(application, "SELECT who, act, subject, why FROM operator_act")
    assert acts == [{"who": WHO.who, "act": "supersede", "subject": first, "why": WHO.why}]


async def test_its_pieces_are_new_ones(application: Application) -> None:
    """No piece id is used again; those of the rejected batch stay on record, and what the vendor
    says of them afterwards is refused."""
    first = await closed_batch(application, 2)
    await rejected(application, first)
    await application.superseding.replace(first, WHO)
    (second,) = await application.batches.close()
    rows = await fetch(
        application,
        "SELECT name, seq, superseded FROM print_piece"
        " JOIN print_batch ON print_batch.id = batch_id ORDER BY print_piece.id",
    )
    assert rows == [
        *({"name": first, "seq": seq, "superseded": True} for seq in (1, 2)),
        *({"name": second.name, "seq": seq, "superseded": False} for seq in (1, 2)),
    ]
    shop = vendor_of(application)
    await shop.take_in(first)
    shop.mail(first)
    (picked_up,) = await application.pickup.run()
    assert "the batch was rejected" in str(picked_up.reason)
    await shop.take_in(second.name)
    shop.mail(second.name)
    await application.pickup.run()
    rows = await fetch(application, "SELECT DISTINCT state FROM communication")
    assert rows == [{"state": "met"}]


async def test_a_pin_is_never_printed_twice(application: Application) -> None:
    """The PIN of the rejected letter stops working; the letter that replaces it has another."""
    await people.add(application.engine, people.Person(email=None))
    await application.pin_requests.receive("Inés", "Peña-Ibáñez", "0000000001", "mail", "es")
    await application.pin_requests.settle(await application.pin_requests.unsettled(-1))
    await deliver(application)
    (first,) = await application.batches.close()
    await rejected(application, first.name)
    await application.superseding.replace(first.name, WHO)
    rows = await fetch(application, "SELECT secret IS NOT NULL AS sealed FROM delivery")
    assert rows == [{"sealed": True}]
    (second,) = await application.batches.close()
    assert (second.pieces, second.waits) == (1, None)
    rows = await fetch(
        application,
        "SELECT voided_at IS NULL AS works, expires_at IS NOT NULL AS counts"
        " FROM pin_credential ORDER BY id",
    )
    assert rows == [{"works": False, "counts": True}, {"works": True, "counts": True}]
    rows = await fetch(application, "SELECT secret IS NULL AS shredded FROM delivery")
    assert rows == [{"shredded": True}]


async def test_a_pin_that_was_replaced_meanwhile_is_not_printed_anew(
    application: Application,
) -> None:
    """Its owner asked for another by email, which works: the letter that was rejected is owed no
    more, and no new PIN is made for it, which would end the other."""
    await people.add(application.engine, people.Person())
    closed = []
    for way in ("mail", "email"):
        await application.pin_requests.receive("Inés", "Peña-Ibáñez", "0000000001", way, "es")
        await application.pin_requests.settle(await application.pin_requests.unsettled(-1))
        await deliver(application)
        closed += await application.batches.close()
    (batch,) = closed
    await rejected(application, batch.name)
    assert await application.superseding.replace(batch.name, WHO) == 0
    assert await states(application) == ["failed", "sent"]
    rows = await fetch(
        application, "SELECT voided_at IS NULL AS works FROM pin_credential ORDER BY id"
    )
    assert [row["works"] for row in rows] == [False, True]
    rows = await fetch(application, "SELECT state FROM communication ORDER BY id")
    assert [row["state"] for row in rows] == ["cancelled", "met"]


async def test_what_was_mailed_or_is_no_longer_owed_does_not_go_again(
    application: Application,
) -> None:
    """The vendor mailed one of them nevertheless, and took another out as we ordered."""
    first = await closed_batch(application, 3)
    shop = vendor_of(application)
    await shop.take_in(first)
    await application.orders.cancel(first, "2", "NO_LONGER_DUE", WHO)
    pieces = shop.job(first).pieces
    shop.status(
        first,
        [
            shop.event(first, pieces[0].piece_id, Status.MAILED),
            shop.event(first, pieces[1].piece_id, Status.CANCELLED),
        ],
    )
    await application.pickup.run()
    await rejected(application, first)
    assert await application.superseding.replace(first, WHO) == 1
    (second,) = await application.batches.close()
    assert second.pieces == 1


async def test_a_letter_cancelled_meanwhile_is_left_out(application: Application) -> None:
    """Nothing is printed for what is no longer owed when the new batch is closed."""
    first = await closed_batch(application, 2)
    await rejected(application, first)
    await application.superseding.replace(first, WHO)
    (one, _) = await delivery_ids(application, "batched")
    async with application.engine.begin() as connection:
        await application.outcomes.record(connection, [Outcome(one, Event.CANCELLED, "newer")])
    (second,) = await application.batches.close()
    assert second.pieces == 1


async def test_a_new_batch_of_which_nothing_is_left_blocks_nobody(application: Application) -> None:
    """Every letter of the rejected batch is held at the next close: they wait for a person, and
    the letters of others leave."""
    first = await closed_batch(application, 2)
    await rejected(application, first)
    await application.superseding.replace(first, WHO)
    await execute(application, "UPDATE contact_point SET safe_to_use = false")
    await gather(application, *by_mail(1, first=3))
    (second,) = await application.batches.close()
    assert (second.pieces, second.waits) == (1, None)
    assert len(await application.held.tasks()) == 2
    assert await alarm_kinds(application) == set()


async def test_only_a_rejected_batch_is_replaced_and_only_once(application: Application) -> None:
    """Another is refused with what to do instead, and nothing is on record."""
    first = await closed_batch(application, 1)
    with pytest.raises(InputError, match="was not rejected"):
        await application.superseding.replace(first, WHO)
    with pytest.raises(InputError, match="no batch of that name"):
        await application.superseding.replace("open", WHO)
    assert await fetch(application, "SELECT 1 FROM operator_act") == []
    await rejected(application, first)
    await application.superseding.replace(first, WHO)
    with pytest.raises(InputError, match="replaced already"):
        await application.superseding.replace(first, WHO)


async def test_the_letters_of_a_test_batch_never_go_in_a_production_batch(
    application: Application,
) -> None:
    """A batch that replaces one belongs to its environment."""
    first = await closed_batch(application, 1)
    await rejected(application, first)
    await application.superseding.replace(first, WHO)
    await execute(application, "UPDATE print_batch SET env = 'prod' WHERE state = 'replacing'")
    assert await application.batches.close() == []
