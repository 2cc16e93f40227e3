"""Print batches: closed once, frozen by their hash, finished whatever cut them short."""

import asyncio
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.bootstrap import Application
from engine.communications.outcomes import Outcome
from engine.communications.states import Event
from engine.mail.batches import BatchBusyError, ClosedBatch
from engine.mail.filing import OutgoingConflictError
from engine.mail.openpgp import Certificate, SecretKey, open_sealed
from tests import people
from tests.communications.test_outbox import payment
from tests.database_rows import delivery_ids, execute, fetch, states


def by_mail(number: int) -> list[people.Person]:
    """Participants without an email."""
    return [
        people.Person(external_id=f"{index:010d}", language="es" if index % 2 else "en", email=None)
        for index in range(1, number + 1)
    ]


async def gather(application: Application, number: int) -> None:
    """Payment notices for so many more people, gathered into the open batch."""
    known = len(await fetch(application, "SELECT id FROM participant"))
    persons = await people.add(application.engine, *by_mail(known + number)[known:])
    async with application.outbox.transaction() as transaction:
        await transaction.record_all([payment(id_, f"payment:{id_}") for id_ in persons])
    while waiting := await delivery_ids(application):
        await application.dispatcher.deliver(waiting)


def folder(application: Application) -> Path:
    """Where the print room keeps its files."""
    return application.settings.data_dir / "print"


def opened(application: Application, name: str) -> zipfile.ZipFile:
    """A batch as the vendor opens it: decrypted, its signature verified."""
    keys = folder(application) / "vendor-key"
    content = open_sealed(
        (folder(application) / "outgoing" / f"{name}.zip.pgp").read_bytes(),
        key=SecretKey.read((keys / "vendor-secret.asc").read_text(), name="vendor"),
        signers=[Certificate.read((keys / "signing-public.asc").read_text(), name="agency")],
    )
    return zipfile.ZipFile(io.BytesIO(content))


async def test_a_closed_batch_holds_each_letter_once(application: Application) -> None:
    """What was gathered is in the batch, numbered from 1; each is owed until it is mailed."""
    await gather(application, 4)
    (closed,) = await application.batches.close()
    manifest = json.loads(opened(application, closed.name).read("manifest.json"))
    assert closed.pieces == manifest["totals"]["pieces"] == 4
    assert closed.pages == manifest["totals"]["pages"] == 2 * closed.sheets
    assert manifest["sequence"] == 1
    assert manifest["previous_batch_id"] is None
    rows = await fetch(
        application,
        "SELECT seq, delivery.state FROM print_piece JOIN delivery ON delivery.id = delivery_id"
        " ORDER BY seq",
    )
    assert rows == [{"seq": seq, "state": "handed_over"} for seq in range(1, 5)]
    rows = await fetch(application, "SELECT DISTINCT state FROM communication")
    assert rows == [{"state": "owed"}]


async def test_the_files_of_a_batch_agree(application: Application) -> None:
    """The hash in the .sha256, the .done and the database is that of the ciphertext."""
    await gather(application, 1)
    (closed,) = await application.batches.close()
    outgoing = folder(application) / "outgoing"
    ciphertext = (outgoing / f"{closed.name}.zip.pgp").read_bytes()
    sha256 = hashlib.sha256(ciphertext).hexdigest()
    assert closed.sha256 == sha256
    line = (outgoing / f"{closed.name}.zip.pgp.sha256").read_text()
    assert line == f"{sha256}  {closed.name}.zip.pgp\n"
    assert json.loads((outgoing / f"{closed.name}.done").read_text()) == {
        "batch_id": closed.name,
        "bytes": len(ciphertext),
        "sha256": sha256,
        "pieces": 1,
        "sheets": closed.sheets,
    }
    assert {path.name for path in outgoing.iterdir()} == {
        f"{closed.name}{ending}" for ending in (".zip.pgp", ".zip.pgp.sha256", ".done")
    }


async def test_an_empty_day_closes_nothing(application: Application) -> None:
    """Without a letter there is no batch, and closing again changes nothing."""
    assert await application.batches.close() == []
    await gather(application, 1)
    assert len(await application.batches.close()) == 1
    assert await application.batches.close() == []


async def test_batches_follow_each_other(application: Application) -> None:
    """Names count within the day, sequences for ever, and each names the one before."""
    closed: list[ClosedBatch] = []
    for _ in range(2):
        await gather(application, 1)
        closed += await application.batches.close()
    first, second = closed
    assert second.name == first.name.removesuffix("001") + "002"
    manifest = json.loads(opened(application, second.name).read("manifest.json"))
    assert manifest["sequence"] == 2
    assert manifest["previous_batch_id"] == first.name


async def test_two_that_close_at_once_close_once(application: Application) -> None:
    """One of them closes the batch; the other is told so, or finds nothing left to close."""
    await gather(application, 2)
    answers = await asyncio.gather(
        *(application.batches.close() for _ in range(3)), return_exceptions=True
    )
    closed = [batch for answer in answers if isinstance(answer, list) for batch in answer]
    assert len(closed) == 1
    assert all(isinstance(answer, list | BatchBusyError) for answer in answers)
    rows = await fetch(application, "SELECT count(*) AS batches FROM print_batch")
    assert rows == [{"batches": 1}]


