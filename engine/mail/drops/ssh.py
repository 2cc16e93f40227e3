"""Signing in to the vendor's SFTP server: its key is pinned, ours is the only way in."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import asyncssh

from engine.errors import SettingsError
from engine.mail.drops.port import DropRefusedError, DropUnavailableError

_KEEPALIVE_SECONDS: Final = 15

_BY_KEY_ALONE: Final = {
    "config": None,
    "agent_path": None,
    "preferred_auth": "publickey",
    "password_auth": False,
    "kbdint_auth": False,
    "host_based_auth": False,
    "gss_auth": False,
    "gss_kex": False,
    "x509_trusted_certs": None,
    "x509_trusted_cert_paths": None,
    "disable_trivial_auth": True,
    "compression_algs": ["none"],
}

_FOR_A_PERSON: Final = (
    asyncssh.SFTPNoSuchFile,
    asyncssh.SFTPNoSuchPath,
    asyncssh.SFTPPermissionDenied,
    asyncssh.SFTPWriteProtect,
    asyncssh.SFTPOpUnsupported,
    asyncssh.SFTPNotADirectory,
    asyncssh.SFTPFileIsADirectory,
    asyncssh.SFTPInvalidFilename,
)
"""What the server will say again. All else is tried again: in version 3 of SFTP, which most servers
speak, a full disk is a plain failure."""


@dataclass(frozen=True, slots=True)
class SftpAddress:
    """Where the drop is, and as whom we sign in."""

    host: str
    port: int
    user: str
    path: str

    @classmethod
    def parse(cls, url: str) -> "SftpAddress":
        """Read `sftp://user@host:port/path`; `/~/path` begins where the sign-in ends up."""
        parts = urlsplit(url)
        path = unquote(parts.path)
        relative = path.removeprefix("/~/") if path.startswith("/~/") else path
        return cls(parts.hostname or "", parts.port or 22, unquote(parts.username or ""), relative)

    def __str__(self) -> str:
        """Where, without who."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"sftp://{host}:{self.port}/{self.path.removeprefix('/')}".rstrip("/")


@asynccontextmanager
async def sign_in(
    address: SftpAddress, *, key: Path, host_keys: Path, patience: float
) -> AsyncIterator[asyncssh.SFTPClient]:
    """One SFTP session, for as long as the context lasts.

    `key` holds our private key without a passphrase, `host_keys` the server's in the format of
    `known_hosts`; `patience` is in seconds, for the connection and for the sign-in. No other key,
    agent, password or configuration of this machine is looked at. Raises SettingsError for a file
    that cannot be read.
    """
    asyncssh.set_log_level("WARNING")
    options = {
        "username": address.user,
        "client_keys": [_private_key(key)],
        "known_hosts": _known_hosts(host_keys),
        "connect_timeout": patience,
        "login_timeout": patience,
        "keepalive_interval": _KEEPALIVE_SECONDS,
    }
    with translated(str(address)):
        connection = await asyncssh.connect(address.host, address.port, **options, **_BY_KEY_ALONE)
    try:
        with translated(str(address)):
            async with asyncio.timeout(patience):
                client = await connection.start_sftp_client(path_errors="surrogateescape")
        yield client
    finally:
        await _close(connection)


async def _close(connection: asyncssh.SSHClientConnection) -> None:
    """Part in good order, but not at any price: a server that went silent answers nothing."""
    connection.close()
    try:
        async with asyncio.timeout(5):
            await connection.wait_closed()
    except (TimeoutError, OSError, asyncssh.Error):
        connection.abort()


def _private_key(path: Path) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_private_key(path.read_bytes())
    except (OSError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        raise SettingsError(
            "PRINT_SFTP_KEY: no SSH private key without a passphrase can be read there "
            f"({type(error).__name__})"
        ) from None


def _known_hosts(path: Path) -> asyncssh.SSHKnownHosts:
    try:
        return asyncssh.import_known_hosts(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            "PRINT_SFTP_HOST_KEYS: no list in the format of known_hosts can be read there "
            f"({type(error).__name__})"
        ) from None


@contextmanager
def translated(about: str) -> Iterator[None]:
    """Say what went wrong by what happens next. The server's own words are left out: they are
    written by a stranger, and end in our logs."""
    try:
        yield
    except asyncssh.HostKeyNotVerifiable:
        raise DropRefusedError(
            f"{about}: the server's key is not one that PRINT_SFTP_HOST_KEYS pins for it; ask the "
            "vendor by telephone whether it changed before pinning another"
        ) from None
    except asyncssh.PermissionDenied:
        raise DropRefusedError(
            f"{about}: the server does not let us in with the key of PRINT_SFTP_KEY"
        ) from None
    except (
        asyncssh.KeyExchangeFailed,
        asyncssh.ProtocolNotSupported,
        asyncssh.IllegalUserName,
        asyncssh.ChannelOpenError,
        *_FOR_A_PERSON,
    ) as error:
        raise DropRefusedError(f"{about}: refused ({type(error).__name__})") from None
    except ConnectionRefusedError:
        raise DropUnavailableError(
            f"{about}: unavailable, no server listens there (a demonstration's vendor is up only "
            "while `connect run` is)"
        ) from None
    except (OSError, asyncssh.Error) as error:
        raise DropUnavailableError(f"{about}: unavailable ({type(error).__name__})") from None
