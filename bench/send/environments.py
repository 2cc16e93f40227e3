"""The peers' own environments: a virtual environment and a folder of Node modules, pinned and
hashed, made where they are missing and the bench wants them."""

import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

PEERS: Final = Path(__file__).parent.parent / "peers"
_PYTHON: Final = PEERS.parent.parent / "requirements-peers.lock"
_NODE: Final = PEERS / "package-lock.json"
_NPM: Final = (
    *("npm", "ci", "--update-notifier=false", "--ignore-scripts"),
    *("--no-audit", "--no-fund", "--loglevel=error"),
)


class MissingError(Exception):
    """A peer's environment cannot be had here; its text says why."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where programs of a peer are, and the versions of what matters."""

    programs: Path
    versions: Mapping[str, str]


def python_environment(folder: Path) -> Environment:
    """The virtual environment in `folder`/venv. Raises MissingError."""
    programs = programs_of(_PYTHON, folder)
    pinned = dict(
        line.split()[0].split("==") for line in _PYTHON.read_text().splitlines() if "==" in line
    )
    return Environment(programs, {name: pinned[name] for name in ("celery", "arq")})


def programs_of(lock: Path, folder: Path) -> Path:
    """The programs of the virtual environment in `folder`/venv, made from a `lock` file where it is
    not. Raises MissingError."""
    place = folder.absolute() / "venv"
    mark = place / _fingerprint(lock)
    if not mark.exists():
        shutil.rmtree(place, ignore_errors=True)
        venv.create(place, with_pip=True)
        pip = (place / "bin" / "python", "-m", "pip", "install", "--quiet")
        _run([*map(str, pip), "--disable-pip-version-check", "--require-hashes", "-r", str(lock)])
        mark.touch()
    return place / "bin"


def node_environment() -> Environment:
    """The modules beside the peers' package.json. Raises MissingError."""
    modules = PEERS / "node_modules"
    mark = modules / _fingerprint(_NODE)
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        raise MissingError("node and npm are not installed")
    if not mark.exists():
        _run(_NPM, PEERS)
        mark.touch()
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    versions = {"node": said.stdout.strip().removeprefix("v")}
    for name in ("bullmq", "nodemailer", "handlebars"):
        package = json.loads((modules / name / "package.json").read_text())
        versions[name] = package["version"]
    return Environment(Path(node).parent, versions)


def _run(command: Sequence[str], folder: Path | None = None) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise MissingError(f"{Path(command[0]).name} failed: {' '.join(last)[:200]}")


def _fingerprint(lock: Path) -> str:
    """A name that changes with the lock file and with our own Python."""
    seen = lock.read_bytes() + sys.version.encode()
    return f".made-of-{sha256(seen).hexdigest()[:16]}"
