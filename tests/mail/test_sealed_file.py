"""A file sealed as it is written: whole and named by its hash, or not there."""

import hashlib
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pysequoia
import pytest

from engine.mail.openpgp import Certificate, KeyUnusableError, SecretKey, open_sealed
from engine.mail.sealed_file import FileUnwrittenError, SealingStoppedError, sealed_file
from tests.mail.sample_batches import keys

SIGNER = SecretKey.read(keys().signer.secret, name="signer")
VENDOR = SecretKey.read(keys().vendor.secret, name="vendor")
LARGE = b"a letter " * 500_000


def now() -> datetime:
    """The machine's time: signatures carry it, so keys are judged by it."""
    return datetime.now(UTC)


def sealing_processes() -> list[psutil.Process]:
    """Those of this test run that still live."""
    children = psutil.Process().children()
    return [child for child in children if "sealing_process" in " ".join(child.cmdline())]


def write(path: Path, *pieces: bytes, recipient: Certificate = VENDOR.certificate) -> None:
    """Seal `pieces` one after the other."""
    with sealed_file(path, signer=SIGNER, recipient=recipient, now=now()) as file:
        for piece in pieces:
            file.write(piece)


@pytest.mark.parametrize("pieces", [(), (b"one",), (b"one", LARGE, b"three")])
def test_what_was_written_opens_again(tmp_path: Path, pieces: tuple[bytes, ...]) -> None:
    """Signed by us and encrypted to the vendor, however it came; its size and hash are known."""
    path = tmp_path / "outgoing" / "batch"
    with sealed_file(path, signer=SIGNER, recipient=VENDOR.certificate, now=now()) as file:
        for piece in pieces:
            file.write(piece)
    ciphertext = path.read_bytes()
    assert open_sealed(ciphertext, key=VENDOR, signers=[SIGNER.certificate]) == b"".join(pieces)
    assert (file.bytes, file.sha256) == (len(ciphertext), hashlib.sha256(ciphertext).hexdigest())
    assert b"a letter" not in ciphertext
    assert sealing_processes() == []


@pytest.fixture
def gpg_home() -> Iterator[Path]:
    """A keyring of the test's own; its path is short, because sockets live there."""
    with TemporaryDirectory() as home:
        yield Path(home)
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)


@pytest.mark.needs("gpg")
def test_gnupg_opens_it(tmp_path: Path, gpg_home: Path) -> None:
    """GnuPG reads the message of unknown length that a stream becomes."""
    write(tmp_path / "batch", LARGE, LARGE)
    (tmp_path / "key").write_text(keys().vendor.secret)
    (tmp_path / "signer").write_text(keys().signer.certificate)
    gpg = ["gpg", "--homedir", str(gpg_home), "--batch"]
    for name in ("key", "signer"):
        subprocess.run([*gpg, "--import", tmp_path / name], check=True, capture_output=True)
    opened = subprocess.run([*gpg, "-d", tmp_path / "batch"], check=True, capture_output=True)
    assert opened.stdout == LARGE * 2
    assert b"Good signature from" in opened.stderr


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """The folder and what was written are named, and what was begun is gone."""
    path = tmp_path / "batch"
    path.symlink_to("/dev/full")
    with pytest.raises(FileUnwrittenError, match=f"{tmp_path}: No space left on device after 0 b"):
        write(path, *[LARGE] * 20)
    assert list(tmp_path.iterdir()) == []
    assert sealing_processes() == []


def test_a_full_disk_is_told_at_the_end_too(tmp_path: Path) -> None:
    """What is so small that it is written last of all is not lost either."""
    path = tmp_path / "batch"
    path.symlink_to("/dev/full")
    with pytest.raises(FileUnwrittenError):
        write(path, b"small")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file stands where the folder should."""
    (tmp_path / "outgoing").write_bytes(b"")
    with pytest.raises(FileUnwrittenError, match="outgoing: File exists"):
        write(tmp_path / "outgoing" / "batch", b"x")


def test_a_sealing_process_that_dies_leaves_nothing(tmp_path: Path) -> None:
    """What it did not finish is not taken for a message."""
    path = tmp_path / "batch"
    with (  # noqa: PT012  the process is killed between two writes
        pytest.raises(SealingStoppedError, match="batch"),
        sealed_file(path, signer=SIGNER, recipient=VENDOR.certificate, now=now()) as file,
    ):
        file.write(LARGE)
        for process in sealing_processes():
            process.kill()
        for _ in range(20):
            file.write(LARGE)
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A batch cut short is no batch, though its file would decrypt."""
    with (  # noqa: PT012  what is raised, and when, is what is tested
        pytest.raises(KeyError),
        sealed_file(
            tmp_path / "batch", signer=SIGNER, recipient=VENDOR.certificate, now=now()
        ) as file,
    ):
        file.write(LARGE)
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    assert sealing_processes() == []


def test_a_key_that_cannot_encrypt_is_named(tmp_path: Path) -> None:
    """Expired by the clock given, it is refused before anything is begun."""
    path = tmp_path / "outgoing" / "batch"
    made = pysequoia.Tsk.generate("Old <old@vendor.example>", validity_seconds=86_400)
    old = SecretKey.read(bytes(made), name="old").certificate
    with (
        pytest.raises(KeyUnusableError, match="recipient: the key"),
        sealed_file(path, signer=SIGNER, recipient=old, now=now() + timedelta(days=2)),
    ):
        pass
    assert not path.parent.exists()
