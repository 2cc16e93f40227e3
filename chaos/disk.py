"""A disk of its own for PostgreSQL, small enough to be filled: an ext4 file system in a file, where
this account may mount one. Elsewhere a limit on the size of files takes its place."""

import errno
import os
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import psutil

_SIZE: Final = 3 * 1024**3
_STEPS: Final = (256 * 1024**2, 4 * 1024**2, 4096)
_LIMIT: Final = 8 * 1024**2
"""Half a segment of PostgreSQL's log: it can be written no further."""


@dataclass(slots=True)
class Disk:
    """A folder on a file system of its own, or, where none could be `mounted`, a plain folder."""

    folder: Path
    mounted: bool

    @classmethod
    def made(cls, folder: Path) -> Self:
        """Make it and mount it; what is mounted there already is used."""
        folder.mkdir(parents=True, exist_ok=True)
        if folder.is_mount():
            return cls(folder, mounted=True)
        if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
            return cls(folder, mounted=False)
        image = folder.with_suffix(".img")
        image.unlink(missing_ok=True)
        with image.open("wb") as file:
            file.truncate(_SIZE)
        try:
            _run("mkfs.ext4", "-q", "-m", "0", str(image))
            _run("mount", "-o", "loop", str(image), str(folder))
        except subprocess.CalledProcessError:
            image.unlink()
            return cls(folder, mounted=False)
        folder.chmod(0o755)
        return cls(folder, mounted=True)

    @property
    def how(self) -> str:
        """What is done in place of a disk that is full."""
        if self.mounted:
            return "an ext4 file system of its own was filled to the last block"
        return f"no file may grow beyond {_LIMIT // 1024**2} MB (RLIMIT_FSIZE): nothing was mounted"

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self, server: psutil.Process) -> None:
        """Leave no room for the processes of `server`."""
        if not self.mounted:
            _limit(server, _LIMIT)
            return
        with self._ballast.open("wb") as file:
            for step in _STEPS:
                _grow(file.fileno(), step)

    def free(self, server: psutil.Process | None) -> None:
        """Give the room back."""
        if self.mounted:
            self._ballast.unlink(missing_ok=True)
        elif server is not None:
            _limit(server, resource.RLIM_INFINITY)

    def unmount(self) -> None:
        """Let go of it, with all that it holds."""
        if self.mounted:
            _run("umount", str(self.folder))
            self.folder.with_suffix(".img").unlink(missing_ok=True)


def _grow(descriptor: int, step: int) -> None:
    while True:
        try:
            os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, step)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            return


def _limit(server: psutil.Process, most: int) -> None:
    hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)[1]
    for process in (server, *server.children(recursive=True)):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, hard))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603  written out above
