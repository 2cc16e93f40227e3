"""An archive written in one go is an archive like any other."""

import io
import subprocess
import zipfile
from pathlib import Path

import pytest

from engine.mail.zip_stream import ZipStream

ENTRIES = {"one": b"1" * 100_000, "two": b"", "three": bytes(range(256)) * 500, "four": b"4"}


class Parts(list[bytes]):
    """Takes bytes as a pipe does: they cannot be taken back."""

    def write(self, content: bytes) -> None:
        """Take them."""
        self.append(content)


def written() -> Parts:
    """The entries, "three" and "two" listed first."""
    sink = Parts()
    archive = ZipStream(sink)
    for name, content in ENTRIES.items():
        archive.write(name, content)
    archive.close(first=("three", "two"))
    return sink


def test_each_entry_leaves_when_it_is_written() -> None:
    """Nothing is held back but the list at the end."""
    pieces = written()
    assert len(pieces) == len(ENTRIES) + 1
    assert all(piece.startswith(b"PK\3\4") for piece in pieces[:-1])
    assert pieces[-1].startswith(b"PK\1\2")


def test_its_entries_are_listed_in_the_order_asked_for() -> None:
    """And hold what they held, with size and checksum before them and not behind (flag bit 3)."""
    with zipfile.ZipFile(io.BytesIO(b"".join(written()))) as archive:
        assert archive.namelist() == ["three", "two", "one", "four"]
        assert {name: archive.read(name) for name in ENTRIES} == ENTRIES
        assert not [entry.filename for entry in archive.infolist() if entry.flag_bits & 1 << 3]
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_it_is_always_the_same() -> None:
    """No time and no chance is in it."""
    assert written() == written()


@pytest.mark.needs("unzip")
def test_unzip_finds_no_fault(tmp_path: Path) -> None:
    """Info-ZIP tests every entry."""
    (tmp_path / "archive.zip").write_bytes(b"".join(written()))
    subprocess.run(["unzip", "-tqq", tmp_path / "archive.zip"], check=True)
