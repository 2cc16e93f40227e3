"""The stack of one machine: servers, portal and workers, as processes under one supervisor."""

import signal
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import httpx
import structlog

from engine.errors import ConnectError
from engine.migrations.run import upgrade
from engine.settings import Settings
from engine.stack.servers import Servers, pointed_at, running_servers
from engine.stack.supervisor import Supervisor

log: Final = structlog.get_logger()

START_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StackError(ConnectError):
    """The stack did not come up; the named log says why."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack: its settings have every URL filled in."""

    settings: Settings
    supervisor: Supervisor
    servers: Servers
    portal_url: str


def require_free(data_dir: Path) -> None:
    """Raise StackError where a stack already runs on `data_dir`."""
    if running_servers(data_dir):
        raise StackError(f"a stack already runs on {data_dir}: stop it first, or set DATA_DIR")


def _require_port(port: int, option: str) -> None:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        raise StackError(f"port {port} is taken: choose another with {option}") from None


def _exit(signum: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + signum)


@contextmanager
def running_stack(
    settings: Settings,
    portal_port: int,
    mailbox_port: int,
    workers: int,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Stack]:
    """Start servers, migrate, start the portal and `workers` workers; stop them all at the end.

    The processes have this one's environment, with `environment` over it. SIGINT, SIGTERM and
    SIGHUP (a closed terminal) raise SystemExit inside, and everything is stopped on the way out.
    """
    require_free(settings.data_dir)
    _require_port(portal_port, "--portal-port")
    _require_port(mailbox_port, "--mailbox-port")
    for signum in _SIGNALS:
        signal.signal(signum, _exit)
    supervisor = Supervisor(
        settings.data_dir / "logs",
        {**(environment or {}), "DATA_DIR": str(settings.data_dir.resolve())},
    )
    try:
        servers = _start_servers(settings, supervisor, mailbox_port)
        pointed = pointed_at(settings, servers)
        assert pointed.database_url is not None  # noqa: S101  pointed_at fills it in
        upgrade(pointed.database_url.get_secret_value())
        portal_url = f"http://127.0.0.1:{portal_port}"
        supervisor.environment = {
            **supervisor.environment,
            **_urls(pointed),
            "PUBLIC_URL": portal_url,
        }
        supervisor.start("portal", "-m", "engine.cli", "portal", "--port", str(portal_port))
        for number in range(1, workers + 1):
            supervisor.start(f"worker-{number}", "-m", "jobs")
        _wait_until_ready(supervisor, portal_url)
        yield Stack(pointed, supervisor, servers, portal_url)
    finally:
        # A second Ctrl-C must not leave half of it running.
        for signum in _SIGNALS:
            signal.signal(signum, signal.SIG_IGN)
        for name in supervisor.stop():
            log.warning("process_killed", name=name)


def _urls(settings: Settings) -> dict[str, str]:
    """The three URLs as a process of the stack is to be told them."""
    urls = {name: getattr(settings, name) for name in ("database_url", "redis_url", "smtp_url")}
    return {name.upper(): url.get_secret_value() for name, url in urls.items() if url}


def _start_servers(settings: Settings, supervisor: Supervisor, mailbox_port: int) -> Servers:
    supervisor.start(
        "servers", "-m", "engine.cli", "servers", "--mailbox-port", str(mailbox_port), vital=True
    )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        supervisor.check()
        if servers := running_servers(settings.data_dir):
            return servers
        time.sleep(_POLL_SECONDS)
    raise StackError(f"the servers did not start: see {supervisor.logs / 'servers.log'}")


def _wait_until_ready(supervisor: Supervisor, portal_url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        supervisor.check()
        if any(process.restarts > 1 for process in supervisor.processes):
            break
        try:
            if httpx.get(f"{portal_url}/health/ready", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(_POLL_SECONDS)
    raise StackError(f"the portal did not answer: see {supervisor.logs / 'portal.log'}")
