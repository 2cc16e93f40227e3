"""A vendor at work: its SFTP server tells it what arrives, and it answers each batch and order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.vendor.drop import ORDER
from tests.vendor.orders import RefusedOrderError
from tests.vendor.sftp import SftpServer
from tests.vendor.shop import NotTakenInError, Vendor
from tests.vendor.verify_batch import UnreadableError


@dataclass
class Bell:
    """Rung by the server for every file that comes or goes; a name of `None` ends the work."""

    rung: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)

    def ring(self, name: str) -> None:
        """A file arrived, or an answer was collected."""
        self.rung.put_nowait(name)

    def stop(self) -> None:
        """Nothing more will come."""
        self.rung.put_nowait(None)

    async def names(self) -> AsyncIterator[str]:
        """Each name as it comes."""
        while (name := await self.rung.get()) is not None:
            yield name


async def work_on(vendor: Vendor, bell: Bell, *, once: bool = False) -> None:
    """Work batches and orders as they are announced, beginning with those that lie there.

    With `once` it ends when a batch was worked and all its answers were collected.
    """
    vendor.tray.patient = True
    worked = 0
    for name in [f"{batch_id}.done" for batch_id in vendor.drop.announced()]:
        bell.ring(name)
    for name in vendor.drop.orders():
        bell.ring(name)
    async for name in bell.names():
        if name.endswith(".done") and vendor.drop.done_file(name[: -len(".done")]).exists():
            await vendor.work(name[: -len(".done")])
            worked += 1
        elif ORDER.fullmatch(name):
            _answer_order(vendor, name)
        for again in vendor.tray.turn():
            vendor.log(f"{again}: once more")
        if once and worked and vendor.tray.empty:
            return


def _answer_order(vendor: Vendor, name: str) -> None:
    try:
        answered = vendor.answer_order(name)
    except (RefusedOrderError, UnreadableError, NotTakenInError) as error:
        vendor.log(f"{name}: not carried out: {error}")
        return
    batch_id = name.partition(".")[0]
    if answered is not None:
        vendor.log(f"{batch_id}: order answered in {answered.name}")


def announce(port_file: Path | None, server: SftpServer) -> None:
    """Write the port where another process looks for it, whole at once."""
    if port_file is not None:
        part = port_file.with_name(f".{port_file.name}.part")
        part.write_text(f"{server.port}\n")
        part.replace(port_file)


@contextlib.asynccontextmanager
async def at_work(
    vendor: Vendor, server: SftpServer, *, once: bool = False
) -> AsyncIterator["asyncio.Task[None]"]:
    """The server listens and the vendor works until the end of the context, or of the task."""
    bell = Bell()
    server.arrived = server.collected = bell.ring
    async with server:
        task = asyncio.create_task(work_on(vendor, bell, once=once))
        try:
            yield task
        finally:
            bell.stop()
            await task
