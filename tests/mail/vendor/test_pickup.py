"""What the vendor answers: applied whole, in any order, once; or quarantined whole."""

import asyncio
import itertools
import pickle
from dataclasses import replace
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from engine.bootstrap import Application
from engine.communications.catalogue import Channel
from engine.communications.claims import Reader
from engine.mail.vendor.inbound import FileName, RefusedFileError, read_statuses
from tests import people
from tests.database_rows import fetch, states
from tests.mail.print_shop import (
    alarm_kinds,
    closed_batch,
    folder,
    gather,
    piece_statuses,
    vendor_of,
)
from tests.vendor.answers import Status
from tests.vendor.manners import Manners, Mischief
from tests.vendor.shop import Vendor


@pytest.fixture
async def batch(application: Application) -> str:
    """A batch of three letters that the vendor has."""
    return await closed_batch(application, 3)


@pytest.fixture
async def vendor(application: Application, batch: str) -> Vendor:
    """A vendor who has taken it in."""
    shop = vendor_of(application)
    taken = await shop.take_in(batch)
    assert taken.good, taken.faults
    return shop


async def events(application: Application) -> list[dict[str, object]]:
    """Every stop of every piece, as it was told."""
    return await fetch(
        application, "SELECT event_id, piece, status FROM piece_event ORDER BY event_id"
    )


async def test_a_batch_goes_its_whole_way(application: Application) -> None:
    """Accepted, spoiled and made again, mailed; the final; and the obligations are met."""
    name = await closed_batch(application, 4)
    shop = vendor_of(application, Manners(spoiled=1, returned=0))
    await shop.work(name)
    picked_up = await application.pickup.run()
    assert [file.reason for file in picked_up] == [None] * len(picked_up)
    assert await piece_statuses(application, name) == ["mailed"] * 4
    assert sorted(map(str, await states(application))) == ["failed"] * 4 + ["mailed"] * 4
    rows = await fetch(application, "SELECT DISTINCT state FROM communication")
    assert rows == [{"state": "met"}]
    (reconciled,) = [(await application.overview.batch(name)).reconciliation]
    assert reconciled is not None
    assert reconciled.sent == reconciled.acknowledged == reconciled.mailed == reconciled.final
    assert not reconciled.disagreements
    assert await alarm_kinds(application) == set()


async def test_a_letter_is_met_when_it_was_mailed(
    application: Application, batch: str, vendor: Vendor
) -> None:
    """Not at the handover, and by the vendor's moment: a report that comes late is not a breach."""
    rows = await fetch(application, "SELECT DISTINCT state FROM communication")
    assert rows == [{"state": "owed"}]
    vendor.mail(batch)
    await application.pickup.run()
    rows = await fetch(
        application,
        "SELECT bool_and(met_at = piece_event.at) AS at_its_moment, count(*) AS letters"
        " FROM communication JOIN delivery ON communication_id = communication.id"
        " JOIN print_piece ON delivery_id = delivery.id JOIN piece_event ON piece = print_piece.id",
    )
    assert rows == [{"at_its_moment": True, "letters": 3}]


async def test_our_copies_stay_and_the_drop_is_emptied(
    application: Application, batch: str, vendor: Vendor
) -> None:
    """After the pick-up a file lies in incoming/, and no longer in from-vendor/."""
    path = vendor.ack(batch)
    content = path.read_bytes()
    await application.pickup.run()
    assert not path.exists()
    assert (folder(application) / "incoming" / path.name).read_bytes() == content


async def test_the_same_files_twice_change_nothing(
    application: Application, batch: str, vendor: Vendor
) -> None:
    """The same ack, the same statuses, the same events in another file: each counts once."""
    paths = [vendor.ack(batch), vendor.accept(batch, Mischief.EVENTS_AGAIN), vendor.mail(batch)]
    contents = [(path.name, path.read_bytes()) for path in paths]
    await application.pickup.run()
    before = await events(application), await states(application)
    for name, content in contents:
        vendor.put(name, content)
    again = await application.pickup.run()
    assert [file.repeated for file in again] == [True] * 3
    for name, _ in contents:
        vendor.send_again(name)
    signed_anew = await application.pickup.run()
    assert [(file.repeated, file.reason) for file in signed_anew] == [(False, None)] * 3
    assert (await events(application), await states(application)) == before
    assert len(before[0]) == 6


