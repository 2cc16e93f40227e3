"""The vendor's SFTP server: keys only, plain renames, its own folders, and trouble on command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

from tests.vendor.sftp import Act, Moment, SftpServer

HOST_KEY = asyncssh.generate_private_key("ssh-ed25519")
CLIENT_KEY = asyncssh.generate_private_key("ssh-ed25519")
PUBLIC = CLIENT_KEY.export_public_key().decode()
Broken = (asyncssh.Error, ConnectionError)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[SftpServer]:
    """A server over an empty drop."""
    async with SftpServer(tmp_path, host_key=HOST_KEY, authorized_key=PUBLIC) as running:
        yield running


@asynccontextmanager
async def client(
    server: SftpServer, key: asyncssh.SSHKey = CLIENT_KEY
) -> AsyncIterator[asyncssh.SFTPClient]:
    """Signed in with a key, the host's own key pinned."""
    pinned = asyncssh.import_known_hosts(server.known_hosts_line)
    async with (
        asyncssh.connect(
            server.host,
            server.port,
            username="agency",
            client_keys=[key],
            known_hosts=pinned,
            config=None,
            agent_path=None,
        ) as connection,
        connection.start_sftp_client() as opened,
    ):
        yield opened


async def put(opened: asyncssh.SFTPClient, name: str, content: bytes) -> None:
    """As the contract's section 3 has it."""
    async with opened.open(f"to-vendor/.{name}.part", "wb") as file:
        await file.write(content)
    await opened.rename(f"to-vendor/.{name}.part", f"to-vendor/{name}")


async def test_what_is_put_arrives_and_is_announced(server: SftpServer, tmp_path: Path) -> None:
    """By its name, when it is renamed and not before."""
    told: list[str] = []
    server.arrived = told.append
    async with client(server) as opened:
        assert opened.version == 3
        async with opened.open("to-vendor/.a.done.part", "wb") as file:
            await file.write(b"{}")
        assert told == []
        await opened.rename("to-vendor/.a.done.part", "to-vendor/a.done")
    assert told == ["a.done"]
    assert (tmp_path / "to-vendor" / "a.done").read_bytes() == b"{}"


async def test_a_file_that_stands_there_is_not_written_over(server: SftpServer) -> None:
    """Neither by the plain rename nor by the one that would."""
    async with client(server) as opened:
        await put(opened, "a", b"first")
        with pytest.raises(asyncssh.SFTPError):
            await put(opened, "a", b"second")
        with pytest.raises(asyncssh.SFTPError):
            await opened.posix_rename("to-vendor/.a.part", "to-vendor/a")
        assert (server.root / "to-vendor" / "a").read_bytes() == b"first"


async def test_answers_are_read_and_removed(server: SftpServer) -> None:
    """And the vendor hears of it; nothing is written among them."""
    (server.root / "from-vendor" / "b.ack.json.pgp").write_bytes(b"ack")
    gone: list[str] = []
    server.collected = gone.append
    async with client(server) as opened:
        async with opened.open("from-vendor/b.ack.json.pgp", "rb") as file:
            content: object = await file.read()
            assert content == b"ack"
        await opened.remove("from-vendor/b.ack.json.pgp")
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await opened.open("from-vendor/x", "wb")
    assert gone == ["b.ack.json.pgp"]


async def test_nobody_leaves_the_drop(server: SftpServer) -> None:
    """Paths upwards end at its root, and there are no links and no shell."""
    (server.root.parent / "secret").write_text("outside")
    async with client(server) as opened:
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await opened.stat("../secret")
        with pytest.raises(asyncssh.SFTPError):
            await opened.symlink("/etc/passwd", "to-vendor/link")
        assert set(await opened.listdir("/")) - {".", ".."} == {"to-vendor", "from-vendor"}


async def test_only_the_agency_signs_in(server: SftpServer) -> None:
    """With its own key."""
    with pytest.raises(asyncssh.PermissionDenied):
        async with client(server, asyncssh.generate_private_key("ssh-ed25519")):
            pass


@pytest.mark.parametrize("at", [1, 1000, 99_999])
async def test_a_connection_cut_within_a_file(server: SftpServer, at: int) -> None:
    """So many bytes are there, under the hidden name; the next connection is whole."""
    server.cut_at_byte = at
    with pytest.raises(Broken):
        async with client(server) as opened:
            await put(opened, "a", bytes(100_000))
    assert (server.root / "to-vendor" / ".a.part").stat().st_size == at
    async with client(server) as opened:
        await put(opened, "a", bytes(100_000))
    assert (server.root / "to-vendor" / "a").stat().st_size == 100_000


@pytest.mark.parametrize("moment", list(Moment))
async def test_a_connection_cut_at_the_rename(server: SftpServer, moment: Moment) -> None:
    """Before it, or when it is done and the client cannot know."""
    server.cut_when = lambda act: act == Act("rename", "to-vendor/a", moment)
    with pytest.raises(Broken):
        async with client(server) as opened:
            await put(opened, "a", b"content")
    assert (server.root / "to-vendor" / "a").exists() == (moment is Moment.AFTER)


async def test_a_full_disk(server: SftpServer) -> None:
    """Nothing more can be written."""
    server.full = True
    async with client(server) as opened:
        with pytest.raises(asyncssh.SFTPFailure):
            await put(opened, "a", b"content")


async def test_stopped_and_started_again(server: SftpServer) -> None:
    """On the same port, with what it held."""
    port = server.port
    async with client(server) as opened:
        await put(opened, "a", b"content")
        await server.stop()
        with pytest.raises(Broken):
            await opened.stat("to-vendor/a")
    await server.start()
    assert server.port == port
    async with client(server) as opened:
        assert await opened.exists("to-vendor/a")
