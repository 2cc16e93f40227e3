"""The demonstration as anyone runs it, on its own: nothing owed is lost, whatever is killed."""

import email
import email.policy
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parent.parent
VERIFY = ROOT / "tests" / "vendor" / "verify_batch.py"


def start_demo(folder: Path, participants: int) -> "subprocess.Popen[str]":
    """`connect demo` as a process of its own."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "engine.cli", "demo"),
            *("--participants", str(participants), "--portal-port", "8077"),
            *("--data-dir", str(folder)),
        ],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def workers_of(demo: "subprocess.Popen[str]") -> list[psutil.Process]:
    """The worker processes that this demonstration started."""
    children = psutil.Process(demo.pid).children(recursive=True)
    return [child for child in children if child.cmdline()[-2:] == ["-m", "jobs"]]


def messages(folder: Path) -> list[email.message.EmailMessage]:
    """Every email that arrived."""
    return [
        email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        for path in sorted((folder / "mailbox").glob("*.eml"))
    ]


def verify(folder: Path) -> "subprocess.CompletedProcess[str]":
    """The vendor's own check of the batch, from the contract alone."""
    keys = folder / "print" / "vendor-key"
    return subprocess.run(
        [
            *(sys.executable, str(VERIFY), str(folder / "print" / "outgoing")),
            *("--key", str(keys / "vendor-secret.asc")),
            *("--signer", str(keys / "signing-public.asc")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_small_demonstration_delivers_everything(tmp_path: Path) -> None:
    """Every communication is delivered or reported as held, in both languages; one batch is
    closed, and the vendor's script agrees with it; nothing that was started still runs."""
    demo = start_demo(tmp_path / "demo", 60)
    said, _ = demo.communicate(timeout=150)
    assert demo.returncode == 0, said
    languages = Counter(message["Content-Language"] for message in messages(tmp_path / "demo"))
    assert languages["en"] > 0
    assert languages["es"] > 0
    checked = verify(tmp_path / "demo")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert len(list((tmp_path / "demo" / "print" / "outgoing").glob("*.done"))) == 1
    report = (tmp_path / "demo" / "report.html").read_text()
    assert "temporary_pin" in report
    assert 'sandbox=""' in report
    assert not (tmp_path / "demo" / "run" / "servers.json").exists()


def test_a_demonstration_never_empties_a_folder_of_somebody_elses(tmp_path: Path) -> None:
    """A folder that holds anything a demonstration did not make is refused, and left as it was."""
    (tmp_path / "precious.txt").write_text("keep")
    demo = start_demo(tmp_path, 5)
    said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert "was not made by a demonstration" in said
    assert (tmp_path / "precious.txt").read_text() == "keep"


@pytest.mark.full
@pytest.mark.timeout(600)
def test_a_worker_killed_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    """A thousand participants, a worker killed while it delivers: everything is delivered, an
    email comes twice only under the same Message-ID, and no letter is printed twice."""
    folder = tmp_path / "demo"
    demo = start_demo(folder, 1000)
    assert demo.stdout
    killed = False
    while demo.poll() is None and not killed:
        if len(list((folder / "mailbox").glob("*.eml"))) < 100:
            continue
        for worker in workers_of(demo)[:1]:
            worker.send_signal(signal.SIGKILL)
            killed = True
    said, _ = demo.communicate(timeout=500)
    assert killed
    assert demo.returncode == 0, said
    arrived = [message["Message-ID"] for message in messages(folder)]
    assert len(arrived) == len(set(arrived))
    checked = verify(folder)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    (done,) = (folder / "print" / "outgoing").glob("*.done")
    assert json.loads(done.read_text())["pieces"] > 300
