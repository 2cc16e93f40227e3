"""What goes wrong while a batch is closed and handed over: no letter is lost, none goes twice, and
a command says where things stand."""

import asyncio
import json
import re
import resource
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pysequoia
import pytest
from asyncpg.exceptions import InterfaceError, PostgresError
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.bootstrap import Application
from engine.clock import system_clock
from engine.database import advisory_lock, create_engine
from engine.errors import ConnectError
from engine.mail.acts import Signed
from engine.mail.batches import BatchBusyError, ClosedBatch, PrintBatches
from engine.mail.contract import Environment
from engine.mail.drops.demonstration import DemonstrationSftp, demonstration_sftp
from engine.mail.drops.port import Drop, Placed
from engine.mail.openpgp import KeyUnusableError, SecretKey
from engine.mail.overview import Standing
from engine.settings import Settings
from tests.acting import opened_in_parts
from tests.database_rows import fetch, states
from tests.mail.letter_count import batches_of_letters, vendor_at
from tests.mail.print_shop import alarm_kinds, by_mail, folder, gather, piece_statuses
from tests.sftp_server import SftpServer, sftp_server

# Real SFTP, real processes killed, every batch opened and counted: the fuller tier has room.
pytestmark = pytest.mark.full

Close = Callable[[], Awaitable[list[ClosedBatch]]]
Strike = Callable[[Application, SftpServer], AbstractAsyncContextManager[Close]]

LETTERS = 4


class Clock:
    """The system's, and so far ahead."""

    ahead = timedelta()

    def __call__(self) -> datetime:
        return system_clock() + self.ahead


@pytest.fixture
def ssh(tmp_path: Path) -> DemonstrationSftp:
    """Key files of a server and of ours."""
    return demonstration_sftp(tmp_path / "ssh")


@pytest.fixture
async def server(tmp_path: Path, ssh: DemonstrationSftp) -> AsyncIterator[SftpServer]:
    """The vendor's server."""
    async with sftp_server(
        tmp_path / "vendor", server_key=ssh.server_key, authorized_keys=ssh.authorized_keys
    ) as running:
        yield running


@pytest.fixture
def settings(settings: Settings, server: SftpServer, ssh: DemonstrationSftp) -> Settings:
    """Settings that lead to the server, with two letters to a part."""
    return settings.model_copy(
        update={
            "print_drop_url": server.url,
            "print_sftp_key": ssh.client_key,
            "print_sftp_host_keys": ssh.host_keys,
            "print_pieces_per_part": 2,
        }
    )


@pytest.fixture
def clock() -> Clock:
    """A clock that a test may put ahead."""
    return Clock()


@pytest.fixture
async def application(
    settings: Settings, database: AsyncEngine, redis: Redis, clock: Clock
) -> AsyncIterator[Application]:
    """The application with a drop at the server."""
    async with opened_in_parts(settings, clock) as opened:
        yield opened


# What strikes, and when


def sftp(arrange: Callable[[SftpServer], None]) -> Strike:
    """Something goes wrong at the server."""

    @asynccontextmanager
    async def strike(application: Application, server: SftpServer) -> AsyncIterator[Close]:
        arrange(server)
        yield application.batches.close
        server.room = server.flip = server.cut_after = None

    return strike


def set_to(**fault: Any) -> Strike:
    """One of the server's own faults."""

    def arrange(server: SftpServer) -> None:
        for name, value in fault.items():
            setattr(server, name, value)

    return sftp(arrange)


def gone_after_renames(count: int) -> Strike:
    """The server goes away when so many files have their names."""

    def arrange(server: SftpServer) -> None:
        class Counting(list[tuple[str, str]]):
            def append(self, renamed: tuple[str, str]) -> None:
                super().append(renamed)
                server.cut_after_rename = len(self) == count

        server.renamed = Counting()

    return sftp(arrange)


@asynccontextmanager
async def composer_killed(application: Application, _: SftpServer) -> AsyncIterator[Close]:
    """The composing processes are killed when the first part of several is there."""

    def kill(_done: int, _of: int) -> None:
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if "composing_process" in " ".join(child.cmdline()):
                    child.kill()

    printer = replace(application.batches.printer, pieces_per_part=1)
    batches = replace(application.batches, printer=printer)
    yield lambda: batches.close(progress=kill)


