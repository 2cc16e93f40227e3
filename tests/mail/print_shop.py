"""A vendor at the other end of an application's drop, and the letters to give it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from engine.bootstrap import Application
from engine.communications.catalogue import Channel
from engine.communications.routing import in_order
from engine.mail.handover import HandOver
from engine.mail.keys import load_print_keys
from tests import people
from tests.communications.test_outbox import payment
from tests.database_rows import delivery_ids, fetch
from tests.vendor.manners import Manners
from tests.vendor.marks import Sampling
from tests.vendor.sealing import Keys
from tests.vendor.shop import Vendor


def vendor_of(
    application: Application, manners: Manners | None = None, env: str = "test"
) -> Vendor:
    """The demonstration vendor, at the folder that is the drop where no other is set."""
    load_print_keys(application.settings)
    keys = application.settings.data_dir / "print" / "vendor-key"

    def clock() -> datetime:
        return application.clock()

    return Vendor(
        application.settings.data_dir / "drop",
        Keys(keys / "vendor-secret.asc", keys / "signing-public.asc"),
        manners=manners,
        clock=clock,
        env=env,
        sampling=Sampling(1000),
    )


def folder(application: Application) -> Path:
    """Where the print room keeps its files."""
    return application.settings.data_dir / "print"


async def gather(
    application: Application,
    *persons: people.Person,
    channels: Sequence[Channel] = (Channel.EMAIL, Channel.MAIL),
) -> list[int]:
    """Payment notices for these people, gathered into the open batch; the people's ids."""
    ids = await people.add(application.engine, *persons)
    notices = [replace(payment(id_, f"payment:{id_}"), route=in_order(*channels)) for id_ in ids]
    async with application.outbox.transaction() as transaction:
        await transaction.record_all(notices)
    await deliver(application)
    return list(ids)


async def deliver(application: Application) -> None:
    """What the workers would do now."""
    while waiting := await delivery_ids(application):
        await application.dispatcher.deliver(waiting)


def by_mail(number: int, first: int = 1) -> list[people.Person]:
    """Participants without an email address."""
    return [
        people.Person(external_id=f"{index:010d}", language="es" if index % 2 else "en", email=None)
        for index in range(first, first + number)
    ]


async def closed_batch(application: Application, number: int = 3, first: int = 1) -> str:
    """The name of a batch of so many letters that was handed over."""
    await gather(application, *by_mail(number, first))
    (batch,) = await application.batches.close()
    assert batch.waits is None
    return batch.name


async def piece_statuses(application: Application, batch: str) -> list[str | None]:
    """Where the vendor says that each piece stands, in the order of their numbers."""
    rows = await fetch(
        application,
        "SELECT print_piece.status FROM print_piece JOIN print_batch ON print_batch.id = batch_id"
        " WHERE name = $1 AND seq IS NOT NULL ORDER BY seq",
        batch,
    )
    return [None if row["status"] is None else str(row["status"]) for row in rows]


async def alarm_kinds(application: Application) -> set[str]:
    """The alarms that stand now."""
    return {alarm.kind for alarm in await application.drop_alarms.look()}


async def store_batch(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Close the open batch, as if the drop could not be reached: it is stored, and waits."""

    async def wait(*_: object) -> list[HandOver]:
        return []

    with monkeypatch.context() as patch:
        patch.setattr(type(application.handover), "run", wait)
        (closed,) = await application.batches.close()
    assert closed.waits is not None
