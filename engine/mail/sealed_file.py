"""A file of ciphertext, made of a plaintext that is never whole anywhere: what is written to it is
signed and encrypted as it comes, and only the ciphertext reaches the disk."""

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from engine.errors import ConnectError
from engine.mail.children import Child, start_child
from engine.mail.openpgp import (
    Certificate,
    KeyUnusableError,
    SecretKey,
    first_line,
    require_usable_keys,
)
from engine.mail.sealing_process import SealingKeys

_CHUNK: Final = 1 << 18


class FileUnwrittenError(ConnectError):
    """The folder takes no more, or nothing at all: what was begun there is removed, and nothing
    is recorded. Make room and try again."""


class SealingStoppedError(ConnectError):
    """The sealing process ended by itself; nothing was kept, and it may be tried again."""


class SealedFile:
    """A file that is being sealed; `bytes` and `sha256` are its ciphertext's, once finished."""

    def __init__(self, path: Path, child: Child) -> None:
        self.bytes = 0
        self.sha256 = ""
        self._path = path
        self._child = child
        self._unwritten: OSError | None = None
        self._writer = threading.Thread(target=self._keep, name="sealed file", daemon=True)
        self._writer.start()

    def write(self, plaintext: bytes | memoryview) -> int:
        """Seal more of the plaintext; blocks while the disk is behind.

        Raises FileUnwrittenError, KeyUnusableError or SealingStoppedError.
        """
        try:
            return self._child.standard_input.write(plaintext)
        except BrokenPipeError:
            self._settle()
            raise SealingStoppedError(f"{self._path.name}: the sealing process stopped") from None

    def finish(self) -> None:
        """Seal what is left, and see all of it on the disk. Raises as `write` does."""
        with suppress(BrokenPipeError):
            self._child.standard_input.close()
        self._settle()

    def abandon(self) -> None:
        """Stop, and leave nothing of it on the disk."""
        self._child.kill()
        self._writer.join()
        self._path.unlink(missing_ok=True)

    def _keep(self) -> None:
        """Write what the sealing process hands out, in a thread of its own."""
        digest = hashlib.sha256()
        try:
            with self._path.open("wb") as file:
                while chunk := self._child.standard_output.read(_CHUNK):
                    file.write(chunk)
                    digest.update(chunk)
                    self.bytes += len(chunk)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            self._unwritten = error
            self._child.kill()
        self.sha256 = digest.hexdigest()

    def _settle(self) -> None:
        """Wait until all is written; raise what went wrong on either side."""
        self._writer.join()
        if self._unwritten is not None:
            raise _unwritten(self._path, self._unwritten, self.bytes)
        try:
            fault = self._child.connection.recv()
        except (EOFError, ConnectionResetError):
            raise SealingStoppedError(f"{self._path.name}: the sealing process stopped") from None
        if fault:
            raise KeyUnusableError(f"cannot sign and encrypt: {first_line(fault)}")


@contextmanager
def sealed_file(
    path: Path, *, signer: SecretKey, recipient: Certificate, now: datetime
) -> Iterator[SealedFile]:
    """A file at `path`, signed and encrypted to `recipient`; in place of any that stands there.

    It is on the disk when the block ends; when the block raises, there is none. Raises
    KeyUnusableError before anything is begun, and what SealedFile raises.
    """
    require_usable_keys(signer, recipient, now)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritten(path, error, 0) from None
    child = start_child("engine.mail.sealing_process", streams=True)
    try:
        child.connection.send(SealingKeys(bytes(signer.key), bytes(recipient.cert)))
        file = SealedFile(path, child)
        try:
            yield file
            file.finish()
        except BaseException:
            file.abandon()
            raise
    finally:
        child.close()


def _unwritten(path: Path, error: OSError, written: int) -> FileUnwrittenError:
    return FileUnwrittenError(
        f"{path.name} cannot be written to {path.parent}: {error.strerror} after {written:,} bytes"
    )
