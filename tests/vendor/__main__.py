"""A print vendor as a process of its own.

    python -m tests.vendor serve --root drop --host-key host.pem --authorized-key agency.pub \\
        --vendor-key vendor-secret.asc --agency-key signing-public.asc --port-file port

It prints one line when it is ready, and one for every step. SIGTERM or SIGINT ends it.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import asyncssh

from tests.vendor.manners import Manners, Mischief, Prank
from tests.vendor.marks import Sampling, can_be_read
from tests.vendor.schemas import BESIDE_THE_CONTRACT, Schemas
from tests.vendor.sealing import Keys
from tests.vendor.serving import announce, at_work
from tests.vendor.sftp import SftpServer
from tests.vendor.shop import Clock, Vendor, utc_now


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop."""
    given = parser().parse_args(arguments)
    asyncio.run(serve(given))
    return 0


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    top = argparse.ArgumentParser(prog="vendor", description="A print vendor to try a batch on.")
    asked = top.add_subparsers(required=True).add_parser(
        "serve", help="an SFTP server that answers"
    )
    asked.add_argument("--root", type=Path, required=True, help="holds to-vendor, from-vendor")
    asked.add_argument("--port", type=int, default=0, help="0 for any that is free")
    asked.add_argument("--port-file", type=Path, help="where the port is written")
    asked.add_argument("--host-key", type=Path, required=True, help="the server's secret SSH key")
    asked.add_argument("--authorized-key", type=Path, required=True, help="the agency's SSH key")
    asked.add_argument("--vendor-key", type=Path, required=True, help="the vendor's OpenPGP key")
    asked.add_argument("--agency-key", type=Path, required=True, help="the agency's certificates")
    asked.add_argument("--with", dest="program", choices=("pysequoia", "gpg"), default="pysequoia")
    asked.add_argument("--env", choices=("test", "prod"), default="test")
    asked.add_argument("--schemas", type=Path, default=BESIDE_THE_CONTRACT)
    asked.add_argument("--marks", type=Sampling.read, default=Sampling(), help="all, none or nth")
    asked.add_argument("--once", action="store_true", help="end when one batch's way was collected")
    asked.add_argument("--clock-file", type=Path, help="holds the moment it is, in ISO 8601")
    for name in ("rejected", "held", "spoiled", "returned", "moved"):
        asked.add_argument(f"--{name}", type=int, default=0, metavar="PIECES")
    asked.add_argument("--seed", type=int, default=2026, help="chooses the pieces")
    for name in ("encrypted", "armoured", "removes", "destroys"):
        asked.add_argument(f"--{name}", action="store_true")
    asked.add_argument(
        "--mischief",
        type=Prank.read,
        action="append",
        default=[],
        metavar="[WHERE:]NAME",
        help=f"{', '.join(Mischief)}; WHERE is ack, status, status.002 or final",
    )
    return top


async def serve(given: argparse.Namespace) -> None:
    """Listen and work until a signal comes, or with --once until a batch is through."""
    vendor = Vendor(
        given.root,
        Keys(given.vendor_key, given.agency_key, program=given.program),
        manners=manners_of(given),
        clock=clock_of(given.clock_file),
        env=given.env,
        sampling=given.marks,
        schemas=Schemas(given.schemas),
        log=say,
    )
    server = SftpServer(
        given.root,
        host_key=asyncssh.read_private_key(given.host_key),
        authorized_key=given.authorized_key.read_text(),
        port=given.port,
    )
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with at_work(vendor, server, once=given.once) as working:
        announce(given.port_file, server)
        say(f"vendor ready at {server.host} port {server.port}")
        if given.marks.nth and not can_be_read():
            say("sheet marks are not looked at: pypdfium2 and zxing-cpp are not installed")
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
    say("vendor closed")


def manners_of(given: argparse.Namespace) -> Manners:
    """The manners that were asked for."""
    return Manners(
        rejected=given.rejected,
        held=given.held,
        spoiled=given.spoiled,
        returned=given.returned,
        moved=given.moved,
        seed=given.seed,
        encrypted=given.encrypted,
        armoured=given.armoured,
        removes=given.removes,
        destroys=given.destroys,
        pranks=frozenset(given.mischief),
    )


def clock_of(file: Path | None) -> Clock:
    """The wall's clock, or what stands in a file whenever it is asked."""
    if file is None:
        return utc_now
    return lambda: datetime.fromisoformat(file.read_text().strip())


def say(line: str) -> None:
    """One line of the log."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
