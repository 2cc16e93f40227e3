"""What a drop can do, whatever it stands on, and what can go wrong there."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from engine.errors import ConnectError

TO_VENDOR: Final = "to-vendor"
FROM_VENDOR: Final = "from-vendor"


class DropUnavailableError(ConnectError):
    """The drop cannot be reached, breaks off, or has no room just now. No file stands there under
    its name that is not whole; the same call, made later, goes on where this one stopped."""


class DropRefusedError(ConnectError):
    """The drop is not the one we know, does not let us in, or lacks a folder: trying again will not
    help until a person has put it right. Nothing was sent."""


class DropConflictError(ConnectError):
    """A file of that name stands in the drop with other bytes. Nothing was overwritten, and nothing
    more of that batch is sent until a person has looked."""


class ArrivalTooLargeError(ConnectError):
    """A file from the vendor is larger than any of the contract's; it was left where it lies."""


class Placed(StrEnum):
    """How a file came to stand in the drop."""

    SENT = "sent"
    ALREADY_THERE = "already_there"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A whole file from the vendor; its name has no separator and no control character."""

    name: str
    size: int


class Drop(Protocol):
    """The two folders that a vendor and we share. Its `str` is where it is, and no secret.

    Every method raises DropUnavailableError and DropRefusedError.
    """

    async def put(self, name: str, source: Path) -> Placed:
        """Bring `source` into `to-vendor/` under `name`: whole, verified by its hash as read back,
        and never over another file. Raises DropConflictError."""
        ...

    async def put_bytes(self, name: str, content: bytes) -> Placed:
        """Bring `content` into `to-vendor/`, likewise."""
        ...

    async def arrived(self) -> Sequence[Arrival]:
        """The whole files in `from-vendor/`, by name; not what is still being written."""
        ...

    async def fetch(self, name: str, *, most: int) -> bytes:
        """A file of `from-vendor/`. Raises ArrivalTooLargeError for more than `most` bytes."""
        ...

    async def remove(self, name: str) -> None:
        """Take a file out of `from-vendor/`, once our copy is safe; well and good if it is gone."""
        ...
