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

    def store(self, name: str, ciphertext: bytes) -> None:
        """Keep the ciphertext of a batch that has no `.done` yet, in place of any earlier try.

        Encrypting again gives other bytes, so a try that was cut short before its hash was
        recorded is replaced; the vendor ignores a batch without its `.done`.
        """
        if self._path(name, ".done").exists():
            raise OutgoingConflictError(f"{name}.done stands in {self.folder} already")
        self._write(self._path(name, ".zip.pgp"), ciphertext)

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

    def _path(self, name: str, ending: str) -> Path:
        return self.folder / f"{name}{ending}"

    def _put(self, path: Path, content: bytes) -> None:
        if not path.exists():
            self._write(path, content)
        elif path.read_bytes() != content:
            raise OutgoingConflictError(f"{path.name} stands in {self.folder} with other bytes")

    def _write(self, path: Path, content: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.part")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
