"""`connect run`: the stack stays up, says where it is, and Ctrl-C stops all of it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.cli.terminal import run_connect

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that the account PostgreSQL runs under can reach."""
    with tempfile.TemporaryDirectory(prefix="connect-run-") as made:
        yield Path(made) / "data"


def environment(folder: Path) -> dict[str, str]:
    """A terminal that knows the data folder, and nothing else."""
    return os.environ | {"DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}


@contextmanager
def run(folder: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """`connect run`, which does not outlive a test that fails."""
    stack = subprocess.Popen(
        [sys.executable, "-m", "engine.cli", "run", *arguments],
        cwd=ROOT,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield stack
    finally:
        if stack.poll() is None:
            stack.terminate()
        stack.communicate(timeout=40)


def announced(stack: "subprocess.Popen[str]") -> str:
    """What `connect run` says when everything is up."""
    assert stack.stdout
    said = ""
    while "Ctrl-C" not in said:
        line = stack.stdout.readline()
        assert line, said
        said += line
    return said


def answered(folder: Path, *arguments: str, status: int = 0) -> str:
    """What a command in another terminal says."""
    said = run_connect(arguments, environment(folder))
    assert said.status == status, said
    return said.out + said.error


@pytest.mark.full
def test_ctrl_c_stops_everything(folder: Path) -> None:
    """The portal, which is the phone line's address too, and the mailbox answer where it is
    printed; a second stack on the folder is refused; after Ctrl-C nothing that was started runs,
    PostgreSQL and Redis included."""
    with run(folder, "--portal-port", "8071", "--mailbox-port", "0") as stack:
        said = announced(stack)
        addresses = re.findall(r"http://\S+", said)
        assert [httpx.get(url, follow_redirects=True).status_code for url in addresses] == [200] * 3
        refused = answered(folder, "run", "--portal-port", "8072", status=1)
        assert "a stack already runs" in refused
        assert "no letter waits" in answered(folder, "batch", "close").lower()
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


@pytest.mark.full
def test_a_batch_closed_by_hand_is_mailed(folder: Path) -> None:
    """The vendor stays up: it answers a batch that is closed in another terminal. Once it is down,
    a command that needs it says so, and one that does not works."""
    with run(folder, "--portal-port", "8073", "--mailbox-port", "0") as stack:
        said = announced(stack)
        assert "sftp://" in said
        answered(folder, "announce-payments", "--since", "2000-01-01")
        while "Handed over" not in (closed := answered(folder, "batch", "close")):
            assert "no letter waits" in closed.lower()
        named = re.search(r"^(ccss_test_\w+): (\d+) pieces", closed, re.MULTILINE)
        assert named
        name, pieces = named.groups()
        while f"now: {pieces} mailed" not in (shown := answered(folder, "batch", "show", name)):
            assert "alarm" not in answered(folder, "batch", "collect")
        assert shown.count("applied") >= 4
        stack.send_signal(signal.SIGINT)
        rest, _ = stack.communicate(timeout=40)
        assert stack.returncode == 0, rest
        assert "unavailable" in answered(folder, "batch", "collect", status=1)
        assert "received" in answered(folder, "batch", "list")


def told_at_once(folder: Path, *arguments: str) -> str:
    """What a command says that cannot do what it was asked to."""
    said = run_connect(arguments, environment(folder))
    assert said.status == 1
    assert "Traceback" not in said.out + said.error
    return said.out + said.error


def test_a_folder_that_cannot_serve_is_told_so(tmp_path: Path) -> None:
    """PostgreSQL out of a wheel cannot serve from a path with a space: the variable is named."""
    said = told_at_once(tmp_path / "with space", "migrate")
    assert "DATA_DIR" in said
    assert "space" in said


@pytest.mark.parametrize("process", ["portal", "worker"])
def test_a_process_that_stays_up_keeps_no_servers(folder: Path, process: str) -> None:
    """Without URLs and without a stack, portal and worker say what to set, and do not hang."""
    said = told_at_once(folder, process)
    assert "DATABASE_URL, REDIS_URL, SMTP_URL" in said
    assert "connect run" in said
