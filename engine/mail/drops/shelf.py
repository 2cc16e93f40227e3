"""What a drop stands on: the few things that SFTP, a folder and a bucket can all do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol

Kind = Literal["file", "folder", "other"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Something in a folder, named by whoever put it there."""

    name: str
    size: int
    kind: Kind


class Shelf(Protocol):
    """Paths are relative to the drop, with `/`. Its `str` is where it is, and no secret.

    Errors are those of `engine.mail.drops.port`, and name the place and the path.
    """

    async def size(self, path: str) -> int | None:
        """A file's length in bytes, or None where there is none."""
        ...

    async def read(self, path: str, sink: Callable[[bytes], None]) -> None:
        """Hand a file's bytes to `sink`, in order, a piece at a time."""
        ...

    async def write(self, path: str, file: BinaryIO, there: int) -> None:
        """Make `path` hold what `file` holds, flushed where the other side can flush.

        The first `there` bytes of an earlier try stand already; with 0, nothing of it is kept.
        """
        ...

    async def rename(self, path: str, to: str) -> None:
        """Give a file its name; an error if the name is taken."""
        ...

    async def remove(self, path: str) -> None:
        """Remove a file; well and good if it is gone."""
        ...

    async def entries(self, folder: str) -> Sequence[Entry]:
        """What lies in a folder."""
        ...