async def test_files_may_come_in_any_order(application: Application) -> None:
    """Whatever order ack, statuses and final come in, they say the same in the end."""
    ends = set()
    for turn, order in enumerate(itertools.permutations(range(4), 4)):
        if turn % 5:
            continue
        name = await closed_batch(application, 2, first=1 + 2 * turn)
        shop = vendor_of(application)
        await shop.take_in(name)
        files = [shop.ack(name), shop.accept(name), shop.mail(name), shop.finish(name)]
        contents = [(path.name, path.read_bytes()) for path in files]
        for path in files:
            path.unlink()
        for index in order:
            taken = await application.pickup.take(*contents[index])
            assert taken.reason is None
        detail = await application.overview.batch(name)
        assert detail.reconciliation is not None
        assert not detail.reconciliation.disagreements
        ends.add((tuple(await piece_statuses(application, name)), detail.standing.ack))
    assert ends == {(("mailed", "mailed"), "received")}


@pytest.mark.parametrize(
    ("mischief", "said"),
    [
        (Mischief.UNKNOWN_PIECE, "not a piece of the batch"),
        (Mischief.OUT_OF_VOCABULARY, "line 2"),
        (Mischief.MISSHAPEN, "header"),
        (Mischief.LOCAL_TIME, "at: must be a moment in UTC"),
        (Mischief.MAILED_TWICE, "no reprint was ordered"),
        (Mischief.UNKNOWN_BATCH, "no such batch"),
        (Mischief.WRONG_NAME, "its name is not one of the contract's"),
        (Mischief.UNSIGNED, "cannot open"),
        (Mischief.IN_THE_CLEAR, "cannot open"),
        (Mischief.CLEAR_SIGNED, "cannot open"),
        (Mischief.ANOTHER_KEY, "cannot open"),
        (Mischief.TRUNCATED, "cannot open"),
    ],
)
async def test_a_file_with_anything_off_is_quarantined_whole(
    application: Application, batch: str, vendor: Vendor, mischief: Mischief, said: str
) -> None:
    """Nothing of it is applied; it is kept with its reason, an alarm stands, and the corrected
    file under the same name is taken."""
    path = vendor.mail(batch, mischief)
    (refused,) = await application.pickup.run()
    assert refused.reason is not None
    assert said in refused.reason
    assert await events(application) == []
    assert await piece_statuses(application, batch) == [None] * 3
    quarantine = folder(application) / "incoming" / "quarantine"
    reasons = [kept.read_text() for kept in quarantine.glob("*.reason.txt")]
    assert reasons == [f"{refused.reason}\n"]
    assert "quarantined" in await alarm_kinds(application)
    if mischief in {Mischief.UNKNOWN_BATCH, Mischief.WRONG_NAME}:
        return
    vendor.send_again(path.name)
    (taken,) = await application.pickup.run()
    assert taken.reason is None
    assert await piece_statuses(application, batch) == ["mailed"] * 3
    assert "quarantined" not in await alarm_kinds(application)


async def test_a_huge_file_is_neither_read_nor_kept(
    application: Application, batch: str, vendor: Vendor
) -> None:
    """More than the contract allows: refused, with our disk and memory spared."""
    vendor.mail(batch, Mischief.HUGE)
    (refused,) = await application.pickup.run()
    assert refused.reason is not None
    assert "67108864 bytes" in refused.reason
    assert await events(application) == []


async def test_a_file_that_is_still_being_written_waits(
    application: Application, batch: str, vendor: Vendor
) -> None:
    """`.name.part` is not looked at."""
    vendor.ack(batch, Mischief.LEFT_AS_PART)
    assert await application.pickup.run() == []


async def test_totals_that_differ_from_ours_are_an_alarm(
    application: Application, batch: str, vendor: Vendor
) -> None:
    """An ack that agrees with itself, and not with what was sent, is applied: it is what the
    vendor counted. It is the reconciliation that disagrees."""
    vendor.ack(batch, Mischief.WRONG_TOTALS)
    (taken,) = await application.pickup.run()
    assert taken.reason is None
    assert "totals" in await alarm_kinds(application)


