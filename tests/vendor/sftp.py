"""A vendor's SFTP server: one account, key sign-in, SFTP version 3, and trouble on command.

async with SftpServer(root, host_key=key, authorized_key=public) as server:
    server.port
    server.cut_at_byte = 70_000                    # the connection breaks within that write
    server.cut_when = lambda act: act == Act("rename", "to-vendor/x.done", Moment.BEFORE)
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncssh


class Moment(StrEnum):
    """When a cut comes: before the act is done, or after it is done and before it is answered."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Act:
    """What a client does: open, read, write, rename or remove, and to which path of the drop."""

    verb: str
    path: str
    moment: Moment


def never(_act: Act) -> bool:
    """No trouble."""
    return False


def nothing(_name: str) -> None:
    """Nobody wants to know."""


class SftpServer:
    """Serves `root` on a loopback port. It may be stopped and started again on the same port."""

    def __init__(
        self,
        root: Path,
        *,
        host_key: asyncssh.SSHKey,
        authorized_key: str,
        port: int = 0,
        arrived: Callable[[str], None] = nothing,
        collected: Callable[[str], None] = nothing,
    ) -> None:
        self.root = root
        self.host_key = host_key
        self.authorized_key = authorized_key
        self.host = "127.0.0.1"
        self.port = port
        self.arrived = arrived
        """Told the name of each file that was renamed into `to-vendor/`."""
        self.collected = collected
        """Told the name of each file that was removed from `from-vendor/`."""
        self.cut_at_byte: int | None = None
        """Breaks the connection once, when so many bytes were written since it was set up."""
        self.cut_when: Callable[[Act], bool] = never
        self.full = False
        """No space is left: nothing more can be written."""
        self.acts: list[Act] = []
        """What was done so far."""
        self.written = 0
        self._listening: asyncssh.SSHAcceptor | None = None
        self._connections: set[asyncssh.SSHServerConnection] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen."""
        for folder in ("to-vendor", "from-vendor"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        self._listening = await asyncssh.listen(
            self.host,
            self.port,
            server_factory=lambda: _Sign(self._connections),
            server_host_keys=[self.host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(self.authorized_key),
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            sftp_factory=lambda channel: _Session(channel, self),
            sftp_version=3,
            allow_scp=False,
            agent_forwarding=False,
            config=None,
        )
        self.port = self._listening.get_port()

    async def stop(self) -> None:
        """Break every connection and stop listening."""
        for connection in list(self._connections):
            connection.abort()
        if self._listening is not None:
            self._listening.close()
            await self._listening.wait_closed()
            self._listening = None

    @property
    def known_hosts_line(self) -> str:
        """The host key, as a client pins it in known_hosts."""
        public = self.host_key.export_public_key().decode().strip()
        return f"[{self.host}]:{self.port} {public}"


class _Sign(asyncssh.SSHServer):
    """Who is connected."""

    def __init__(self, connections: set[asyncssh.SSHServerConnection]) -> None:
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Remember it, so that it can be broken."""
        self._own = conn
        self._connections.add(conn)

    def connection_lost(self, _exc: Exception | None) -> None:
        """It is gone."""
        self._connections.discard(self._own)


class _Session(asyncssh.SFTPServer):
    """One client's session, confined to the drop."""

    def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]", server: SftpServer) -> None:
        super().__init__(channel, chroot=os.fsencode(server.root))
        self._server = server

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        """Files are written in `to-vendor/` and read in either folder."""
        if pflags & asyncssh.FXF_WRITE and not self._within(path, "to-vendor"):
            raise asyncssh.SFTPPermissionDenied("nothing is written there")
        self._act("open", self._place(path), Moment.BEFORE)
        return super().open(path, pflags, attrs)

    def read(self, file_obj: object, offset: int, size: int) -> bytes | Awaitable[bytes]:
        """As it is, unless the connection is to break."""
        self._act("read", self._opened(file_obj), Moment.BEFORE)
        return super().read(file_obj, offset, size)

    def write(self, file_obj: object, offset: int, data: bytes) -> int | Awaitable[int]:
        """As it is, or as far as the connection lasts."""
        server, path = self._server, self._opened(file_obj)
        if server.full:
            raise asyncssh.SFTPFailure("no space left on device")
        self._act("write", path, Moment.BEFORE)
        last = server.cut_at_byte
        if last is not None and server.written + len(data) >= last:
            super().write(file_obj, offset, data[: last - server.written])
            server.written, server.cut_at_byte = last, None
            self._cut()
        done = super().write(file_obj, offset, data)
        server.written += len(data)
        self._act("write", path, Moment.AFTER)
        return done

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """The plain rename of SFTP 3, which never takes the place of a file."""
        place = self._place(newpath)
        self._act("rename", place, Moment.BEFORE)
        super().rename(oldpath, newpath)
        if self._within(newpath, "to-vendor"):
            self._server.arrived(place.rpartition("/")[2])
        self._act("rename", place, Moment.AFTER)

    def posix_rename(self, _oldpath: bytes, _newpath: bytes) -> None:
        """Not offered: it would write over a file that stands there."""
        raise asyncssh.SFTPOpUnsupported("plain rename only")

    def remove(self, path: bytes) -> None:
        """A file that was collected."""
        place = self._place(path)
        self._act("remove", place, Moment.BEFORE)
        super().remove(path)
        if self._within(path, "from-vendor"):
            self._server.collected(place.rpartition("/")[2])
        self._act("remove", place, Moment.AFTER)

    def symlink(self, _oldpath: bytes, _newpath: bytes) -> None:
        """Not offered: a link might lead out of the drop."""
        raise asyncssh.SFTPOpUnsupported("no links")

    def link(self, _oldpath: bytes, _newpath: bytes) -> None:
        """Not offered, as above."""
        raise asyncssh.SFTPOpUnsupported("no links")

    def _act(self, verb: str, path: str, moment: Moment) -> None:
        act = Act(verb, path, moment)
        self._server.acts.append(act)
        if self._server.cut_when(act):
            self._cut()

    def _cut(self) -> None:
        self.channel.get_connection().abort()
        raise asyncssh.SFTPConnectionLost("the connection was cut")

    def _place(self, path: bytes) -> str:
        return os.path.relpath(
            os.fsdecode(self.map_path(path)), os.path.realpath(self._server.root)
        )

    def _opened(self, file_obj: object) -> str:
        name = os.fsdecode(getattr(file_obj, "name", b""))
        return os.path.relpath(name, os.path.realpath(self._server.root))

    def _within(self, path: bytes, folder: str) -> bool:
        return self._place(path).startswith(f"{folder}/")
