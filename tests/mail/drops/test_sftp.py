"""Handing over by SFTP, against a real server: whole, once, and only to whom we know."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import asyncssh
import pytest

from engine.errors import SettingsError
from engine.mail.drops.demonstration import DemonstrationSftp, demonstration_sftp
from engine.mail.drops.opening import open_drop
from engine.mail.drops.placing import VendorDrop
from engine.mail.drops.port import (
    Arrival,
    ArrivalTooLargeError,
    Drop,
    DropConflictError,
    DropRefusedError,
    DropUnavailableError,
    Placed,
)
from engine.mail.drops.sftp import open_sftp
from engine.mail.drops.ssh import SftpAddress
from engine.settings import Settings, load_settings
from tests.sftp_server import SftpServer, sftp_server

NAME = "ccss_test_letters_20261123_001.zip.pgp"
CONTENT = bytes(range(256)) * 4 + b"the end"
CUTS = sorted({1, 99, 101, 199, len(CONTENT) - 1, len(CONTENT), *range(0, len(CONTENT), 50)})


@pytest.fixture
def keys(tmp_path: Path) -> DemonstrationSftp:
    """Key files of a server and of ours."""
    return demonstration_sftp(tmp_path / "print")


@pytest.fixture
async def server(tmp_path: Path, keys: DemonstrationSftp) -> AsyncIterator[SftpServer]:
    """The vendor's server."""
    async with sftp_server(
        tmp_path / "vendor", server_key=keys.server_key, authorized_keys=keys.authorized_keys
    ) as running:
        yield running


def settings(server: SftpServer, keys: DemonstrationSftp) -> Settings:
    """Settings that lead to the server."""
    return load_settings(
        print_drop_url=server.url,
        print_sftp_key=keys.client_key,
        print_sftp_host_keys=keys.host_keys,
    )


@pytest.fixture
def drop(server: SftpServer, keys: DemonstrationSftp) -> AbstractAsyncContextManager[Drop]:
    """The drop, not yet connected."""
    return open_drop(settings(server, keys))


async def put_in_small_chunks(server: SftpServer, keys: DemonstrationSftp) -> Placed:
    """One try at handing over CONTENT, a hundred bytes at a time, over a connection of its own."""
    async with open_sftp(
        SftpAddress.parse(server.url), key=keys.client_key, host_keys=keys.host_keys
    ) as shelf:
        small = type(shelf)(shelf.client, shelf.address, chunk=100)
        return await VendorDrop(small).put_bytes(NAME, CONTENT)


def theirs(server: SftpServer) -> dict[str, bytes]:
    """What stands in `to-vendor/`."""
    return {path.name: path.read_bytes() for path in (server.folder / "to-vendor").iterdir()}


async def test_a_file_arrives_whole_under_its_name(
    server: SftpServer, drop: AbstractAsyncContextManager[Drop], tmp_path: Path
) -> None:
    """It is written under a hidden name and renamed; the second time it is there already."""
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    async with drop as opened:
        assert await opened.put(NAME, source) is Placed.SENT
        assert server.renamed == [(f"/to-vendor/.{NAME}.part", f"/to-vendor/{NAME}")]
        sent = server.bytes_written()
        assert await opened.put(NAME, source) is Placed.ALREADY_THERE
    assert server.bytes_written() == sent == len(CONTENT)
    assert theirs(server) == {NAME: CONTENT}


async def test_an_empty_file_is_a_file(
    server: SftpServer, drop: AbstractAsyncContextManager[Drop]
) -> None:
    """Nothing is special about no bytes."""
    async with drop as opened:
        assert await opened.put_bytes("B.done", b"") is Placed.SENT
        assert await opened.put_bytes("B.done", b"") is Placed.ALREADY_THERE
    assert theirs(server) == {"B.done": b""}


@pytest.mark.parametrize("cut", CUTS)
async def test_a_cut_at_any_byte_leaves_one_correct_file_after_the_next_try(
    server: SftpServer, keys: DemonstrationSftp, cut: int
) -> None:
    """Nothing bears the name before it is whole; the next try goes on near where it was cut."""
    server.cut_after = cut
    with pytest.raises(DropUnavailableError):
        await put_in_small_chunks(server, keys)
    assert NAME not in theirs(server)
    server.cut_after = None
    assert await put_in_small_chunks(server, keys) is Placed.SENT
    assert theirs(server) == {NAME: CONTENT}
    assert server.bytes_written() <= len(CONTENT) + 100


