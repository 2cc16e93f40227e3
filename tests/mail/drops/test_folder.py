"""Handing over in a folder or a bucket: the same rules by other means."""

from io import BytesIO
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from engine.errors import InputError
from engine.mail.drops.folder import ObjectShelf, open_folder
from engine.mail.drops.opening import open_drop
from engine.mail.drops.placing import VendorDrop
from engine.mail.drops.port import (
    ArrivalTooLargeError,
    Drop,
    DropConflictError,
    DropRefusedError,
    DropUnavailableError,
    Placed,
)
from engine.settings import Settings, load_settings

NAME = "ccss_test_letters_20261123_001.zip.pgp"
LARGE = b"ciphertext " * 1_200_000
"""More than two of the parts in which large files travel."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that a person has set up."""
    for part in ("to-vendor", "from-vendor"):
        (tmp_path / "a drop" / part).mkdir(parents=True)
    return tmp_path / "a drop"


def settings(folder: Path) -> Settings:
    """Settings that lead there."""
    return load_settings(print_drop_url=folder.as_uri())


def theirs(folder: Path) -> dict[str, bytes]:
    """What stands in `to-vendor/`."""
    return {path.name: path.read_bytes() for path in (folder / "to-vendor").iterdir()}


@pytest.fixture(params=["folder", "bucket"])
def drop(request: pytest.FixtureRequest, folder: Path) -> Drop:
    """A folder, and a store that knows no folders, as S3 does not."""
    if request.param == "bucket":
        return VendorDrop(ObjectShelf(MemoryStore(), "memory://bucket"))
    return VendorDrop(open_folder(folder.as_uri()))


async def test_a_file_arrives_whole_and_once(drop: Drop, tmp_path: Path) -> None:
    """Small or large, it is sent, and then there; other bytes under its name stop us."""
    source = tmp_path / "source"
    for number, content in enumerate((b"", b"small", LARGE)):
        source.write_bytes(content)
        name = f"{NAME}.{number}"
        assert await drop.put(name, source) is Placed.SENT
        assert await drop.put(name, source) is Placed.ALREADY_THERE
        with pytest.raises(DropConflictError, match=name):
            await drop.put_bytes(name, content + b"!")
        assert await drop.put(name, source) is Placed.ALREADY_THERE


async def test_a_name_taken_at_the_last_moment_is_not_overwritten(folder: Path) -> None:
    """Between our look and our rename somebody else may have been faster."""
    for shelf in (open_folder(folder.as_uri()), ObjectShelf(MemoryStore(), "memory://bucket")):
        await shelf.write("to-vendor/.x.part", BytesIO(b"ours"), 0)
        await shelf.write("to-vendor/x", BytesIO(b"theirs"), 0)
        with pytest.raises(DropRefusedError, match="AlreadyExistsError"):
            await shelf.rename("to-vendor/.x.part", "to-vendor/x")
        found: list[bytes] = []
        await shelf.read("to-vendor/x", found.append)
        assert b"".join(found) == b"theirs"


async def test_what_an_earlier_try_left_is_not_trusted(folder: Path) -> None:
    """A part cut short, a part of other bytes, and a whole part: each ends as one correct file."""
    content = LARGE
    for number, left in enumerate((content[:1000], b"!" * len(content), content)):
        name = f"{NAME}.{number}"
        part = folder / "to-vendor" / f".{name}.part"
        part.write_bytes(left)
        part.with_name(f"{part.name}#1").write_bytes(b"staged when we were cut off")
        async with open_drop(settings(folder)) as opened:
            assert await opened.put_bytes(name, content) is Placed.SENT
        assert (folder / "to-vendor" / name).read_bytes() == content
    assert not [name for name in theirs(folder) if name.startswith(".")]


async def test_what_arrived_is_listed_fetched_and_taken_away(folder: Path) -> None:
    """Whole files by name: no folder, link or pipe, nothing hidden, and no name that would lead
    elsewhere; one bad name does not hide the others."""
    inbox = folder / "from-vendor"
    for name in ("b.ack.json.pgp", "a.ack.json.pgp", ".c.part", "x\ny", "x\udcff", "x\\y"):
        (inbox / name).write_bytes(b"12345")
    (inbox / "folder").mkdir()
    (inbox / "link").symlink_to("/etc/passwd")
    async with open_drop(settings(folder)) as opened:
        names = [arrival.name for arrival in await opened.arrived()]
        assert names == ["a.ack.json.pgp", "b.ack.json.pgp"]
        assert await opened.fetch("b.ack.json.pgp", most=5) == b"12345"
        with pytest.raises(ArrivalTooLargeError):
            await opened.fetch("b.ack.json.pgp", most=4)
        await opened.remove("b.ack.json.pgp")
        await opened.remove("b.ack.json.pgp")
        with pytest.raises(DropUnavailableError, match="gone"):
            await opened.fetch("b.ack.json.pgp", most=5)
        assert len(await opened.arrived()) == 1


async def test_a_bucket_lists_what_lies_in_it() -> None:
    """In a store without folders the vendor's files are those right under `from-vendor/`."""
    store = MemoryStore()
    for path in ("from-vendor/b", "from-vendor/a", "from-vendor/old/c", "from-vendor/.d.part"):
        store.put(path, b"123")
    drop = VendorDrop(ObjectShelf(store, "memory://bucket"))
    assert [(arrival.name, arrival.size) for arrival in await drop.arrived()] == [
        ("a", 3),
        ("b", 3),
    ]
    assert await drop.fetch("a", most=3) == b"123"
    await drop.remove("a")
    assert [arrival.name for arrival in await drop.arrived()] == ["b"]


async def test_a_drive_that_came_off_is_not_written_into(folder: Path) -> None:
    """Where the two folders are missing nothing is made in their place."""
    (folder / "to-vendor").rmdir()
    with pytest.raises(DropRefusedError, match="to-vendor/"):
        async with open_drop(settings(folder)):
            pass
    assert not (folder / "to-vendor").exists()


async def test_without_a_setting_the_drop_lies_with_our_data(tmp_path: Path) -> None:
    """A machine for trying out makes its own two folders."""
    async with open_drop(load_settings(data_dir=tmp_path / "data")) as opened:
        assert str(opened) == (tmp_path / "data" / "drop").as_uri()
        await opened.put_bytes("B.done", b"{}")
    assert theirs(tmp_path / "data" / "drop") == {"B.done": b"{}"}


async def test_names_that_lead_elsewhere_are_not_ours(drop: Drop) -> None:
    """A name is checked before it becomes a path, whoever asks."""
    for name in ("../x", "a/b", "", ".", "..", ".x.part", "x.part", "a\0b", "a\nb", "x" * 300):
        with pytest.raises(InputError, match="not the name of a file"):
            await drop.put_bytes(name, b"")
        with pytest.raises(InputError, match="not the name of a file"):
            await drop.fetch(name, most=1)
        with pytest.raises(InputError, match="not the name of a file"):
            await drop.remove(name)