async def test_who_finds_the_job_being_closed_is_told_so(application: Application) -> None:
    """While another machine holds the job's lock, a close is refused and changes nothing."""
    await gather(application, 1)
    async with application.engine.connect() as other:
        await other.execute(
            text("SELECT pg_advisory_lock(hashtextextended('print_batch:letters', 0))")
        )
        with pytest.raises(BatchBusyError):
            await application.batches.close()
        await other.execute(text("SELECT pg_advisory_unlock_all()"))
    assert len(await application.batches.close()) == 1


async def test_a_letter_no_longer_owed_is_not_printed(application: Application) -> None:
    """One that was cancelled after it was gathered stays out of the batch."""
    await gather(application, 2)
    (batched, _) = await delivery_ids(application, "batched")
    async with application.engine.begin() as connection:
        await application.outcomes.record(
            connection, [Outcome(batched, Event.CANCELLED, "newer_pin")]
        )
    (closed,) = await application.batches.close()
    assert closed.pieces == 1
    assert "cancelled" in await states(application)


async def test_a_close_cut_short_while_composing_is_finished(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Letters frozen but not yet stored are composed by the next close, once, under their name."""
    await gather(application, 2)

    class StoppedError(Exception):
        pass

    async def stop(*_: object) -> None:
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(type(application.batches), "_store", stop)
        with pytest.raises(StoppedError):
            await application.batches.close()
    (frozen,) = await fetch(application, "SELECT name, state FROM print_batch")
    assert frozen["state"] == "closing"
    await gather(application, 1)
    closed = await application.batches.close()
    assert [batch.pieces for batch in closed] == [2, 1]
    assert closed[0].name == frozen["name"]
    assert sorted(map(str, await states(application))) == ["failed"] * 3 + ["handed_over"] * 3


async def test_a_close_cut_short_before_the_handover_sends_the_stored_bytes(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once stored, the ciphertext is never made again: the same hash is announced."""
    await gather(application, 1)

    class StoppedError(Exception):
        pass

    async def stop(*_: object) -> None:
        raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(type(application.handover), "run", stop)
        with pytest.raises(StoppedError):
            await application.batches.close()
    (stored,) = await fetch(application, "SELECT name, sha256 FROM print_batch")
    (left,) = await application.handover.run()
    assert (left.name, left.waits) == (stored["name"], None)
    done = json.loads((folder(application) / "outgoing" / f"{left.name}.done").read_text())
    assert done["sha256"] == stored["sha256"]


async def test_changed_bytes_are_never_announced(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stored ciphertext that no longer has its hash stops the handover and alarms."""
    await gather(application, 1)

    async def nothing_yet(*_: object) -> list[object]:
        return []

    with monkeypatch.context() as patch:
        patch.setattr(type(application.handover), "run", nothing_yet)
        (closed,) = await application.batches.close()
    path = folder(application) / "outgoing" / f"{closed.name}.zip.pgp"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    (left,) = await application.handover.run()
    assert left.waits is not None
    assert "does not have the hash" in left.waits
    assert not path.with_name(f"{closed.name}.done").exists()
    assert await states(application) == ["failed", "batched"]
    (alarm,) = [alarm for alarm in await application.drop_alarms.look() if alarm.kind == "handover"]
    assert (alarm.subject, alarm.detail) == (closed.name, left.waits)


async def test_an_announced_batch_is_not_written_over(application: Application) -> None:
    """With its .done standing, a batch's ciphertext is refused, whatever it is."""
    await gather(application, 1)
    (closed,) = await application.batches.close()
    with pytest.raises(OutgoingConflictError):
        application.batches.outgoing.draft(closed.name)


async def test_an_address_is_read_again_at_the_close(application: Application) -> None:
    """An address that became unsafe after gathering holds its letter; the others go."""
    await gather(application, 3)
    await execute(
        application,
        "UPDATE contact_point SET safe_to_use = false WHERE participant_id = 2 AND kind = 'mail'",
    )
    (closed,) = await application.batches.close()
    assert (closed.pieces, closed.held) == (2, 1)
    rows = await fetch(
        application, "SELECT reason FROM delivery WHERE state = 'held' AND channel = 'mail'"
    )
    assert rows == [{"reason": "not_safe_to_use"}]
    rows = await fetch(application, "SELECT state FROM communication ORDER BY id")
    assert [row["state"] for row in rows] == ["owed", "held", "owed"]


@pytest.mark.parametrize("street", ["12 EXAMPLE 漢字 ST", "=1200 EXAMPLE ST"])
async def test_a_letter_that_cannot_be_drawn_is_held_alone(
    application: Application, street: str
) -> None:
    """A character the typeface lacks, or a cell that reads as a formula, holds that letter only."""
    await gather(application, 2)
    await execute(
        application,
        "UPDATE contact_point SET addr1 = $1 WHERE participant_id = 1 AND kind = 'mail'",
        street,
    )
    (closed,) = await application.batches.close()
    assert (closed.pieces, closed.held) == (1, 1)
    rows = await fetch(application, "SELECT reason FROM delivery WHERE state = 'held'")
    assert rows == [{"reason": "UNRENDERABLE"}]


async def test_a_batch_of_which_nothing_is_left_does_not_leave(application: Application) -> None:
    """When every letter is held, no file is written, and the name is free for the next batch."""
    await gather(application, 1)
    await execute(application, "UPDATE contact_point SET safe_to_use = false")
    assert await application.batches.close() == []
    assert not (folder(application) / "outgoing").exists()
    assert await fetch(application, "SELECT id FROM print_batch WHERE state <> 'open'") == []