async def test_a_server_cut_over_and_over_is_done_in_the_end(
    server: SftpServer, keys: DemonstrationSftp
) -> None:
    """Ten cuts, each a little further on: each try goes on where the one before stopped."""
    tries = 0
    while True:
        server.cut_after = 150
        tries += 1
        try:
            await put_in_small_chunks(server, keys)
        except DropUnavailableError:
            continue
        break
    assert theirs(server) == {NAME: CONTENT}
    assert 5 < tries < 25


async def test_gone_between_part_and_rename(
    server: SftpServer, drop: AbstractAsyncContextManager[Drop], keys: DemonstrationSftp
) -> None:
    """The whole part is found, and gets its name, when we come back."""
    server.cut_before_rename = True
    async with drop as opened:
        with pytest.raises(DropUnavailableError):
            await opened.put_bytes(NAME, CONTENT)
    assert theirs(server) == {f".{NAME}.part": CONTENT}
    async with open_drop(settings(server, keys)) as opened:
        assert await opened.put_bytes(NAME, CONTENT) is Placed.SENT
    assert theirs(server) == {NAME: CONTENT}


async def test_gone_between_rename_and_its_answer(
    server: SftpServer, drop: AbstractAsyncContextManager[Drop], keys: DemonstrationSftp
) -> None:
    """A rename that we never heard of is not done twice."""
    server.cut_after_rename = True
    async with drop as opened:
        with pytest.raises(DropUnavailableError):
            await opened.put_bytes(NAME, CONTENT)
    async with open_drop(settings(server, keys)) as opened:
        assert await opened.put_bytes(NAME, CONTENT) is Placed.ALREADY_THERE
    assert theirs(server) == {NAME: CONTENT}


@pytest.mark.parametrize("other", [CONTENT[:-1] + b"!", CONTENT[:-1], CONTENT + b"!", b""])
async def test_other_bytes_under_the_name_stop_us(
    server: SftpServer, drop: AbstractAsyncContextManager[Drop], other: bytes
) -> None:
    """Theirs is left as it is, and the error says where, and which hash is ours."""
    (server.folder / "to-vendor" / NAME).write_bytes(other)
    async with drop as opened:
        with pytest.raises(DropConflictError, match=hashlib.sha256(CONTENT).hexdigest()) as caught:
            await opened.put_bytes(NAME, CONTENT)
    assert f"127.0.0.1:{server.port}: to-vendor/{NAME}" in str(caught.value)
    assert theirs(server) == {NAME: other}


@pytest.mark.parametrize("left", [b"another try's bytes", CONTENT + b"more", b"!" * len(CONTENT)])
async def test_a_part_that_is_not_ours_is_begun_anew(
    server: SftpServer, drop: AbstractAsyncContextManager[Drop], left: bytes
) -> None:
    """What an earlier try left is gone on with only if its bytes are ours."""
    (server.folder / "to-vendor" / f".{NAME}.part").write_bytes(left)
    async with drop as opened:
        assert await opened.put_bytes(NAME, CONTENT) is Placed.SENT
    assert theirs(server) == {NAME: CONTENT}
    assert server.bytes_written() == len(CONTENT)


async def test_a_hole_in_the_last_chunk_is_filled(
    server: SftpServer, keys: DemonstrationSftp
) -> None:
    """Blocks travel side by side: when we were cut off, a later one may have landed without an
    earlier one. The chunk in which the part ends is sent again, and no more than that."""
    torn = CONTENT[:230] + bytes(20) + CONTENT[250:260]
    (server.folder / "to-vendor" / f".{NAME}.part").write_bytes(torn)
    assert await put_in_small_chunks(server, keys) is Placed.SENT
    assert theirs(server) == {NAME: CONTENT}
    assert server.bytes_written() == len(CONTENT) - 200


async def test_a_prefix_that_is_not_ours_is_found_out(
    server: SftpServer, keys: DemonstrationSftp
) -> None:
    """A part whose early bytes differ is gone on with, read back, thrown away and sent anew."""
    (server.folder / "to-vendor" / f".{NAME}.part").write_bytes(b"!" + CONTENT[1:500])
    assert await put_in_small_chunks(server, keys) is Placed.SENT
    assert theirs(server) == {NAME: CONTENT}