@contextmanager
def files_end_after(size: int) -> Iterator[None]:
    """No file of this process can grow beyond `size` bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@asynccontextmanager
async def no_room_for_the_batch(application: Application, _: SftpServer) -> AsyncIterator[Close]:
    """The disk is full before the ciphertext is whole."""
    with files_end_after(20_000):
        yield application.batches.close


@asynccontextmanager
async def no_room_for_its_hash(application: Application, _: SftpServer) -> AsyncIterator[Close]:
    """The ciphertext had room, and the line beside it has none."""

    async def close() -> list[ClosedBatch]:
        async with advisory_lock(application.engine, "print_drop:out"):
            closed = await application.batches.close()
        draft = folder(application) / "outgoing" / f".{closed[0].name}.zip.pgp.sha256.part"
        draft.symlink_to("/dev/full")
        await application.handover.run()
        draft.unlink()
        return closed

    yield close


def database_gone_before(ending: str) -> Strike:
    """Every connection to PostgreSQL is dropped while a file is being handed over."""

    @asynccontextmanager
    async def strike(application: Application, _: SftpServer) -> AsyncIterator[Close]:
        async def drop_connections() -> None:
            async with application.engine.connect() as connection:
                await connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )

        yield interrupted(application, ending, drop_connections).close

    return strike


def interrupted(
    application: Application, ending: str, happens: Callable[[], Awaitable[None]]
) -> PrintBatches:
    """The batches, with something that happens just before a file is put into the drop."""
    handover = application.handover

    @asynccontextmanager
    async def watched(environment: Environment) -> AsyncIterator[Drop]:
        async with handover.drop(environment) as drop:
            yield _Interrupted(drop, ending, happens)

    return replace(application.batches, handover=replace(handover, drop=watched))


class _Interrupted:
    """A drop where something happens just before a file is put."""

    def __init__(self, drop: Drop, ending: str, happens: Callable[[], Awaitable[None]]) -> None:
        self._drop, self._ending, self._happens = drop, ending, happens

    async def put(self, name: str, source: Path) -> Placed:
        if name.endswith(self._ending):
            await self._happens()
        return await self._drop.put(name, source)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._drop, name)


@dataclass(frozen=True)
class Fault:
    """What strikes while a batch is closed, the state it leaves, and what the batch says of it."""

    what: str
    strike: Strike
    leaves: str
    says: str | None


FAULTS = [
    Fault("upload cut in the middle", set_to(cut_after=5_000), "stored", "sftp://"),
    Fault("gone before the rename", set_to(cut_before_rename=True), "stored", "sftp://"),
    Fault("gone after the rename", set_to(cut_after_rename=True), "stored", "sftp://"),
    Fault("gone between .sha256 and .done", gone_after_renames(2), "stored", "sftp://"),
    Fault("gone after .done", gone_after_renames(3), "stored", "sftp://"),
    Fault("no room at the vendor's", set_to(room=5_000), "stored", "sftp://"),
    Fault("a byte written wrong", set_to(flip=1_000), "handed_over", None),
    Fault("composer killed mid-part", composer_killed, "closing", "stopped"),
    Fault("disk full: the batch", no_room_for_the_batch, "closing", "cannot be written"),
    Fault("disk full: its hash", no_room_for_its_hash, "stored", "No space left"),
    Fault("database gone before .zip.pgp", database_gone_before(".zip.pgp"), "handed_over", None),
    Fault("database gone before .done", database_gone_before(".done"), "stored", None),
]


async def standing(application: Application) -> Standing:
    """The only batch there is, as `connect batch list` has it."""
    (batch,) = await application.overview.batches(5)
    return batch


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
async def test_no_letter_is_lost_and_none_goes_twice(
    application: Application, server: SftpServer, fault: Fault
) -> None:
    """The batch says what state it is in and why; letters wait in it; the next close finishes it
    under the same name, and every letter is there once."""
    await gather(application, *by_mail(LETTERS))
    async with fault.strike(application, server) as close:
        with suppress(ConnectError, DBAPIError, PostgresError, InterfaceError):
            await close()
    struck = await standing(application)
    assert struck.state == fault.leaves
    if fault.says is not None:
        assert re.search(fault.says, struck.trouble or "")
        assert {"close", "handover"} & await alarm_kinds(application)
    waiting = (await states(application)).count("batched")
    assert waiting == (0 if fault.leaves == "handed_over" else LETTERS)
    await application.batches.close()
    after = await standing(application)
    assert (after.name, after.state, after.trouble) == (struck.name, "handed_over", None)
    assert set((await batches_of_letters(application, server.folder)).values()) == {after.name}
    assert await alarm_kinds(application) == set()


async def test_machines_that_close_at_once_close_once(
    application: Application, settings: Settings, server: SftpServer
) -> None:
    """Two machines over one database and one outgoing folder, round after round: each letter goes
    once, and the batches are numbered without a gap."""
    async with opened_in_parts(settings) as other:
        for turn in range(3):
            await gather(application, *by_mail(2, first=2 * turn + 1))
            answers = await asyncio.gather(
                application.batches.close(), other.batches.close(), return_exceptions=True
            )
            assert all(isinstance(answer, list | BatchBusyError) for answer in answers)
            assert [
                batch.waits for answer in answers if isinstance(answer, list) for batch in answer
            ] == [None]
    batches = await batches_of_letters(application, server.folder)
    assert len(batches) == 6
    rows = await fetch(application, "SELECT sequence FROM print_batch ORDER BY id")
    assert [row["sequence"] for row in rows] == [1, 2, 3]


async def test_two_that_each_think_they_are_alone_mix_nothing(
    application: Application, settings: Settings, server: SftpServer
) -> None:
    """One loses the connection that holds its lock and goes on; the other begins the same file.
    Neither records what the other wrote, and the next close finishes the batch."""
    await gather(application, *by_mail(LETTERS))
    began, may_end = threading.Event(), threading.Event()

    def second() -> None:
        def wait(_done: int, _of: int) -> None:
            began.set()
            may_end.wait(60)

        async def take_over() -> None:
            await end_lock_holders(settings)
            async with opened_in_parts(settings) as other:
                with suppress(ConnectError):
                    await other.batches.close(progress=wait)

        asyncio.run(take_over())

    machine = threading.Thread(target=second)

    def lose_the_lock(_done: int, _of: int) -> None:
        if not began.is_set():
            machine.start()
            assert began.wait(60)

    with suppress(ConnectError, DBAPIError, InterfaceError, PostgresError):
        await application.batches.close(progress=lose_the_lock)
    may_end.set()
    await asyncio.to_thread(machine.join)
    await application.batches.close()
    assert len(await batches_of_letters(application, server.folder)) == LETTERS
    assert (await standing(application)).trouble is None


async def end_lock_holders(settings: Settings) -> None:
    """Drop the connections that hold advisory locks."""
    assert settings.database_url is not None
    engine = create_engine(settings.database_url.get_secret_value())
    async with engine.connect() as connection:
        await connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        )
    await engine.dispose()


async def test_two_that_pick_up_the_same_ack_apply_it_once(
    application: Application, settings: Settings, server: SftpServer
) -> None:
    """At the same moment, and again later: one answer on record, and nothing in quarantine."""
    await gather(application, *by_mail(1))
    (closed,) = await application.batches.close()
    vendor = vendor_at(application, server.folder)
    await vendor.take_in(closed.name)
    content = vendor.ack(closed.name).read_bytes()
    async with opened_in_parts(settings) as other:
        await asyncio.gather(*(machine.pickup.run() for machine in (application, other)))
    vendor.put(f"{closed.name}.ack.json.pgp", content)
    (again,) = await application.pickup.run()
    assert again.repeated
    rows = await fetch(application, "SELECT kind FROM print_answer")
    assert rows == [{"kind": "ack"}]
    assert await alarm_kinds(application) == set()


async def test_what_the_vendor_tells_before_the_handover_is_on_record_waits(
    application: Application, server: SftpServer
) -> None:
    """We were cut off between the `.done` and writing that down, and the vendor was quick: its
    statuses stay in the drop until they can be applied, and the letters are met."""
    await gather(application, *by_mail(2))
    async with gone_after_renames(3)(application, server) as close:
        (closed,) = await close()
    assert closed.waits is not None
    vendor = vendor_at(application, server.folder)
    await vendor.take_in(closed.name)
    vendor.mail(closed.name)
    assert await application.pickup.run() == []
    assert await piece_statuses(application, closed.name) == [None, None]
    await application.handover.run()
    (taken,) = await application.pickup.run()
    assert taken.reason is None
    rows = await fetch(application, "SELECT DISTINCT state FROM communication")
    assert rows == [{"state": "met"}]


async def test_what_the_vendor_has_acknowledged_is_not_sent_again(
    application: Application, server: SftpServer
) -> None:
    """Its ack says that it has the batch, whose files it may have taken away by then."""
    await gather(application, *by_mail(1))
    async with gone_after_renames(3)(application, server) as close:
        (closed,) = await close()
    vendor = vendor_at(application, server.folder)
    await vendor.take_in(closed.name)
    vendor.ack(closed.name)
    for path in vendor.drop.to_vendor.iterdir():
        path.unlink()
    await application.pickup.run()
    (left,) = await application.handover.run()
    assert left.waits is None
    assert list(vendor.drop.to_vendor.iterdir()) == []
    assert (await states(application)).count("handed_over") == 1


def expired_certificate() -> str:
    """A vendor's certificate that ends after a day."""
    made = pysequoia.Tsk.generate(
        "Vendor <print@vendor.example>",
        validity_seconds=86_400,
        profile=pysequoia.Profile.RFC4880,
    )
    return SecretKey.read(bytes(made), name="expired").certificate.armoured()


