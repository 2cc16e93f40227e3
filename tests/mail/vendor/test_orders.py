"""Orders about letters that the vendor has: taken out, made again, on record; a PIN never twice."""

import json

import pytest

from engine.bootstrap import Application
from engine.errors import InputError
from engine.mail.acts import Signed
from tests import people
from tests.database_rows import fetch
from tests.mail.print_shop import (
    alarm_kinds,
    closed_batch,
    deliver,
    folder,
    piece_statuses,
    vendor_of,
)
from tests.vendor.shop import Vendor

WHO = Signed("operator 7", "the window showed the wrong line")


async def taken_in(application: Application, batch: str) -> Vendor:
    """A vendor who has the batch."""
    shop = vendor_of(application)
    assert (await shop.take_in(batch)).good
    return shop


async def pin_letter(application: Application) -> str:
    """A batch of one letter, which carries a PIN."""
    await people.add(application.engine, people.Person(email=None))
    await application.pin_requests.receive("Inés", "Peña-Ibáñez", "0000000001", "mail", "es")
    await application.pin_requests.settle(await application.pin_requests.unsettled(-1))
    await deliver(application)
    (closed,) = await application.batches.close()
    return closed.name


async def test_letters_that_were_mailed_are_made_again(application: Application) -> None:
    """By number and range, in one order file that the vendor opens and answers; who and why stay
    on record."""
    batch = await closed_batch(application, 5)
    shop = await taken_in(application, batch)
    shop.mail(batch)
    await application.pickup.run()
    ordered = await application.orders.reprint(batch, "1, 3-4", "LOST_IN_THE_MAIL", WHO)
    assert (ordered.order_id, ordered.pieces) == (f"{batch}.order.001", 3)
    await application.handover.run()
    order = shop.read_order(f"{batch}.order.001.json.pgp")
    by_number = [piece.piece_id for piece in shop.job(batch).pieces]
    assert list(order.piece_ids) == [by_number[0], *by_number[2:4]]
    shop.answer_order(f"{batch}.order.001.json.pgp")
    (taken,) = await application.pickup.run()
    assert taken.reason is None
    assert await piece_statuses(application, batch) == ["mailed"] * 5
    route = await application.overview.route(batch, "3")
    assert [stop["status"] for stop in route] == ["mailed", "reprinted", "mailed"]
    acts = await fetch(application, "SELECT who, act, subject, why FROM operator_act")
    assert acts == [{"who": WHO.who, "act": "reprint", "subject": batch, "why": WHO.why}]


async def test_an_order_waits_in_the_outgoing_folder(application: Application) -> None:
    """Ciphertext is stored before it is sent, and sent once."""
    batch = await closed_batch(application, 1)
    await application.orders.cancel(batch, "all", "NO_LONGER_DUE", WHO)
    ours = folder(application) / "outgoing" / f"{batch}.order.001.json.pgp"
    theirs = application.settings.data_dir / "drop" / "to-vendor" / ours.name
    assert ours.exists()
    assert not theirs.exists()
    await application.handover.run()
    assert theirs.read_bytes() == ours.read_bytes()
    rows = await fetch(application, "SELECT sent_at IS NOT NULL AS sent FROM print_order")
    assert rows == [{"sent": True}]


async def test_a_cancelled_letter_is_no_longer_owed(application: Application) -> None:
    """The vendor takes it out; the other is mailed, and the final adds up."""
    batch = await closed_batch(application, 2)
    shop = await taken_in(application, batch)
    await application.orders.cancel(batch, "2", "CONTENT_WRONG", WHO)
    await application.handover.run()
    shop.answer_order(f"{batch}.order.001.json.pgp")
    shop.mail(batch)
    shop.finish(batch)
    shop.ack(batch)
    await application.pickup.run()
    assert await piece_statuses(application, batch) == ["mailed", "cancelled"]
    rows = await fetch(application, "SELECT state FROM communication ORDER BY id")
    assert [row["state"] for row in rows] == ["met", "cancelled"]
    assert await alarm_kinds(application) == set()


