"""Letters that came back, on a scanned list: the address is flagged, and the obligation goes on."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from engine.bootstrap import Application
from engine.communications.catalogue import Channel
from engine.errors import InputError
from engine.mail.acts import Signed
from tests import people
from tests.database_rows import execute, fetch
from tests.mail.print_shop import (
    by_mail,
    closed_batch,
    deliver,
    gather,
    piece_statuses,
    vendor_of,
)
from tests.vendor.shop import Vendor

WHO = Signed("operator 7", "Monday's tray")


@pytest.fixture
def tray(tmp_path: Path) -> Path:
    """Where the list is."""
    return tmp_path / "returned.csv"


def scan(tray: Path, lines: str | bytes) -> None:
    """Write the list."""
    tray.write_bytes(lines if isinstance(lines, bytes) else lines.encode())


async def mailed_batch(application: Application, number: int, shop: Vendor | None = None) -> str:
    """A batch whose letters were mailed."""
    batch = await closed_batch(application, number)
    shop = shop or vendor_of(application)
    await shop.take_in(batch)
    shop.mail(batch)
    await application.pickup.run()
    return batch


async def piece_ids(application: Application) -> Sequence[str]:
    """The piece ids, in order."""
    rows = await fetch(application, "SELECT piece_id::text FROM print_piece ORDER BY id")
    return [str(row["piece_id"]) for row in rows]


async def test_a_mark_and_a_piece_id_name_a_letter(application: Application, tray: Path) -> None:
    """Both kinds of line, blank lines and a byte order mark among them; who and why are kept."""
    batch = await mailed_batch(application, 3)
    ids = await piece_ids(application)
    scan(tray, f"\ufeff1|{batch}|1|1|1,VACANT\n\n{ids[2].upper()} , moved_left_no_address\n")
    done = await application.returned_mail.apply(tray, WHO)
    assert (done.lines, done.returned, done.known, done.by_email) == (2, 2, 0, 0)
    assert await piece_statuses(application, batch) == ["returned", "mailed", "returned"]
    rows = await fetch(
        application,
        "SELECT participant_id FROM contact_point WHERE returned_at IS NOT NULL ORDER BY 1",
    )
    assert [row["participant_id"] for row in rows] == [1, 3]
    rows = await fetch(
        application, "SELECT reason FROM delivery WHERE state = 'returned' ORDER BY id"
    )
    assert [row["reason"] for row in rows] == ["vacant", "moved_left_no_address"]
    acts = await fetch(application, "SELECT who, act, subject, why FROM operator_act")
    assert acts == [{"who": WHO.who, "act": "returned", "subject": tray.name, "why": WHO.why}]


async def test_a_barcode_names_a_letter(application: Application, tray: Path) -> None:
    """With the ZIP Code behind its twenty digits, or without."""
    batch = await mailed_batch(application, 2)
    await execute(
        application,
        "UPDATE print_piece SET imb31 = '0070090000000000000' || seq || '95814'",
    )
    scan(tray, "0070090000000000000195814\n00700900000000000002,UNCLAIMED\n")
    assert (await application.returned_mail.apply(tray, WHO)).returned == 2
    assert await piece_statuses(application, batch) == ["returned", "returned"]


async def test_the_obligation_is_a_task_or_goes_by_email(
    application: Application, tray: Path
) -> None:
    """By email for whom there is an address that was not tried; for others it is a task, whose
    deadline keeps running; and nothing more is posted there."""
    await gather(application, people.Person(), channels=[Channel.MAIL])
    (closed,) = await application.batches.close()
    await gather(application, *by_mail(1, first=2))
    (other,) = await application.batches.close()
    before = await fetch(application, "SELECT due_by FROM communication WHERE id = 2")
    scan(tray, f"1|{closed.name}|1|1|1\n1|{other.name}|1|1|1\n")
    done = await application.returned_mail.apply(tray, WHO)
    assert (done.returned, done.by_email) == (2, 1)
    (task,) = await application.held.tasks()
    assert (task.communication_id, task.reason, task.given_to) == (2, "other", "customer service")
    assert [{"due_by": task.due_by}] == before
    await deliver(application)
    rows = await fetch(application, "SELECT state FROM communication ORDER BY id")
    assert [row["state"] for row in rows] == ["met", "held"]
    assert await application.by_hand.send_on(application.held, [2], WHO) == 1
    await deliver(application)
    (task,) = await application.held.tasks()
    assert task.reason == "RETURNED_BEFORE"


async def test_the_same_list_again_changes_nothing(application: Application, tray: Path) -> None:
    """Nor do two sheets of one letter, or a letter that the vendor told of before."""
    shop = vendor_of(application)
    batch = await mailed_batch(application, 2, shop)
    ids = await piece_ids(application)
    shop.bring_back(batch, ids[1:])
    await application.pickup.run()
    scan(tray, f"1|{batch}|1|1|2\n1|{batch}|1|2|2\n{ids[1]}\n")
    done = await application.returned_mail.apply(tray, WHO)
    assert (done.lines, done.returned, done.known) == (3, 1, 1)
    again = await application.returned_mail.apply(tray, WHO)
    assert (again.returned, again.known) == (0, 2)
    rows = await fetch(
        application, "SELECT count(*) AS n FROM piece_event WHERE status = 'returned'"
    )
    assert rows == [{"n": 2}]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1|ccss_test_letters_20200101_001|1|1|1", "line 2: no letter that the vendor has of us"),
        ("00000000-0000-4000-8000-000000000000", "line 2: no letter that the vendor has of us"),
        ("00700900000000000009", "line 2: no letter that the vendor has of us"),
        ("hello", "line 2: neither a sheet mark"),
        ("1|x|1|1|1,GONE_FISHING", "line 2: the reason is none of"),
    ],
)
async def test_a_wrong_line_refuses_the_whole_list(
    application: Application, tray: Path, line: str, said: str
) -> None:
    """It is named by its number, and its text is not repeated; nothing is applied."""
    batch = await mailed_batch(application, 1)
    scan(tray, f"1|{batch}|1|1|1\n{line}\n")
    with pytest.raises(InputError, match=said) as refused:
        await application.returned_mail.apply(tray, WHO)
    assert line.partition(",")[0] not in str(refused.value)
    assert await piece_statuses(application, batch) == ["mailed"]
    assert await fetch(application, "SELECT 1 FROM operator_act") == []


async def test_what_never_left_cannot_come_back(application: Application, tray: Path) -> None:
    """A letter that was taken out, and one of a batch that is still with us."""
    batch = await closed_batch(application, 1)
    await execute(application, "UPDATE print_piece SET status = 'cancelled'")
    scan(tray, f"1|{batch}|1|1|1\n")
    with pytest.raises(InputError, match="never mailed"):
        await application.returned_mail.apply(tray, WHO)
    await execute(application, "UPDATE print_piece SET status = NULL")
    await execute(application, "UPDATE print_batch SET state = 'stored'")
    with pytest.raises(InputError, match="line 1: no letter"):
        await application.returned_mail.apply(tray, WHO)
    assert (
        await fetch(application, "SELECT 1 FROM contact_point WHERE returned_at IS NOT NULL") == []
    )


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
async def test_a_list_that_cannot_be_read_is_named(
    application: Application, tray: Path, content: bytes | None
) -> None:
    """One that is not UTF-8, and one that is not there."""
    if content is not None:
        scan(tray, content)
    with pytest.raises(InputError, match=r"returned\.csv cannot be read"):
        await application.returned_mail.apply(tray, WHO)


async def test_a_return_before_the_vendors_word_stays(application: Application, tray: Path) -> None:
    """The letter was back before the status file said that it was mailed: it stays returned."""
    batch = await closed_batch(application, 1)
    shop = vendor_of(application)
    await shop.take_in(batch)
    scan(tray, f"1|{batch}|1|1|1,VACANT\n")
    assert (await application.returned_mail.apply(tray, WHO)).returned == 1
    shop.mail(batch)
    (taken,) = await application.pickup.run()
    assert taken.reason is None
    assert await piece_statuses(application, batch) == ["returned"]
    rows = await fetch(application, "SELECT state FROM communication")
    assert rows == [{"state": "held"}]
