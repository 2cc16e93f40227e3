"""`connect run`: the stack stays up, says where it is, and Ctrl-C stops all of it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that the account PostgreSQL runs under can reach."""
    with tempfile.TemporaryDirectory(prefix="connect-run-") as made:
        yield Path(made) / "data"


def connect(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """The command, as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "engine.cli", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_ctrl_c_stops_everything(folder: Path) -> None:
    """The portal and the mailbox answer at the addresses that are printed; a second stack on the
    folder is refused; after Ctrl-C nothing that was started runs, PostgreSQL and Redis included."""
    stack = connect(folder, "run", "--portal-port", "8071", "--mailbox-port", "0")
    assert stack.stdout
    said = ""
    while "Ctrl-C" not in said:
        line = stack.stdout.readline()
        assert line, said
        said += line
    addresses = re.findall(r"http://\S+", said)
    assert [httpx.get(url, follow_redirects=True).status_code for url in addresses] == [200, 200]
    second = connect(folder, "run", "--portal-port", "8072")
    refused, _ = second.communicate(timeout=60)
    assert second.returncode == 1
    assert "a stack already runs" in refused
    closing = connect(folder, "batch", "close")
    answered, _ = closing.communicate(timeout=60)
    assert closing.returncode == 0, answered
    assert "No letter waits" in answered
    family = psutil.Process(stack.pid).children(recursive=True)
    servers = [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(folder) in " ".join(process.info["cmdline"] or [])
    ]
    assert len(family) >= 4
    assert servers
    stack.send_signal(signal.SIGINT)
    rest, _ = stack.communicate(timeout=40)
    assert stack.returncode == 0, rest
    assert "Everything that was started has been stopped." in rest
    assert "process_killed" not in (folder / "logs" / "run.log").read_text()
    gone, alive = psutil.wait_procs([*family, *servers], timeout=5)
    assert gone
    assert alive == []


def test_a_folder_that_cannot_serve_is_told_so(tmp_path: Path) -> None:
    """PostgreSQL out of a wheel cannot serve from a path with a space: the variable is named."""
    refused = connect(tmp_path / "with space", "migrate")
    said, _ = refused.communicate(timeout=60)
    assert refused.returncode == 1
    assert "DATA_DIR" in said
    assert "space" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("process", ["portal", "worker"])
def test_a_process_that_stays_up_keeps_no_servers(folder: Path, process: str) -> None:
    """Without URLs and without a stack, portal and worker say what to set, and do not hang."""
    refused = connect(folder, process)
    said, _ = refused.communicate(timeout=60)
    assert refused.returncode == 1
    assert "DATABASE_URL, REDIS_URL, SMTP_URL" in said
    assert "connect run" in said