async def test_a_byte_written_wrong_is_found_out(
    server: SftpServer, drop: AbstractAsyncContextManager[Drop]
) -> None:
    """The part is read back before it gets its name; a spoiled one is sent anew, once."""
    server.flip = 300
    async with drop as opened:
        assert await opened.put_bytes(NAME, CONTENT) is Placed.SENT
    assert theirs(server) == {NAME: CONTENT}
    assert server.bytes_written() == 2 * len(CONTENT)


async def test_a_full_disk_is_tried_again_later(
    server: SftpServer, drop: AbstractAsyncContextManager[Drop]
) -> None:
    """Nothing bears the name, and once there is room the same call goes through."""
    server.room = 10
    async with drop as opened:
        with pytest.raises(DropUnavailableError, match=f"to-vendor/.{NAME}.part"):
            await opened.put_bytes(NAME, CONTENT)
        assert NAME not in theirs(server)
        server.room = None
        assert await opened.put_bytes(NAME, CONTENT) is Placed.SENT
    assert theirs(server) == {NAME: CONTENT}


async def test_a_silent_server_is_not_waited_for_for_ever(
    server: SftpServer, keys: DemonstrationSftp
) -> None:
    """A request without an answer ends in the limit of time."""
    server.silent = True
    with pytest.raises(DropUnavailableError, match="TimeoutError"):
        async with open_sftp(
            SftpAddress.parse(server.url),
            key=keys.client_key,
            host_keys=keys.host_keys,
            patience=0.5,
        ) as shelf:
            await VendorDrop(shelf).put_bytes(NAME, CONTENT)


async def test_only_the_pinned_server_is_spoken_to(
    server: SftpServer, keys: DemonstrationSftp
) -> None:
    """A changed key, no key at all, a key pinned for another host: refused, before we sign in."""
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_public_key()
    true = keys.host_keys.read_bytes()
    for pinned in (
        b"127.0.0.1 " + stranger,
        b"",
        b"# nothing yet\n",
        true.replace(b"127.0.0.1", b"sftp.vendor.example"),
        b"@revoked " + true,
    ):
        keys.host_keys.write_bytes(pinned)
        with pytest.raises(DropRefusedError, match="PRINT_SFTP_HOST_KEYS"):
            async with open_drop(settings(server, keys)):
                pass
    assert theirs(server) == {}


