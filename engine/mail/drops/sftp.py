"""A shelf over SFTP: blocks side by side, and a time limit on each request."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

import asyncssh
from asyncssh import FXF_CREAT, FXF_READ, FXF_TRUNC, FXF_WRITE

from engine.mail.drops.shelf import Entry, Kind
from engine.mail.drops.ssh import SftpAddress, sign_in, translated

CHUNK: Final = 2 * 1024 * 1024
"""Bytes under way at a time, as blocks side by side: few enough to hold in memory and to time,
enough that a distant server is not waited for block by block."""

PATIENCE: Final = 60.0
"""Seconds for a connection, for a sign-in, and for each chunk."""

_BLOCK: Final = 32 * 1024
"""What every server takes in one request (draft-ietf-secsh-filexfer-02, section 3)."""

_LARGE_BLOCK: Final = 255 * 1024
"""What OpenSSH takes: several times as fast, where the server says that it takes as much."""

_GONE: Final = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class SftpShelf:
    """One SFTP session."""

    client: asyncssh.SFTPClient
    address: SftpAddress
    chunk: int = CHUNK
    patience: float = PATIENCE

    def __str__(self) -> str:
        """Where it is."""
        return str(self.address)

    async def size(self, path: str) -> int | None:
        """See `Shelf`."""
        async with self._asking(path):
            try:
                return (await self.client.stat(self._full(path))).size
            except _GONE:
                return None

    async def read(self, path: str, sink: Callable[[bytes], None]) -> None:
        """See `Shelf`."""
        async with self._open(path, FXF_READ) as file:
            offset = 0
            while True:
                async with self._asking(path):
                    piece = await self._read_chunk(file, offset)
                if not piece:
                    return
                sink(piece)
                offset += len(piece)

    async def write(self, path: str, file: BinaryIO, there: int) -> None:
        """See `Shelf`. The last chunk that stands there is sent again: its blocks travelled side by
        side, and one of them may be missing before the end."""
        offset = max(0, there - 1) // self.chunk * self.chunk
        flags = FXF_WRITE | FXF_CREAT | (FXF_TRUNC if offset == 0 else 0)
        async with self._open(path, flags) as remote:
            file.seek(offset)
            while piece := await asyncio.to_thread(file.read, self.chunk):
                async with self._asking(path):
                    await self._write_chunk(remote, offset, piece)
                offset += len(piece)
            async with self._asking(path):
                try:
                    await remote.fsync()
                except asyncssh.SFTPOpUnsupported:
                    return

    async def rename(self, path: str, to: str) -> None:
        """See `Shelf`. The rename of the SFTP standard refuses a name that is taken; the one that
        OpenSSH adds to it, which replaces, is never used."""
        async with self._asking(to):
            await self.client.rename(self._full(path), self._full(to))

    async def remove(self, path: str) -> None:
        """See `Shelf`."""
        async with self._asking(path):
            try:
                await self.client.remove(self._full(path))
            except _GONE:
                return

    async def entries(self, folder: str) -> Sequence[Entry]:
        """See `Shelf`."""
        async with self._asking(folder):
            names = await self.client.readdir(self._full(folder))
        return [_entry(name) for name in names]

    @asynccontextmanager
    async def _open(self, path: str, flags: int) -> AsyncIterator[asyncssh.SFTPClientFile]:
        async with self._asking(path):
            file = await self.client.open(self._full(path), flags, encoding=None, block_size=0)
        try:
            yield file
        finally:
            async with self._asking(path):
                await file.close()

    @asynccontextmanager
    async def _asking(self, path: str) -> AsyncIterator[None]:
        """Limit the time of one request, and say in our words what went wrong."""
        with translated(f"{self}: {path}"):
            async with asyncio.timeout(self.patience):
                yield

    def _full(self, path: str) -> str:
        return f"{self.address.path.rstrip('/')}/{path}" if self.address.path else path

    async def _read_chunk(self, file: asyncssh.SFTPClientFile, offset: int) -> bytes:
        size = min(self.chunk, _block(self.client.limits.max_read_len))
        blocks = range(offset, offset + self.chunk, size)
        return b"".join(await _side_by_side([_read_block(file, at, size) for at in blocks]))

    async def _write_chunk(self, file: asyncssh.SFTPClientFile, offset: int, piece: bytes) -> None:
        size = _block(self.client.limits.max_write_len)
        blocks = range(0, len(piece), size)
        await _side_by_side([file.write(piece[at : at + size], offset + at) for at in blocks])


@asynccontextmanager
async def open_sftp(
    address: SftpAddress, *, key: Path, host_keys: Path, patience: float = PATIENCE
) -> AsyncIterator[SftpShelf]:
    """Sign in, for as long as the context lasts; see `sign_in`."""
    async with sign_in(address, key=key, host_keys=host_keys, patience=patience) as client:
        yield SftpShelf(client, address, patience=patience)


def _block(limit: int) -> int:
    return min(max(limit, _BLOCK), _LARGE_BLOCK)


async def _read_block(file: asyncssh.SFTPClientFile, offset: int, size: int) -> bytes:
    """As many of the bytes as there are; a server may answer with fewer than it was asked for."""
    block = b""
    while len(block) < size:
        piece: bytes = await file.read(size - len(block), offset + len(block))
        if not piece:
            break
        block += piece
    return block


async def _side_by_side(requests: Sequence[Coroutine[Any, Any, _Answer]]) -> list[_Answer]:
    """All answers, in order. When one fails or time is up, none is left waiting."""
    tasks = [asyncio.ensure_future(request) for request in requests]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


_KINDS: Final[Mapping[int, Kind]] = {
    asyncssh.FILEXFER_TYPE_REGULAR: "file",
    # A server that does not say what it lists, lists files.
    asyncssh.FILEXFER_TYPE_UNKNOWN: "file",
    asyncssh.FILEXFER_TYPE_DIRECTORY: "folder",
}


def _entry(name: asyncssh.SFTPName) -> Entry:
    kind = _KINDS.get(name.attrs.type, "other")
    return Entry(str(name.filename), name.attrs.size or 0, kind)