async def test_a_final_that_does_not_add_up_is_quarantined(
    application: Application, batch: str, vendor: Vendor
) -> None:
    """pieces = mailed + rejected + cancelled, and held is 0."""
    vendor.mail(batch)
    for mischief in (Mischief.WRONG_SUM, Mischief.HELD_IN_FINAL):
        vendor.finish(batch, mischief)
        taken = {file.name: file.reason for file in await application.pickup.run()}
        assert taken[f"{batch}.final.json.pgp"] is not None
        rows = await fetch(application, "SELECT 1 FROM print_answer WHERE kind = 'final'")
        assert rows == []


async def test_a_final_comes_once_more_when_the_data_is_destroyed(
    application: Application, batch: str, vendor: Vendor
) -> None:
    """Only `destroyed_at` may be new; anything else is another final, and is refused."""
    vendor.mail(batch)
    vendor.finish(batch)
    await application.pickup.run()
    vendor.destroy(batch)
    (taken,) = await application.pickup.run()
    assert taken.reason is None
    rows = await fetch(
        application,
        "SELECT content->>'destroyed_at' IS NOT NULL AS gone FROM print_answer"
        " WHERE kind = 'final'",
    )
    assert rows == [{"gone": True}]
    vendor.finish(batch, Mischief.WRONG_TOTALS)
    (refused,) = await application.pickup.run()
    assert refused.reason == "another final of this batch was applied already"


async def test_a_second_ack_that_says_otherwise_is_refused(
    application: Application, batch: str, vendor: Vendor
) -> None:
    """The first ack stands."""
    vendor.ack(batch)
    await application.pickup.run()
    job = vendor.job(batch)
    assert job.ack is not None
    job.ack = job.ack | {"at": "2027-01-01T00:00:00Z"}
    vendor.ack(batch)
    (refused,) = await application.pickup.run()
    assert refused.reason == "another ack of this batch was applied already"


async def test_an_event_id_stands_for_one_event(
    application: Application, batch: str, vendor: Vendor
) -> None:
    """The same id with another status is refused, and changes nothing."""
    piece = vendor.job(batch).pieces[0].piece_id
    row = vendor.event(batch, piece, Status.ACCEPTED)
    vendor.status(batch, [row])
    await application.pickup.run()
    vendor.status(batch, [replace(row, status=Status.HELD, reason="STOCK")])
    (refused,) = await application.pickup.run()
    assert refused.reason is not None
    assert "stands for another event" in refused.reason


async def test_a_cancellation_that_nobody_ordered_is_refused(
    application: Application, batch: str, vendor: Vendor
) -> None:
    """Only we take a letter out of a batch."""
    piece = vendor.job(batch).pieces[0].piece_id
    vendor.status(batch, [vendor.event(batch, piece, Status.CANCELLED)])
    (refused,) = await application.pickup.run()
    assert refused.reason is not None
    assert "nobody ordered it" in refused.reason


async def test_two_workers_pick_up_at_once(
    application: Application, batch: str, vendor: Vendor
) -> None:
    """Both may read the same file; it is applied once, and neither fails."""
    vendor.ack(batch)
    vendor.mail(batch)
    await asyncio.gather(*(application.pickup.run() for _ in range(4)))
    await application.pickup.run()
    assert await piece_statuses(application, batch) == ["mailed"] * 3
    assert len(await events(application)) == 3
    rows = await fetch(application, "SELECT result FROM print_file")
    assert [row["result"] for row in rows] == ["applied", "applied"]