async def test_a_pin_letter_is_issued_anew(application: Application) -> None:
    """No order is written for it; the old PIN stops working, and a new letter is gathered."""
    batch = await pin_letter(application)
    shop = await taken_in(application, batch)
    shop.mail(batch)
    await application.pickup.run()
    ordered = await application.orders.reprint(batch, "1", "LOST_IN_THE_MAIL", WHO)
    assert (ordered.order_id, ordered.pieces, ordered.reissued) == (None, 0, 1)
    rows = await fetch(
        application, "SELECT voided_at IS NULL AS works FROM pin_credential ORDER BY id"
    )
    assert [row["works"] for row in rows] == [False, True]
    await deliver(application)
    (again,) = await application.batches.close()
    assert again.pieces == 1
    with pytest.raises(InputError, match="issued anew already"):
        await application.orders.reprint(batch, "1", "LOST_IN_THE_MAIL", WHO)


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ("0", "the pieces are 1 to 2"),
        ("3", "the pieces are 1 to 2"),
        ("2-1", "the pieces are 1 to 2"),
        ("1-999999", "the pieces are 1 to 2"),
        ("one", "neither a number"),
        ("", "neither a number"),
        ("00000000-0000-4000-8000-000000000000", "no such piece"),
        ("1,00000000-0000-4000-8000-000000000000", "does not hold a piece of that id"),
    ],
)
async def test_what_is_no_piece_of_the_batch_is_named(
    application: Application, selection: str, said: str
) -> None:
    """And nothing is ordered, not even for those that are."""
    batch = await closed_batch(application, 2)
    with pytest.raises(InputError, match=said):
        await application.orders.cancel(batch, selection, "OTHER", WHO)
    assert await fetch(application, "SELECT 1 FROM print_order") == []
    assert await fetch(application, "SELECT 1 FROM operator_act") == []


async def test_only_what_can_be_ordered_is_ordered(application: Application) -> None:
    """Nothing is made again before it was mailed, nor taken out after; nor twice at once."""
    batch = await closed_batch(application, 2)
    shop = await taken_in(application, batch)
    with pytest.raises(InputError, match="piece 1, 2 can be made again only when"):
        await application.orders.reprint(batch, "all", "OTHER", WHO)
    await application.orders.cancel(batch, "2", "OTHER", WHO)
    with pytest.raises(InputError, match="piece 2 is being taken out already"):
        await application.orders.cancel(batch, "2", "OTHER", WHO)
    shop.mail(batch)
    await application.pickup.run()
    with pytest.raises(InputError, match="has been mailed"):
        await application.orders.cancel(batch, "1", "OTHER", WHO)
    await application.orders.reprint(batch, "1", "OTHER", WHO)
    with pytest.raises(InputError, match="is being made again already"):
        await application.orders.reprint(batch, "1", "OTHER", WHO)
    with pytest.raises(InputError, match="no batch of that name"):
        await application.orders.reprint("ccss_test_letters_20200101_001", "1", "OTHER", WHO)


async def test_an_order_holds_nothing_of_the_reader(application: Application) -> None:
    """Ids, numbers and a code: what the vendor needs, and no more."""
    batch = await closed_batch(application, 1)
    shop = await taken_in(application, batch)
    await application.orders.cancel(batch, "1", "OTHER", WHO)
    await application.handover.run()
    path = application.settings.data_dir / "drop" / "to-vendor" / f"{batch}.order.001.json.pgp"
    order = json.loads(shop.keys.open(path))
    assert set(order) == {
        "schema_version", "order_id", "batch_id", "ordered_at", "action", "pieces", "reason",
    }  # fmt: skip
    assert [set(piece) for piece in order["pieces"]] == [{"piece_id", "seq"}]


def test_an_act_needs_a_name_and_a_reason() -> None:
    """What is done by hand is signed."""
    for who, why in (("", "because"), ("operator 7", " ")):
        with pytest.raises(InputError):
            Signed(who, why)