async def test_only_our_key_signs_in(
    server: SftpServer, keys: DemonstrationSftp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that the server does not know is refused, and nothing else on this machine is tried:
    no agent, no key or configuration in the home folder."""
    home = keys.client_key.parent / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_bytes(keys.client_key.read_bytes())
    (home / ".ssh" / "config").write_text("ProxyCommand false\n")
    monkeypatch.setenv("HOME", str(home))
    async with open_drop(settings(server, keys)) as opened:
        assert await opened.arrived() == []
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key()
    keys.client_key.write_bytes(stranger)
    with pytest.raises(DropRefusedError, match="PRINT_SFTP_KEY") as caught:
        async with open_drop(settings(server, keys)):
            pass
    assert "PRIVATE" not in str(caught.value)


async def test_key_files_that_cannot_be_read_are_named(
    server: SftpServer, keys: DemonstrationSftp
) -> None:
    """A missing or broken file names its variable, and shows nothing of what it holds."""
    locked = asyncssh.generate_private_key("ssh-ed25519").export_private_key(
        "pkcs8-pem", passphrase="secret"
    )
    for broken in (b"-----BEGIN NONSENSE-----", b"\xff\xfe", locked):
        keys.client_key.write_bytes(broken)
        with pytest.raises(SettingsError, match="PRINT_SFTP_KEY"):
            async with open_drop(settings(server, keys)):
                pass
    keys.client_key.unlink()
    with pytest.raises(SettingsError, match="PRINT_SFTP_KEY"):
        async with open_drop(settings(server, keys)):
            pass
    demonstration_sftp(keys.client_key.parent.parent)
    for broken in (b"alone\n", b"@strange 127.0.0.1 ssh-ed25519 AAAA\n", b"\xff"):
        keys.host_keys.write_bytes(broken)
        with pytest.raises(SettingsError, match="PRINT_SFTP_HOST_KEYS"):
            async with open_drop(settings(server, keys)):
                pass


async def test_nobody_at_home_is_tried_again_later(
    server: SftpServer, keys: DemonstrationSftp
) -> None:
    """A refused connection, and one that breaks between two files, are the network's doing."""
    async with open_drop(settings(server, keys)) as opened:
        await opened.put_bytes("one", b"1")
        server.cut()
        with pytest.raises(DropUnavailableError):
            await opened.put_bytes("two", b"2")
    nobody = load_settings(
        print_drop_url="sftp://agency@127.0.0.1:1/",
        print_sftp_key=keys.client_key,
        print_sftp_host_keys=keys.host_keys,
    )
    with pytest.raises(DropUnavailableError, match=r"127\.0\.0\.1:1"):
        async with open_drop(nobody):
            pass


async def test_a_missing_folder_is_a_matter_for_a_person(
    server: SftpServer, drop: AbstractAsyncContextManager[Drop]
) -> None:
    """An account without the two folders is set up wrongly."""
    for folder in ("to-vendor", "from-vendor"):
        (server.folder / folder).rmdir()
    async with drop as opened:
        with pytest.raises(DropRefusedError, match="to-vendor"):
            await opened.put_bytes(NAME, CONTENT)
        with pytest.raises(DropRefusedError, match="from-vendor"):
            await opened.arrived()


async def test_what_arrived_is_listed_fetched_and_taken_away(
    server: SftpServer, drop: AbstractAsyncContextManager[Drop]
) -> None:
    """Whole files only, by name: no folder, no link, nothing that is still being written."""
    inbox = server.folder / "from-vendor"
    for name in ("b.ack.json.pgp", "a.status.002.csv.pgp", "a.status.001.csv.pgp"):
        (inbox / name).write_bytes(name.encode())
    (inbox / ".b.final.json.pgp.part").write_bytes(b"half")
    (inbox / "b.final.json.pgp.filepart").write_bytes(b"half")
    (inbox / "folder").mkdir()
    (inbox / "link").symlink_to("/etc/passwd")
    async with drop as opened:
        found = await opened.arrived()
        assert [arrival.name for arrival in found] == [
            "a.status.001.csv.pgp",
            "a.status.002.csv.pgp",
            "b.ack.json.pgp",
        ]
        assert found[2] == Arrival("b.ack.json.pgp", 14)
        assert await opened.fetch("b.ack.json.pgp", most=14) == b"b.ack.json.pgp"
        with pytest.raises(ArrivalTooLargeError, match="larger than 13 bytes"):
            await opened.fetch("b.ack.json.pgp", most=13)
        await opened.remove("b.ack.json.pgp")
        await opened.remove("b.ack.json.pgp")
        assert len(await opened.arrived()) == 2
        with pytest.raises(DropUnavailableError, match="gone"):
            await opened.fetch("b.ack.json.pgp", most=14)


async def test_names_that_are_meant_to_mislead_are_left_out(
    server: SftpServer, drop: AbstractAsyncContextManager[Drop], capsys: pytest.CaptureFixture[str]
) -> None:
    """Control characters, separators, bidirectional marks, bytes that are no text: left lying, and
    counted in the log without being shown."""
    for name in ("a\nb", "a\x1b[2Jb", "a\\b", "a\u202eb", "a\udcff", "x" * 201):
        (server.folder / "from-vendor" / name).write_bytes(b"")
    (server.folder / "from-vendor" / "straße 1.pgp").write_bytes(b"odd, and harmless")
    async with drop as opened:
        assert [arrival.name for arrival in await opened.arrived()] == ["straße 1.pgp"]
    said = capsys.readouterr().out
    assert "arrivals_left_out" in said
    assert "count=6" in said or '"count": 6' in said
    assert "\x1b[2J" not in said


def test_an_address_says_where_and_not_who() -> None:
    """The account and its path are read from the URL; what is shown has no account in it."""
    parsed = SftpAddress.parse("sftp://ag%40x@sftp.vendor.example/~/drop%20one")
    assert parsed == SftpAddress("sftp.vendor.example", 22, "ag@x", "drop one")
    assert str(parsed) == "sftp://sftp.vendor.example:22/drop one"
    assert str(SftpAddress.parse("sftp://u@[::1]:2222/in/")) == "sftp://[::1]:2222/in"