@pytest.mark.parametrize("frozen", [False, True])
async def test_an_expired_key_of_the_vendors_stops_the_close(
    application: Application, server: SftpServer, clock: Clock, *, frozen: bool
) -> None:
    """Closing says which key and what to do; nothing is lost, whether the batch was frozen already
    or still gathers; and with a new certificate it leaves."""
    await gather(application, *by_mail(LETTERS))
    if frozen:
        async with composer_killed(application, server) as close:
            with pytest.raises(ConnectError):
                await close()
    certificate = folder(application) / "vendor-key" / "vendor-public.asc"
    application.batches.printer.keys()
    good = certificate.read_text()
    certificate.write_text(expired_certificate())
    clock.ahead = timedelta(days=2)
    with pytest.raises(KeyUnusableError, match=r"VENDOR_CERTIFICATE: the key \w+ expired on"):
        await application.batches.close()
    batch = await standing(application)
    assert batch.state == ("closing" if frozen else "open")
    assert await alarm_kinds(application) == ({"close", "key"} if frozen else {"key"})
    assert (await states(application)).count("batched") == LETTERS
    certificate.write_text(good)
    (closed,) = await application.batches.close()
    assert (closed.pieces, closed.waits) == (LETTERS, None)
    assert len(await batches_of_letters(application, server.folder)) == LETTERS
    assert await alarm_kinds(application) == set()