async def test_a_letter_that_comes_back_goes_out_by_email_where_it_may(
    application: Application,
) -> None:
    """The address is flagged; with a safe email the obligation goes on there, on its own clock."""
    reachable, other = await gather(
        application,
        people.Person(external_id="0000000001"),
        people.Person(external_id="0000000002", email=None),
        channels=[Channel.MAIL],
    )
    (closed,) = await application.batches.close()
    shop = vendor_of(application)
    await shop.take_in(closed.name)
    shop.mail(closed.name)
    shop.bring_back(closed.name, [piece.piece_id for piece in shop.job(closed.name).pieces])
    await application.pickup.run()
    rows = await fetch(
        application,
        "SELECT participant_id, communication.state, given_to, channel, delivery.state AS stands"
        " FROM communication JOIN delivery ON communication_id = communication.id"
        " ORDER BY participant_id, delivery.id",
    )
    assert [tuple(row.values()) for row in rows] == [
        (reachable, "owed", None, "mail", "returned"),
        (reachable, "owed", None, "email", "owed"),
        (other, "held", "customer service", "mail", "returned"),
    ]
    async with application.engine.connect() as connection:
        recipients = application.batches.printer.recipients
        addresses = await recipients.mail(connection, [Reader(reachable), Reader(other)])
    assert {getattr(address, "reason", None) for address in addresses.values()} == {
        "RETURNED_BEFORE"
    }


async def test_a_rejected_piece_is_not_lost(application: Application) -> None:
    """The vendor could not mail it: its obligation is held, with the vendor's word for why."""
    name = await closed_batch(application, 2)
    shop = vendor_of(application, Manners(rejected=1))
    await shop.work(name)
    await application.pickup.run()
    rows = await fetch(
        application,
        "SELECT communication.state, delivery.state AS stands, reason FROM communication"
        " JOIN delivery ON communication_id = communication.id AND delivery.step ="
        " communication.step ORDER BY communication.state",
    )
    assert [(row["state"], row["stands"]) for row in rows] == [
        ("held", "failed"),
        ("met", "mailed"),
    ]
    assert rows[0]["reason"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ack.json.pgp",
        "ccss_test_letters_20261123_001.ack.json",
        "ccss_test_letters_20261123_001.status.1.csv.pgp",
        "ccss_test_letters_20261123_001.status.0001.csv.pgp",
        "ccss_test_letters_20261323_001.ack.json.pgp",
        "../ccss_test_letters_20261123_001.ack.json.pgp",
        "ccss_test_letters_20261123_001.ack.json.pgp\n",
        "ccss_test_letters_20261123_001.status.٠٠١.csv.pgp",
    ],
)
def test_a_name_that_is_none_of_the_contracts_is_refused(name: str) -> None:
    """Nothing but the three names of the contract passes."""
    with pytest.raises(RefusedFileError):
        FileName.parse(name)


def test_what_is_wrong_in_a_status_file_is_named_by_line_and_column() -> None:
    """Every faulty line up to a few, and never what stood there."""
    header = "event_id,piece_id,status,at,reason,sheets,reprint_of,ncoa_code"
    good = "e1,00000000-0000-4000-8000-000000000001,mailed,2026-11-24T01:30:00Z,,1,,"
    assert len(read_statuses(f"{header}\r\n{good}\r\n".encode())) == 1
    lines = [
        good.replace("mailed", "delivered"),
        good.replace(",1,", ",,"),
        good.replace("e1", "Ana Pérez"),
        good + ",more",
    ]
    with pytest.raises(RefusedFileError) as refused:
        read_statuses("\r\n".join([header, *lines]).encode())
    said = str(refused.value)
    for number, column in ((2, "status"), (3, "sheets"), (4, "event_id"), (5, "9 cells")):
        assert f"line {number}: {column}" in said
    assert "Ana" not in said
    assert "delivered" not in said


def bombs() -> list[bytes]:
    """Files that grow when they are read."""
    laughs = "".join(f'<!ENTITY lol{each + 1} "{f"&lol{each};" * 10}">' for each in range(9))
    xml = f'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol0 "lol">{laughs}]><lolz>&lol9;</lolz>'
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        archive.writestr("status.csv", bytes(10_000_000))
    return [xml.encode(), packed.getvalue(), pickle.dumps({"status": "mailed"})]


@pytest.mark.parametrize("bomb", bombs(), ids=["billion laughs", "zip", "pickle"])
def test_a_bomb_is_no_status_file(bomb: bytes) -> None:
    """Nothing of it is unpacked or expanded: it is not the table that the contract has."""
    with pytest.raises(RefusedFileError, match=r"^(the header is not|not a CSV file in)"):
        read_statuses(bomb)
