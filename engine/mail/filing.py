"""The outgoing folder: ciphertext, its hash, and the word that both are whole, in that order.

A file is never seen half-written: it is written under another name, flushed to the disk, and
renamed. What is there already with the same bytes is left; with other bytes it is an alarm.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ConnectError


class OutgoingConflictError(ConnectError):
    """A file of that name stands there with other bytes; nothing was overwritten."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The folder from which batches leave, and in which our copies stay."""

    folder: Path

    def draft(self, name: str) -> Path:
        """Where the ciphertext of a batch that has no `.done` yet is written, before it is kept.

        Encrypting again gives other bytes, so a try that was cut short before its hash was
        recorded is replaced; the vendor ignores a batch without its `.done`.
        """
        if self._path(name, ".done").exists():
            raise OutgoingConflictError(f"{name}.done stands in {self.folder} already")
        return _draft_of(self._path(name, ".zip.pgp"))

    def keep(self, name: str) -> None:
        """Give the written draft its name, in place of any earlier try."""
        path = self._path(name, ".zip.pgp")
        _draft_of(path).rename(path)
        _flush(self.folder)

    def hash_of(self, name: str) -> str | None:
        """The SHA-256 of the stored ciphertext as it lies on the disk, or None without one."""
        try:
            with self._path(name, ".zip.pgp").open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return None

    def announce(self, name: str, sha256: str, done: bytes) -> None:
        """Put the hash and then the `.done` beside the ciphertext."""
        self._put(self._path(name, ".zip.pgp.sha256"), f"{sha256}  {name}.zip.pgp\n".encode())
        self._put(self._path(name, ".done"), done)

    def files(self, name: str) -> list[Path]:
        """What the vendor gets of a batch, in the order in which it must arrive."""
        return [self._path(name, ending) for ending in (".zip.pgp", ".zip.pgp.sha256", ".done")]

    def order_path(self, name: str, number: int) -> Path:
        """Where the ciphertext of a batch's order stands."""
        return self._path(name, f".order.{number:03d}.json.pgp")

    def _path(self, name: str, ending: str) -> Path:
        return self.folder / f"{name}{ending}"

    def _put(self, path: Path, content: bytes) -> None:
        if not path.exists():
            write_whole(path, content)
        elif path.read_bytes() != content:
            raise OutgoingConflictError(f"{path.name} stands in {self.folder} with other bytes")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; when this returns, it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft_of(path)
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    _flush(path.parent)


def _flush(folder: Path) -> None:
    """See to it that what was renamed stays renamed when the power fails."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")
