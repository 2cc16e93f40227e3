"""Printing a frozen batch: what becomes of it when a process dies or the disk is full."""

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pysequoia
import pytest

from engine.bootstrap import Application
from engine.mail.batches import PrintBatches
from engine.mail.composer import ComposerStoppedError, PartComposer
from engine.mail.keys import PrintKeys
from engine.mail.openpgp import KeyUnusableError, SecretKey
from engine.mail.printing import Frozen
from engine.mail.sealed_file import FileUnwrittenError, SealedFile, sealed_file
from tests.database_rows import execute, fetch
from tests.mail.sample_batches import DAY, NAME, NOW, keys
from tests.mail.test_batches import folder, gather


def files(application: Application) -> list[str]:
    """What lies in the outgoing folder."""
    outgoing = folder(application) / "outgoing"
    return sorted(path.name for path in outgoing.iterdir()) if outgoing.exists() else []


def parts_of_one(application: Application, composer: PartComposer | None = None) -> PrintBatches:
    """The same batches, drawn a letter a part."""
    printer = application.batches.printer
    printer = replace(printer, pieces_per_part=1, composer=composer or printer.composer)
    return replace(application.batches, printer=printer)


async def closes_whole(application: Application, letters: int) -> None:
    """Closing again prints every letter once."""
    (closed,) = await application.batches.close()
    assert closed.pieces == letters
    assert await fetch(application, "SELECT seq FROM print_piece ORDER BY seq") == [
        {"seq": seq} for seq in range(1, letters + 1)
    ]


async def frozen(application: Application) -> Frozen:
    """The open batch as one that takes no more letters."""
    (row,) = await fetch(application, "SELECT id FROM print_batch")
    return Frozen(
        id=int(str(row["id"])),
        name=NAME,
        sequence=1,
        previous_name=None,
        closed_at=NOW,
        mail_by=DAY + timedelta(days=2),
        purge_by=DAY + timedelta(days=40),
    )


async def test_a_batch_in_several_parts_is_one_batch(application: Application) -> None:
    """Its letters are numbered through, and progress is told part by part."""
    await gather(application, 4)
    told: list[tuple[int, int]] = []
    draft = folder(application) / "outgoing" / "draft"
    printed = await parts_of_one(application).printer.print(
        await frozen(application), draft, lambda done, of: told.append((done, of))
    )
    assert [piece.seq for piece in printed.pieces] == [1, 2, 3, 4]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert printed.sealed is not None
    assert [part.first_seq for part in printed.sealed.manifest.parts] == [1, 2, 3, 4]
    assert (files(application), printed.bytes) == (["draft"], draft.stat().st_size)


async def test_a_composer_killed_in_a_part_loses_nothing(application: Application) -> None:
    """The batch stays frozen and nothing of it is on the disk; the next close prints it whole."""
    await gather(application, 3)
    with pytest.raises(ComposerStoppedError):
        await parts_of_one(application, PartComposer(timeout_seconds=0.001)).close()
    assert files(application) == []
    assert await fetch(application, "SELECT state FROM print_batch") == [{"state": "closing"}]
    await closes_whole(application, 3)


async def test_a_disk_that_is_full_loses_nothing(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is recorded as stored, and with room again the next close prints it whole."""
    await gather(application, 3)

    def on_a_full_disk(path: Path, **keys: Any) -> AbstractContextManager[SealedFile]:
        path.parent.mkdir(parents=True)
        path.symlink_to("/dev/full")
        return sealed_file(path, **keys)

    with monkeypatch.context() as patch:
        patch.setattr("engine.mail.printing.sealed_file", on_a_full_disk)
        with pytest.raises(FileUnwrittenError, match="outgoing: No space left on device"):
            await parts_of_one(application).close()
    assert files(application) == []
    assert await fetch(application, "SELECT state, sha256 FROM print_batch") == [
        {"state": "closing", "sha256": None}
    ]
    await closes_whole(application, 3)


async def test_an_expired_key_is_told_before_anything_is_drawn(application: Application) -> None:
    """The vendor's key is looked at first: no letter is opened for a batch that cannot leave."""
    await gather(application, 1)
    made = pysequoia.Tsk.generate("Old <old@vendor.example>", validity_seconds=86_400)
    old = SecretKey.read(bytes(made), name="old").certificate.armoured()
    printer = replace(
        application.batches.printer,
        keys=lambda: PrintKeys(keys().signer.secret, old),
        clock=lambda: datetime.now(UTC) + timedelta(days=2),
        composer=PartComposer(timeout_seconds=0),
    )
    with pytest.raises(KeyUnusableError, match=r"VENDOR_CERTIFICATE: the key .* expired"):
        await printer.print(await frozen(application), folder(application) / "draft")


async def test_an_earlier_try_is_not_left_behind(application: Application) -> None:
    """A draft that was begun before every letter was cancelled is no file of this batch."""
    await gather(application, 1)
    await execute(application, "UPDATE contact_point SET safe_to_use = false")
    draft = folder(application) / "draft"
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.write_bytes(b"an earlier try")
    printed = await application.batches.printer.print(await frozen(application), draft)
    assert (printed.pieces, printed.sealed, draft.exists()) == ((), None, False)
    assert list(printed.held.values()) == ["not_safe_to_use"]
