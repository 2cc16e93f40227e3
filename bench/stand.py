"""What every bench stands on: PostgreSQL and Redis of its own, migrated, in a folder that is gone
afterwards; and worker processes over them."""

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import psutil

from engine.logs import configure_logs, log_file
from engine.migrations.run import upgrade
from engine.settings import Settings, load_settings
from engine.stack.servers import servers_for

_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 60
_STARTED: Final = b"worker_started"


@contextmanager
def stand(**given: Any) -> Iterator[Settings]:
    """Settings whose servers are up; `given` are those that differ from a machine's own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        # PostgreSQL's wheel takes its lock once more as the process ends, which makes it anew.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        configure_logs(log_file(Path(folder), "bench"))
        # A log that is about to be removed is no place for what ended a bench.
        sys.excepthook = sys.__excepthook__
        # Told to end, a bench ends its servers too.
        signal.signal(signal.SIGTERM, _end)
        urls = {"database_url": None, "redis_url": None, "smtp_url": None}
        with servers_for(load_settings(data_dir=Path(folder), **urls | given)) as settings:
            assert settings.database_url is not None  # noqa: S101  servers_for fills it in
            upgrade(settings.database_url.get_secret_value())
            yield settings


def _end(*_: object) -> None:
    sys.exit("told to end")


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The environment of a process over the servers of `settings`."""
    urls = {
        name.upper(): getattr(settings, name).get_secret_value()
        for name in ("database_url", "redis_url", "smtp_url")
    }
    return os.environ | urls | {"DATA_DIR": str(settings.data_dir)} | more


@contextmanager
def process(
    command: Sequence[str | Path], log: Path, env: dict[str, str], cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is told to stop at the end; what it says goes to `log`."""
    with log.open("wb") as output:
        running = subprocess.Popen(command, env=env, cwd=cwd, stdout=output, stderr=output)
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGTERM)
        try:
            running.wait(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


@contextmanager
def workers(
    settings: Settings, number: int, *, profile: Path | None = None, **more: str
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many `python -m jobs`, ready for work. With a `profile` each writes one there."""
    started, logs = [], []
    with ExitStack() as stack:
        for turn in range(number):
            log = settings.data_dir / f"bench-worker-{turn}.log"
            profiled = ["-m", "cProfile", "-o", f"{profile}.{turn}"] if profile else []
            command = [sys.executable, *profiled, "-m", "jobs"]
            started.append(
                stack.enter_context(process(command, log, environment(settings, **more)))
            )
            logs.append(log)
        _wait_until(lambda: all(_STARTED in log.read_bytes() for log in logs), started, logs)
        yield started


@contextmanager
def portals(settings: Settings, number: int, **more: str) -> Iterator[int]:
    """So many `connect portal`, which share the port that is yielded, ready for visits."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    connect = str(Path(sys.executable).with_name("connect"))
    command = [connect, "portal", "--port", str(port), "--shared"]
    logs = [settings.data_dir / f"bench-portal-{turn}.log" for turn in range(number)]
    env = environment(settings, **more)
    with ExitStack() as stack:
        started = [stack.enter_context(process(command, log, env)) for log in logs]
        _wait_until(lambda: all(_listens(one.pid, port) for one in started), started, logs)
        yield port


def _listens(pid: int, port: int) -> bool:
    sockets = psutil.Process(pid).net_connections("tcp")
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in sockets)


def _wait_until(
    ready: Callable[[], bool],
    started: Sequence[subprocess.Popen[bytes]],
    logs: Sequence[Path],
) -> None:
    until = time.monotonic() + _START_SECONDS
    while not ready():
        if time.monotonic() > until or any(one.poll() is not None for one in started):
            raise SystemExit("\n".join(log.read_text()[-2_000:] for log in logs))
        time.sleep(0.05)
