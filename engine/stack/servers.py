"""The embedded servers of one data folder: join the ones that run, or start them for a while."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import psutil
from pydantic import SecretStr

from engine.errors import SettingsError
from engine.settings import Settings
from engine.stack.embedded import start_postgres, start_redis
from engine.stack.vendor import with_vendor

_UNUSED_SMTP: Final = "smtp://127.0.0.1:9"
"""The discard port: a command that starts its own servers for a moment sends no mail."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the embedded servers of a data folder listen, and the process that keeps them.

    `started` is when that process began, in seconds of the machine's clock: a pid is used again.
    Reports of what the mailbox could not deliver are sent to `returns_port`.
    """

    pid: int
    started: float
    redis_pid: int
    database_url: str
    redis_url: str
    smtp_url: str
    mailbox_url: str = ""
    returns_port: int = 0

    def write(self, data_dir: Path) -> None:
        """Let other commands on this data folder find these servers."""
        path = _path(data_dir)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(asdict(self)))
        draft.rename(path)


def _path(data_dir: Path) -> Path:
    return data_dir / "run" / "servers.json"


def running_servers(data_dir: Path) -> Servers | None:
    """The servers of `data_dir` if their process lives; what a dead one left is swept away."""
    try:
        servers = Servers(**json.loads(_path(data_dir).read_text()))
    except FileNotFoundError:
        return None
    if _alive(servers):
        return servers
    _end_orphan(servers)
    forget(data_dir)
    return None


def process_started() -> float:
    """When this process began, as `Servers.started` has it."""
    return float(psutil.Process().create_time())


def _alive(servers: Servers) -> bool:
    try:
        return bool(psutil.Process(servers.pid).create_time() == servers.started)
    except psutil.NoSuchProcess:
        return False


def _end_orphan(servers: Servers) -> None:
    """Stop the Redis of a keeper that was killed; its PostgreSQL is joined and used again."""
    try:
        orphan = psutil.Process(servers.redis_pid)
        if "valkey" in orphan.name() and orphan.create_time() >= servers.started:
            orphan.terminate()
    except psutil.NoSuchProcess:
        pass


def forget(data_dir: Path) -> None:
    """The servers of `data_dir` are down."""
    with suppress(FileNotFoundError):
        _path(data_dir).unlink()


def pointed_at(settings: Settings, servers: Servers) -> Settings:
    """`settings` with every URL that was unset pointing at `servers`, and the drop at the data
    folder's demonstration vendor."""
    return with_vendor(settings).model_copy(
        update={
            name: SecretStr(getattr(servers, name))
            for name in ("database_url", "redis_url", "smtp_url")
            if getattr(settings, name) is None
        }
    )


@contextmanager
def alone_on(data_dir: Path) -> Iterator[None]:
    """Hold the data folder's lock: whoever starts embedded servers there is the only one."""
    path = _path(data_dir).with_name("lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def servers_for(settings: Settings) -> Iterator[Settings]:
    """Settings with all three URLs: as given, of running servers, or started until the end.

    A command that finds another one's servers being kept for a moment waits for its turn.
    """
    if settings.database_url and settings.redis_url:
        yield pointed_at(settings, running_servers(settings.data_dir) or _nothing_embedded())
        return
    if running := running_servers(settings.data_dir):
        yield pointed_at(settings, running)
        return
    with alone_on(settings.data_dir), ExitStack() as stack:
        if running := running_servers(settings.data_dir):
            yield pointed_at(settings, running)
            return
        yield pointed_at(settings, _started_for_a_while(settings, stack))


def served(settings: Settings) -> Settings:
    """Settings with all three URLs, for a process that stays up: as given, or of running servers.

    Raises SettingsError where one is missing: such a process keeps no servers of its own.
    """
    running = running_servers(settings.data_dir)
    pointed = pointed_at(settings, running) if running else settings
    names = ("database_url", "redis_url", "smtp_url")
    if missing := [name.upper() for name in names if getattr(pointed, name) is None]:
        raise SettingsError(
            f"{', '.join(missing)}: not set, and no servers run on {settings.data_dir}; "
            "set them, or start everything with `connect run`"
        )
    return pointed


def _nothing_embedded() -> Servers:
    return Servers(
        pid=os.getpid(),
        started=process_started(),
        redis_pid=0,
        database_url="",
        redis_url="",
        smtp_url=_UNUSED_SMTP,
    )


def _started_for_a_while(settings: Settings, stack: ExitStack) -> Servers:
    servers = _nothing_embedded()
    if settings.database_url is None:
        postgres = start_postgres(settings.data_dir / "postgres")
        stack.callback(postgres.stop)
        servers = replace(servers, database_url=postgres.url)
    if settings.redis_url is None:
        redis = start_redis(settings.data_dir / "redis")
        stack.callback(redis.stop)
        servers = replace(servers, redis_url=redis.url)
    return servers
