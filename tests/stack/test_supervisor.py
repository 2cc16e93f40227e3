"""Supervised processes: brought back when they die, stopped in order, and no others touched."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.stack.supervisor import ProcessDiedError, Supervisor

WAITS = "import signal; signal.pause()"
DEAF = (
    "import signal, pathlib, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " pathlib.Path(sys.argv[1]).touch(); signal.pause()"
)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """A supervisor whose processes do not outlive the test."""
    made = Supervisor(tmp_path / "logs", {})
    yield made
    made.stop()


def until(true: Callable[[], bool]) -> None:
    """Return when `true` says so; the deadline is for a test that would hang."""
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline


def test_a_dead_process_is_started_again(supervisor: Supervisor) -> None:
    """Killed, it is back with another pid, and only once."""
    process = supervisor.start("waits", "-c", WAITS)
    assert process.popen
    first = process.popen
    first.kill()
    first.wait()

    def back() -> bool:
        supervisor.check()
        return process.popen is not first

    until(back)
    assert process.popen.pid != first.pid
    assert process.restarts == 1


def test_without_a_vital_process_there_is_no_stack(supervisor: Supervisor) -> None:
    """A vital process is not restarted: its end is an error that names its log."""
    process = supervisor.start("servers", "-c", "raise SystemExit(3)", vital=True)
    assert process.popen
    process.popen.wait()
    with pytest.raises(ProcessDiedError, match=r"servers ended with status 3: see .*servers\.log"):
        supervisor.check()


def test_stopping_stops_everything_that_was_started(supervisor: Supervisor) -> None:
    """Each gets SIGTERM; a process of somebody else's goes on."""
    other = subprocess.Popen([sys.executable, "-c", WAITS])
    started = [supervisor.start(f"waits-{number}", "-c", WAITS) for number in range(3)]
    assert supervisor.stop() == []
    assert all(process.popen and process.popen.returncode is not None for process in started)
    assert other.poll() is None
    other.kill()
    other.wait()


def test_what_does_not_stop_is_killed_and_named(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is deaf to SIGTERM is killed when its time is over."""
    monkeypatch.setattr("engine.stack.supervisor.STOP_SECONDS", 0.5)
    process = supervisor.start("deaf", "-c", DEAF, str(tmp_path / "deaf"))
    until((tmp_path / "deaf").exists)
    assert supervisor.stop() == ["deaf"]
    assert process.popen
    assert process.popen.returncode == -signal.SIGKILL
