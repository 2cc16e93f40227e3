"""The demonstration as anyone runs it, on its own: every letter is mailed or accounted for, and
nothing owed is lost, whatever is killed."""

import email
import email.policy
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from engine.mail.keys import load_print_keys
from engine.settings import load_settings
from tests.vendor.answers import Status, StatusRow, from_csv

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


def incoming(folder: Path, ending: str) -> list[bytes]:
    """What our copies of the vendor's files say, of those with such an ending."""
    keys = load_print_keys(load_settings(data_dir=folder))
    return [
        keys.open_inbound(path.read_bytes(), datetime.now(UTC))
        for path in sorted((folder / "print" / "incoming").glob(f"*{ending}"))
    ]


def events(folder: Path) -> list[StatusRow]:
    """Every event that the vendor told of."""
    return [row for file in incoming(folder, ".csv.pgp") for row in from_csv(file)]


def finals(folder: Path) -> list[dict[str, object]]:
    """Both finals of the batch, the one that says that its data was destroyed at the end."""
    read = [json.loads(file) for file in incoming(folder, ".final.json.pgp")]
    return sorted(read, key=lambda final: final["destroyed_at"] is not None)


def done_file(folder: Path) -> dict[str, object]:
    """Our copy of the `.done` of the one batch that was closed."""
    (path,) = (folder / "print" / "outgoing").glob("*.done")
    read: dict[str, object] = json.loads(path.read_text())
    return read


def test_a_small_demonstration_delivers_everything(tmp_path: Path) -> None:
    """Every communication is delivered or reported as held, in both languages; every letter is
    mailed, or the vendor says why not; nothing that was started still runs."""
    folder = tmp_path / "demo"
    demo = start_demo(folder, 60)
    said, _ = demo.communicate(timeout=150)
    assert demo.returncode == 0, said
    languages = Counter(message["Content-Language"] for message in messages(folder))
    assert languages["en"] > 0
    assert languages["es"] > 0
    assert not (folder / "run" / "servers.json").exists()

    told = Counter(row.status for row in events(folder))
    assert told[Status.MAILED] > 0
    assert told[Status.REPRINTED] == told[Status.SPOILED] == 3
    assert told[Status.RETURNED] == 5
    first, last = finals(folder)
    assert last == {**first, "at": last["at"], "destroyed_at": last["destroyed_at"]}
    assert last["mailed"] == told[Status.MAILED]
    assert last["pieces"] == done_file(folder)["pieces"]
    assert not list((folder / "print" / "incoming" / "quarantine").glob("*"))
    for side in ("to-vendor", "from-vendor"):
        assert not list((folder / "print" / "vendor" / side).iterdir())

    report = (folder / "report.html").read_text()
    assert "Sent, acknowledged, mailed: they agree" in report
    assert [word for word in Status if f"<code>{word}</code>" not in report] == []
    assert "temporary_pin" in report
    assert 'sandbox=""' in report
    assert f"mailed {told[Status.MAILED]}" in said


def test_a_demonstration_never_empties_a_folder_of_somebody_elses(tmp_path: Path) -> None:
    """A folder that holds anything a demonstration did not make is refused, and left as it was."""
    (tmp_path / "precious.txt").write_text("keep")
    demo = start_demo(tmp_path, 5)
    said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert "was not made by a demonstration" in said
    assert (tmp_path / "precious.txt").read_text() == "keep"


@pytest.fixture(scope="module")
def survived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a demonstration of two hundred participants left, whose worker was killed while it
    delivered."""
    folder = tmp_path_factory.mktemp("survived") / "demo"
    demo = start_demo(folder, 200)
    assert demo.stdout
    killed = False
    while demo.poll() is None and not killed:
        if len(list((folder / "mailbox").glob("*.eml"))) < 50:
            # Who looks without a pause takes one of two cores from those that deliver.
            time.sleep(0.05)
            continue
        for worker in workers_of(demo)[:1]:
            worker.send_signal(signal.SIGKILL)
            killed = True
    said, _ = demo.communicate(timeout=500)
    assert killed
    assert demo.returncode == 0, said
    return folder


@pytest.mark.full
@pytest.mark.timeout(600)
def test_a_worker_killed_in_the_middle_loses_nothing(survived: Path) -> None:
    """Everything is delivered, an email comes twice only under the same Message-ID, and each letter
    is mailed once or refused."""
    arrived = [message["Message-ID"] for message in messages(survived)]
    assert len(arrived) == len(set(arrived))
    pieces = done_file(survived)["pieces"]
    assert isinstance(pieces, int)
    assert pieces > 60
    ended = Counter(row.status for row in events(survived))
    assert ended[Status.MAILED] + ended[Status.REJECTED] == pieces


@pytest.mark.full
@pytest.mark.timeout(600)
def test_our_copy_of_the_batch_stays(survived: Path) -> None:
    """When the vendor has destroyed its own, `outgoing/` holds what was sent, under the hash that
    was announced; and the vendor's own check finds no fault with it."""
    done = done_file(survived)
    sealed = survived / "print" / "outgoing" / f"{done['batch_id']}.zip.pgp"
    assert hashlib.sha256(sealed.read_bytes()).hexdigest() == done["sha256"]
    beside = sealed.with_name(f"{sealed.name}.sha256").read_text()
    assert beside == f"{done['sha256']}  {sealed.name}\n"
    checked = verify(survived)
    assert checked.returncode == 0, checked.stdout + checked.stderr