async def test_what_is_held_while_it_is_handed_over_does_not_leave(
    application: Application, server: SftpServer
) -> None:
    """The `.done` is not put, without which the vendor does nothing; released, it leaves."""
    await gather(application, *by_mail(1))
    signed = Signed("operator 7", "wait")

    async def hold() -> None:
        batch = await standing(application)
        await application.by_hand.hold(batch.name, signed)

    (closed,) = await interrupted(application, ".sha256", hold).close()
    assert "held by a person" in str(closed.waits)
    assert not (server.folder / "to-vendor" / f"{closed.name}.done").exists()
    await application.by_hand.release(closed.name, signed)
    (left,) = await application.handover.run()
    assert left.waits is None
    assert len(await batches_of_letters(application, server.folder)) == 1


async def test_an_order_that_cannot_be_sent_alarms_and_keeps_no_other_waiting(
    application: Application, server: SftpServer, clock: Clock
) -> None:
    """Its file was changed on our disk: it is not sent; the next one is."""
    await gather(application, *by_mail(2))
    (closed,) = await application.batches.close()
    signed = Signed("operator 7", "moved")
    for piece in "12":
        await application.orders.cancel(closed.name, piece, "ADDRESS_WRONG", signed)
    outgoing = folder(application) / "outgoing"
    (outgoing / f"{closed.name}.order.001.json.pgp").write_bytes(b"changed")
    await application.handover.run()
    theirs = {path.name for path in (server.folder / "to-vendor").glob("*.order.*")}
    assert theirs == {f"{closed.name}.order.002.json.pgp"}
    assert await alarm_kinds(application) == set()
    clock.ahead = timedelta(minutes=16)
    assert await alarm_kinds(application) == {"order"}


async def test_one_file_that_cannot_be_stored_keeps_no_other_waiting(
    application: Application, server: SftpServer
) -> None:
    """A character that PostgreSQL does not take: the file is quarantined, and the next applied."""
    await gather(application, *by_mail(1))
    (closed,) = await application.batches.close()
    vendor = vendor_at(application, server.folder)
    taken = await vendor.take_in(closed.name)
    ack = vendor.ack_of(taken) | {"errors": [{"code": "OTHER", "piece_id": None, "detail": "\0"}]}
    sealed = pysequoia.sign(vendor.keys.signer(), json.dumps(ack).encode())
    vendor.put(f"{closed.name}.ack.json.pgp", sealed)
    vendor.mail(closed.name)
    first, second = await application.pickup.run()
    assert first.reason == "it holds a character that cannot be stored"
    assert second.reason is None
    assert await piece_statuses(application, closed.name) == ["mailed"]


async def test_one_at_a_time_picks_up(application: Application, server: SftpServer) -> None:
    """While another process does, the files stay where they are."""
    await gather(application, *by_mail(1))
    (closed,) = await application.batches.close()
    vendor = vendor_at(application, server.folder)
    await vendor.take_in(closed.name)
    vendor.ack(closed.name)
    async with advisory_lock(application.engine, "print_drop:in"):
        assert await application.pickup.run() == []
    (taken,) = await application.pickup.run()
    assert taken.reason is None
