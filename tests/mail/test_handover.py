"""Handing over: in order, verified, once; and what keeps a batch from leaving says so."""

import asyncio

import pytest

from engine.bootstrap import Application
from engine.errors import InputError
from engine.mail.acts import Signed
from tests.database_rows import fetch, states
from tests.mail.print_shop import (
    alarm_kinds,
    by_mail,
    closed_batch,
    folder,
    gather,
    vendor_of,
)
from tests.vendor.manners import Mischief

WHO = Signed("operator 7", "looked into it")


async def batch_states(application: Application) -> list[object]:
    """The state of every batch, in order."""
    rows = await fetch(application, "SELECT state FROM print_batch ORDER BY id")
    return [row["state"] for row in rows]


async def test_the_next_batch_waits_for_a_disagreement(application: Application) -> None:
    """While the totals of one disagree, the next is closed and stored, and does not leave; a
    person's release lets it."""
    first = await closed_batch(application, 2)
    shop = vendor_of(application)
    await shop.take_in(first)
    shop.ack(first, Mischief.WRONG_TOTALS)
    await application.pickup.run()
    await gather(application, *by_mail(1, first=3))
    (second,) = await application.batches.close()
    assert second.waits is not None
    assert first in second.waits
    assert "connect batch release" in second.waits
    assert await batch_states(application) == ["handed_over", "stored"]
    (still,) = await application.handover.run()
    assert still.waits == second.waits
    await application.by_hand.release(second.name, WHO)
    (left,) = await application.handover.run()
    assert left.waits is None
    assert await batch_states(application) == ["handed_over", "handed_over"]
    acts = await fetch(application, "SELECT who, act, subject FROM operator_act")
    assert acts == [{"who": WHO.who, "act": "release", "subject": second.name}]


async def test_silence_is_no_disagreement(application: Application) -> None:
    """A batch that was not acknowledged yet does not stop the next one."""
    await closed_batch(application, 1)
    await closed_batch(application, 1, first=2)


async def test_what_was_released_once_does_not_stop_those_after_it(
    application: Application,
) -> None:
    """The release of one batch settles what disagreed before it, for all that follow."""
    first = await closed_batch(application, 1)
    shop = vendor_of(application)
    await shop.take_in(first)
    shop.ack(first, Mischief.WRONG_TOTALS)
    await application.pickup.run()
    await gather(application, *by_mail(1, first=2))
    (second,) = await application.batches.close()
    await application.by_hand.release(second.name, WHO)
    await application.handover.run()
    await closed_batch(application, 1, first=3)


async def test_a_held_batch_does_not_leave(application: Application) -> None:
    """Held while open, it is not closed; held when stored, it is not handed over."""
    await gather(application, *by_mail(1))
    await application.by_hand.hold("open", WHO)
    assert await application.batches.close() == []
    assert await application.by_hand.release("open", WHO) == "open"
    assert len(await application.batches.close()) == 1
    with pytest.raises(InputError, match="no batch of that name is still with us"):
        await application.by_hand.hold("open", WHO)


async def test_batches_leave_in_their_order(application: Application) -> None:
    """One that is held keeps those behind it: the vendor sees no gap."""
    drop = application.settings.data_dir / "drop" / "to-vendor"
    await gather(application, *by_mail(1))
    drop.parent.mkdir(parents=True)
    drop.write_text("not a folder")
    (first,) = await application.batches.close()
    assert first.waits is not None
    await application.by_hand.hold(first.name, WHO)
    await gather(application, *by_mail(1, first=2))
    (second,) = await application.batches.close()
    drop.unlink()
    waits = {left.name: left.waits for left in await application.handover.run()}
    assert "held by a person" in str(waits[first.name])
    assert f"{first.name} has to leave first" == waits[second.name]
    await application.by_hand.release(first.name, WHO)
    assert [left.waits for left in await application.handover.run()] == [None, None]


async def test_other_bytes_under_its_name_stop_it(application: Application) -> None:
    """What stands in the drop is not written over: the batch waits, and an alarm stands."""
    drop = application.settings.data_dir / "drop" / "to-vendor"
    await gather(application, *by_mail(1))
    drop.parent.mkdir(parents=True)
    drop.write_text("not a folder")
    (closed,) = await application.batches.close()
    drop.unlink()
    drop.mkdir()
    theirs = drop / f"{closed.name}.zip.pgp"
    theirs.write_bytes(b"something else")
    (left,) = await application.handover.run()
    assert left.waits is not None
    assert theirs.read_bytes() == b"something else"
    assert not (drop / f"{closed.name}.done").exists()
    assert "handover" in await alarm_kinds(application)
    assert await states(application) == ["failed", "batched"]
    theirs.unlink()
    (left,) = await application.handover.run()
    assert left.waits is None
    assert "handover" not in await alarm_kinds(application)


async def test_many_who_hand_over_at_once_hand_over_once(application: Application) -> None:
    """Workers of several machines run at the same minute."""
    await gather(application, *by_mail(2))
    drop = application.settings.data_dir / "drop" / "to-vendor"
    drop.parent.mkdir(parents=True)
    drop.write_text("not a folder")
    (closed,) = await application.batches.close()
    drop.unlink()
    runs = await asyncio.gather(*(application.handover.run() for _ in range(4)))
    left = [item for run in runs for item in run]
    assert [(item.name, item.waits) for item in left] == [(closed.name, None)]
    assert sorted(path.name for path in drop.iterdir()) == [
        f"{closed.name}{ending}" for ending in (".done", ".zip.pgp", ".zip.pgp.sha256")
    ]


async def test_our_copies_stay_in_outgoing(application: Application) -> None:
    """And they verify: against the database, and against each other."""
    name = await closed_batch(application, 2)
    ours = {path.name: path.read_bytes() for path in (folder(application) / "outgoing").iterdir()}
    drop = application.settings.data_dir / "drop" / "to-vendor"
    assert ours == {path.name: path.read_bytes() for path in drop.iterdir()}
    assert all(check.right for check in await application.overview.verify(name))
    path = folder(application) / "outgoing" / f"{name}.zip.pgp"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    wrong = [check.what for check in await application.overview.verify(name) if not check.right]
    assert wrong == ["the ciphertext in outgoing/ has the recorded SHA-256"]
