"""The embedded servers of one data folder: join the ones that run, or start them for a while."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil
from pydantic import SecretStr

from engine.settings import Settings
from engine.stack.embedded import start_postgres, start_redis

_UNUSED_SMTP: Final = "smtp://127.0.0.1:9"
"""The discard port: a command that starts its own servers for a moment sends no mail."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the embedded servers of a data folder listen, and the process that keeps them."""

    pid: int
    database_url: str
    redis_url: str
    smtp_url: str
    mailbox_url: str = ""

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
    if psutil.pid_exists(servers.pid):
        return servers
    forget(data_dir)
    return None


def forget(data_dir: Path) -> None:
    """The servers of `data_dir` are down."""
    with suppress(FileNotFoundError):
        _path(data_dir).unlink()


def pointed_at(settings: Settings, servers: Servers) -> Settings:
    """`settings` with every URL that was unset pointing at `servers`."""
    return settings.model_copy(
        update={
            name: SecretStr(getattr(servers, name))
            for name in ("database_url", "redis_url", "smtp_url")
            if getattr(settings, name) is None
        }
    )


@contextmanager
def servers_for(settings: Settings) -> Iterator[Settings]:
    """Settings with all three URLs: as given, of running servers, or started until the end."""
    missing = [name for name in ("database_url", "redis_url") if getattr(settings, name) is None]
    if running := running_servers(settings.data_dir):
        yield pointed_at(settings, running)
        return
    with ExitStack() as stack:
        database_url, redis_url = "", ""
        if "database_url" in missing:
            postgres = start_postgres(settings.data_dir / "postgres")
            stack.callback(postgres.stop)
            database_url = postgres.url
        if "redis_url" in missing:
            redis = start_redis(settings.data_dir / "redis")
            stack.callback(redis.stop)
            redis_url = redis.connection_url
        yield pointed_at(settings, Servers(os.getpid(), database_url, redis_url, _UNUSED_SMTP))
