"""The rules of a handover, the same on every shelf: whole, verified, once, and never over another.

The contract's section 3: a file is written as `.{name}.part`, checked, and renamed. What stands
there with the same bytes is left; with other bytes it stops us.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

import structlog

from engine.errors import ConnectError, InputError
from engine.mail.drops.port import (
    FROM_VENDOR,
    TO_VENDOR,
    Arrival,
    ArrivalTooLargeError,
    DropConflictError,
    DropUnavailableError,
    Placed,
)
from engine.mail.drops.shelf import Shelf

log: Final = structlog.get_logger()

_LONGEST_NAME: Final = 200
"""Bytes in UTF-8. A file system takes 255, and our copies add a few words of their own."""

_PIECE: Final = 1024 * 1024

_BEING_WRITTEN: Final = (".part", ".filepart")
"""The contract's ending, and the one that WinSCP uses unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What a file's bytes are known by."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class VendorDrop:
    """A drop on a shelf."""

    shelf: Shelf

    def __str__(self) -> str:
        """Where it is."""
        return str(self.shelf)

    async def put(self, name: str, source: Path) -> Placed:
        """Bring a file of ours into `to-vendor/`; see `Drop`."""
        with await asyncio.to_thread(source.open, "rb") as file:
            return await self._place(name, file)

    async def put_bytes(self, name: str, content: bytes) -> Placed:
        """Bring bytes into `to-vendor/`; see `Drop`."""
        return await self._place(name, BytesIO(content))

    async def arrived(self) -> Sequence[Arrival]:
        """The vendor's whole files, by name; see `Drop`.

        What has a name that no file of ours should bear is left out, as is what is no plain file;
        the log says how many, since even such a name may hold something personal.
        """
        found = [
            entry
            for entry in await self.shelf.entries(FROM_VENDOR)
            if entry.kind != "folder" and not is_hidden(entry.name)
        ]
        taken = [entry for entry in found if entry.kind == "file" and is_safe(entry.name)]
        if len(taken) < len(found):
            log.warning("arrivals_left_out", drop=str(self), count=len(found) - len(taken))
        return sorted((Arrival(entry.name, entry.size) for entry in taken), key=lambda a: a.name)

    async def fetch(self, name: str, *, most: int) -> bytes:
        """One of the vendor's files; see `Drop`."""
        path = f"{FROM_VENDOR}/{_checked(name)}"
        size = await self.shelf.size(path)
        if size is None:
            raise DropUnavailableError(f"{self}: {path} is gone")
        content = bytearray()

        def take(piece: bytes) -> None:
            content.extend(piece)
            if len(content) > most:
                raise ArrivalTooLargeError(f"{self}: {path} is larger than {most} bytes")

        if size > most:
            raise ArrivalTooLargeError(f"{self}: {path} is larger than {most} bytes")
        await self.shelf.read(path, take)
        return bytes(content)

    async def remove(self, name: str) -> None:
        """Take one of the vendor's files away; see `Drop`."""
        await self.shelf.remove(f"{FROM_VENDOR}/{_checked(name)}")

    async def _place(self, name: str, file: BinaryIO) -> Placed:
        final = f"{TO_VENDOR}/{_checked(name)}"
        part = f"{TO_VENDOR}/.{name}.part"
        ours = await asyncio.to_thread(_digest_of, file)
        if await self.shelf.size(final) is not None:
            return await self._compare(final, part, ours)
        await self._write(part, file, ours)
        try:
            await self.shelf.rename(part, final)
        except ConnectError:
            if await self.shelf.size(final) is None:
                raise
            return await self._compare(final, part, ours)
        return Placed.SENT

    async def _compare(self, final: str, part: str, ours: Digest) -> Placed:
        if await self.shelf.size(final) != ours.size or await self._digest(final) != ours:
            raise DropConflictError(
                f"{self}: {final} stands there with other bytes than ours (SHA-256 {ours.sha256})"
            )
        await self.shelf.remove(part)
        return Placed.ALREADY_THERE

    async def _write(self, part: str, file: BinaryIO, ours: Digest) -> None:
        """Write the part, going on from what an earlier try left if those bytes are ours."""
        there = await self.shelf.size(part) or 0
        starts = [there, 0] if 0 < there <= ours.size else [0, 0]
        for start in starts:
            await self.shelf.write(part, file, start)
            if await self.shelf.size(part) == ours.size and await self._digest(part) == ours:
                return
            log.warning("part_differs", drop=str(self), part=part)
            await self.shelf.remove(part)
        raise DropUnavailableError(f"{self}: {part} is read back with other bytes than were sent")

    async def _digest(self, path: str) -> Digest:
        hasher = hashlib.sha256()
        size = 0

        def take(piece: bytes) -> None:
            nonlocal size
            size += len(piece)
            hasher.update(piece)

        await self.shelf.read(path, take)
        return Digest(size, hasher.hexdigest())


def is_hidden(name: str) -> bool:
    """Whether a reader passes over a name: hidden, or still being written."""
    return name.startswith(".") or name.endswith(_BEING_WRITTEN)


def is_safe(name: str) -> bool:
    """Whether a name may become that of a file of ours, and stand on a screen: printable (which
    excludes control and bidirectional characters), not too long, without a path separator."""
    return (
        name.isprintable()
        and not set(name) & {"/", "\\"}
        and 0 < len(name.encode(errors="replace")) <= _LONGEST_NAME
    )


def _checked(name: str) -> str:
    if not is_safe(name) or is_hidden(name):
        raise InputError(f"not the name of a file in a drop: {name[:80]!r}")
    return name


def _digest_of(file: BinaryIO) -> Digest:
    hasher = hashlib.sha256()
    file.seek(0)
    while piece := file.read(_PIECE):
        hasher.update(piece)
    return Digest(file.tell(), hasher.hexdigest())
