"""The vendor as a process: it answers over SFTP what is put there, and ends when it is told."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from tests.vendor.answers import from_csv
from tests.vendor.manners import Manners, Prank
from tests.vendor.serving import at_work
from tests.vendor.sftp import SftpServer
from tests.vendor.shop import Vendor
from tests.vendor.small_batches import BATCH, SmallBatch, keys_in, opened, order

ROOT = Path(__file__).parents[2]
HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
CLIENT_KEY = asyncssh.generate_private_key("ssh-ed25519")
SMALL = SmallBatch(sheets=(1,) * 6)


@dataclass
class Running:
    """A vendor's process, and where it listens."""

    process: asyncio.subprocess.Process
    root: Path
    port: int = 0
    said: list[str] = field(default_factory=list)

    async def line(self) -> str:
        """The next line it says."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            line = (await self.process.stdout.readline()).decode().rstrip()
        self.said.append(line)
        return line

    async def until(self, words: str) -> None:
        """Read on to a line with these words; a process that ends first is a failure."""
        while words not in (line := await self.line()):
            assert line, self.said


@asynccontextmanager
async def vendor(tmp_path: Path, *options: str) -> AsyncIterator[Running]:
    """`python -m tests.vendor serve`, ready."""
    keys = keys_in(tmp_path / "keys")
    HOST_KEY.write_private_key(tmp_path / "host.pem")
    CLIENT_KEY.write_public_key(tmp_path / "agency.pub")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.vendor", "serve", "--root", str(tmp_path / "drop")),
        *("--host-key", str(tmp_path / "host.pem")),
        *("--authorized-key", str(tmp_path / "agency.pub")),
        *("--vendor-key", str(keys.secret), "--agency-key", str(keys.agency)),
        *("--port-file", str(tmp_path / "port"), *options),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    running = Running(process, tmp_path / "drop")
    try:
        await running.until("vendor ready")
        running.port = int((tmp_path / "port").read_text())
        yield running
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def agency(port: int) -> AsyncIterator[asyncssh.SFTPClient]:
    """The agency, signed in."""
    key = HOST_KEY.export_public_key().decode()
    pinned = asyncssh.import_known_hosts(f"[127.0.0.1]:{port} {key}")
    async with (
        asyncssh.connect(
            "127.0.0.1",
            port,
            username="agency",
            client_keys=[CLIENT_KEY],
            known_hosts=pinned,
            config=None,
            agent_path=None,
        ) as connection,
        connection.start_sftp_client() as client,
    ):
        yield client


async def put(client: asyncssh.SFTPClient, folder: Path, names: list[str]) -> None:
    """Upload, then rename, in the contract's order."""
    for name in names:
        await client.put(folder / name, f"to-vendor/.{name}.part")
        await client.rename(f"to-vendor/.{name}.part", f"to-vendor/{name}")


async def collect(client: asyncssh.SFTPClient) -> dict[str, bytes]:
    """Take what is there, and remove it."""
    taken: dict[str, bytes] = {}
    for name in await client.listdir("from-vendor"):
        if not name.startswith("."):
            async with client.open(f"from-vendor/{name}", "rb") as file:
                content: object = await file.read()
            assert isinstance(content, bytes)
            taken[name] = content
            await client.remove(f"from-vendor/{name}")
    return taken


BATCH_FILES = [f"{BATCH}.zip.pgp", f"{BATCH}.zip.pgp.sha256", f"{BATCH}.done"]


async def test_a_batch_goes_all_the_way_over_sftp(tmp_path: Path) -> None:
    """Put there file by file, answered to the end, told line by line; then an order; then a
    signal, and it closes without a complaint."""
    outgoing = tmp_path / "outgoing"
    SMALL.deliver(outgoing)
    async with vendor(tmp_path, "--returned", "2", "--spoiled", "1", "--destroys") as running:
        async with agency(running.port) as client:
            await put(client, outgoing, BATCH_FILES)
            await running.until("data destroyed")
            answers = await collect(client)
            name = order(outgoing, SMALL, "reprint", [1])
            await put(client, outgoing, [name])
            await running.until("order answered")
            later = await collect(client)
        running.process.send_signal(signal.SIGTERM)
        await running.until("vendor closed")
        assert await running.process.wait() == 0
    assert f"{BATCH}: ack received, 6 pieces" in running.said
    assert sorted(answers) == [
        f"{BATCH}.ack.json.pgp",
        f"{BATCH}.final.json.pgp",
        *(f"{BATCH}.status.{number:03}.csv.pgp" for number in (1, 2, 3, 4)),
    ]
    first, second = (
        json.loads(opened(files[f"{BATCH}.final.json.pgp"])) for files in (answers, later)
    )
    assert (first["mailed"], first["destroyed_at"]) == (6, None)
    assert (second["mailed"], second["destroyed_at"]) == (6, second["at"])
    told = from_csv(opened(later[f"{BATCH}.status.005.csv.pgp"]))
    assert [row.status for row in told] == ["reprinted", "mailed"]


async def test_mischief_from_the_command_line(tmp_path: Path) -> None:
    """As it was asked for; what is the clock's comes from the clock."""
    outgoing, clock = tmp_path / "outgoing", tmp_path / "clock"
    clock.write_text("2026-11-24T01:30:00+00:00\n")
    SMALL.deliver(outgoing)
    options = ["--mischief", "ack:silent", "--mischief", "status.002:truncated"]
    async with vendor(tmp_path, *options, "--clock-file", str(clock), "--once") as running:
        async with agency(running.port) as client:
            await put(client, outgoing, BATCH_FILES)
            await running.until("final")
            answers = await collect(client)
        await running.until("vendor closed")
        assert await running.process.wait() == 0
    assert f"{BATCH}.ack.json.pgp" not in answers
    rows = from_csv(opened(answers[f"{BATCH}.status.001.csv.pgp"]))
    assert rows[0].at.startswith("2026-11-24T01:30:00")
    whole = len(answers[f"{BATCH}.status.003.csv.pgp"])
    assert len(answers[f"{BATCH}.status.002.csv.pgp"]) < whole


async def test_what_lay_there_before_is_worked_too(tmp_path: Path) -> None:
    """A vendor that was closed when the batch came; and a file twice is put when the first went."""
    manners = Manners(pranks=frozenset({Prank.read("ack:again")}))
    working = Vendor(tmp_path / "drop", keys_in(tmp_path / "keys"), manners=manners)
    SMALL.deliver(working.drop.to_vendor)
    public = CLIENT_KEY.export_public_key().decode()
    server = SftpServer(tmp_path / "drop", host_key=HOST_KEY, authorized_key=public)
    acks = 0
    async with at_work(working, server, once=True) as task:
        async with agency(server.port) as client:
            while not task.done():
                acks += f"{BATCH}.ack.json.pgp" in await collect(client)
        await task
    assert acks == 2
