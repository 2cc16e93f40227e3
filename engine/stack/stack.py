"""The stack of one machine: servers, print vendor, portal and workers, as processes under one
supervisor."""

import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn, TypeVar

import httpx
import structlog
from pydantic import SecretStr

from engine.errors import ConnectError
from engine.migrations.grants import PORTAL, WORKER
from engine.migrations.roles import login_url
from engine.migrations.run import make_embedded_roles, upgrade
from engine.settings import Settings
from engine.stack.servers import Servers, pointed_at, running_servers
from engine.stack.supervisor import Process, Supervisor
from engine.stack.vendor import CAREFUL, start_vendor, starts_vendor, vendor_listens

log: Final = structlog.get_logger()

T = TypeVar("T")

START_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05
_TOLD: Final = (
    *("database_url", "redis_url", "smtp_url", "print_env", "print_drop_url", "print_sftp_key"),
    *("print_sftp_host_keys", "vendor_certificate", "print_signing_key"),
)
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
    *,
    environment: Mapping[str, str] | None = None,
    manners: Sequence[str] = CAREFUL,
) -> Iterator[Stack]:
    """Start servers, migrate, start the portal and `workers` workers; stop them all at the end.

    Where no drop is set, a print vendor with such `manners` is started too. The processes have
    this one's environment, with `environment` over it. SIGINT, SIGTERM and SIGHUP (a closed
    terminal) raise SystemExit inside, and everything is stopped on the way out.
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
        vendor = start_vendor(settings, supervisor, manners) if starts_vendor(settings) else None
        servers = _start_servers(settings, supervisor, mailbox_port)
        if vendor is not None:
            _wait_for_vendor(settings.data_dir, supervisor, vendor)
        pointed = pointed_at(settings, servers)
        as_worker, as_portal = _migrated(settings, pointed)
        portal_url = f"http://127.0.0.1:{portal_port}"
        supervisor.environment = {
            **supervisor.environment,
            **environment_of(pointed),
            "PUBLIC_URL": portal_url,
        }
        returns = ("bounce", "serve", "--port", str(servers.returns_port))
        supervisor.start("bounces", "-m", "engine.cli", *returns, environment=as_worker)
        serve = ("portal", "--port", str(portal_port))
        supervisor.start("portal", "-m", "engine.cli", *serve, environment=as_portal)
        for number in range(1, workers + 1):
            supervisor.start(f"worker-{number}", "-m", "jobs", environment=as_worker)
        _wait_until_ready(supervisor, portal_url)
        yield Stack(pointed, supervisor, servers, portal_url)
    finally:
        # A second Ctrl-C must not leave half of it running.
        for signum in _SIGNALS:
            signal.signal(signum, signal.SIG_IGN)
        for name in supervisor.stop():
            log.warning("process_killed", name=name)


def _migrated(settings: Settings, pointed: Settings) -> tuple[dict[str, str], dict[str, str]]:
    """Migrate; what workers and the portal are to be told of the database, beside the rest. In an
    embedded one each signs in as a member of its own role."""
    assert pointed.database_url is not None  # noqa: S101  pointed_at fills it in
    url = pointed.database_url.get_secret_value()
    if settings.database_url is not None:
        upgrade(url)
        return {}, {}
    make_embedded_roles(url)
    upgrade(url)
    return {"DATABASE_URL": login_url(url, WORKER)}, {"DATABASE_URL": login_url(url, PORTAL)}


def environment_of(settings: Settings) -> dict[str, str]:
    """The servers, the drop and its keys, as a process of the stack is to be told of them."""
    told = {name.upper(): getattr(settings, name) for name in _TOLD}
    return {name: _said(value) for name, value in told.items() if value is not None}


def _said(value: SecretStr | Path | str) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value.resolve() if isinstance(value, Path) else value)


def _start_servers(settings: Settings, supervisor: Supervisor, mailbox_port: int) -> Servers:
    supervisor.start(
        "servers", "-m", "engine.cli", "servers", "--mailbox-port", str(mailbox_port), vital=True
    )
    servers = _waited(lambda: running_servers(settings.data_dir), supervisor)
    if servers is None:
        raise StackError(f"the servers did not start: see {supervisor.logs / 'servers.log'}")
    return servers


def _wait_for_vendor(data_dir: Path, supervisor: Supervisor, process: Process) -> None:
    if not _waited(lambda: vendor_listens(process, data_dir), supervisor):
        raise StackError(f"the print vendor did not start: see {supervisor.logs / 'vendor.log'}")


def _wait_until_ready(supervisor: Supervisor, portal_url: str) -> None:
    def answers() -> bool:
        try:
            return httpx.get(f"{portal_url}/health/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    if not _waited(answers, supervisor):
        raise StackError(f"the portal did not answer: see {supervisor.logs / 'portal.log'}")


def _waited(asked: Callable[[], T | None], supervisor: Supervisor) -> T | None:
    """What `asked` says once it says anything; None when a process dies again and again, or time
    is up."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        supervisor.check()
        if any(process.restarts > 1 for process in supervisor.processes):
            break
        if answer := asked():
            return answer
        time.sleep(_POLL_SECONDS)
    return None
