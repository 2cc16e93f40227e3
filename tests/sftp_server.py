"""A real SFTP server for tests, on loopback: it keeps what it is given, and fails on command."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh


@dataclass
class SftpServer:
    """The vendor's account, and what is to go wrong with it next."""

    folder: Path
    server_key: Path
    authorized_keys: Path
    port: int = 0
    cut_after: int | None = None
    """Bytes of uploads from now on, after which the connection is cut in the middle of a write."""
    cut_before_rename: bool = False
    cut_after_rename: bool = False
    room: int | None = None
    """Bytes of uploads from now on, after which the disk is full."""
    flip: int | None = None
    """The offset of one byte that is written wrong, once."""
    silent: bool = False
    """Requests to write are heard, and not answered before the end."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    written: list[tuple[str, int, int]] = field(default_factory=list)
    """Path, offset and length of every write."""
    renamed: list[tuple[str, str]] = field(default_factory=list)
    connections: list[asyncssh.SSHServerConnection] = field(default_factory=list)

    @property
    def url(self) -> str:
        """What PRINT_DROP_URL would say."""
        return f"sftp://agency@127.0.0.1:{self.port}/"

    def cut(self) -> None:
        """Drop every connection, as a server does that loses its power."""
        for connection in self.connections:
            connection.abort()

    def bytes_written(self) -> int:
        """How much was uploaded in all."""
        return sum(length for _, _, length in self.written)


class _Account(asyncssh.SFTPServer):
    """The files of one session, below the server's folder."""

    def __init__(self, channel: asyncssh.SSHServerChannel[Any], server: SftpServer) -> None:
        super().__init__(channel, chroot=os.fsencode(server.folder))
        self._server = server
        self._cut = False

    async def write(self, file_obj: Any, offset: int, data: bytes) -> int:
        """Write as much as the server's state allows."""
        if self._server.silent:
            await self._server.ended.wait()
        if self._cut:
            raise asyncssh.SFTPConnectionLost("gone")
        allowed = data
        if self._server.cut_after is not None:
            allowed = data[: self._server.cut_after]
            self._server.cut_after -= len(allowed)
        if self._server.room is not None:
            if self._server.room < len(data):
                raise asyncssh.SFTPFailure("no space left")
            self._server.room -= len(data)
        if self._server.flip is not None and offset <= self._server.flip < offset + len(allowed):
            at, self._server.flip = self._server.flip - offset, None
            allowed = allowed[:at] + bytes([allowed[at] ^ 1]) + allowed[at + 1 :]
        written = super().write(file_obj, offset, allowed)
        file_obj.flush()
        self._server.written.append((os.fsdecode(file_obj.name), offset, len(allowed)))
        if len(allowed) < len(data) or self._server.cut_after == 0:
            self._go()
        assert isinstance(written, int)
        return written

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename, or go away before or after it."""
        if self._server.cut_before_rename:
            self._server.cut_before_rename = False
            self._go()
        super().rename(oldpath, newpath)
        self._server.renamed.append((os.fsdecode(oldpath), os.fsdecode(newpath)))
        if self._server.cut_after_rename:
            self._server.cut_after_rename = False
            self._go()

    def posix_rename(self, _oldpath: bytes, _newpath: bytes) -> None:
        """Nobody may overwrite here."""
        raise asyncssh.SFTPPermissionDenied("posix-rename is not allowed")

    def _go(self) -> None:
        self._cut = True
        self._server.cut_after = None
        self.channel.get_connection().abort()
        raise asyncssh.SFTPConnectionLost("gone")


class _Watched(asyncssh.SSHServer):
    def __init__(self, server: SftpServer) -> None:
        self._server = server

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Remember who came."""
        self._server.connections.append(conn)


@asynccontextmanager
async def sftp_server(
    folder: Path, *, server_key: Path, authorized_keys: Path
) -> AsyncIterator[SftpServer]:
    """Serve `to-vendor/` and `from-vendor/` under `folder` on a free port until the end."""
    for part in ("to-vendor", "from-vendor"):
        (folder / part).mkdir(parents=True)
    server = SftpServer(folder, server_key, authorized_keys)
    acceptor = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: _Watched(server),
        server_host_keys=[str(server_key)],
        authorized_client_keys=str(authorized_keys),
        sftp_factory=lambda channel: _Account(channel, server),
        config=None,
    )
    server.port = acceptor.get_port()
    try:
        yield server
    finally:
        server.ended.set()
        acceptor.close()
        for connection in server.connections:
            connection.close()
            await connection.wait_closed()
        await acceptor.wait_closed()
