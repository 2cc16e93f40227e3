"""The built wheel, alone in an empty folder: it carries its templates and catalogues."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this source tree."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_carries_what_it_needs(wheel: Path) -> None:
    """Templates, catalogues, the letter's layout and the migrations are in it; tests are not."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for needed in (
        "engine/assets/templates/email/temporary_pin/body.html",
        "engine/assets/templates/mail/temporary_pin/letter.html",
        "engine/assets/locales/es/LC_MESSAGES/messages.po",
        "engine/mail/layout/letter.typ",
        "engine/migrations/versions/0001_the_first_tables.py",
        "engine/migrations/script.py.mako",
        "jobs/worker.py",
    ):
        assert needed in names
    assert not any(name.startswith(("tests/", "var/", "bench/")) for name in names)


@pytest.mark.full
@pytest.mark.timeout(900)
def test_the_wheel_alone_runs_the_demonstration(wheel: Path, tmp_path: Path) -> None:
    """Installed into an empty folder's own environment, `connect demo` delivers everything."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    pip = [str(tmp_path / "venv" / "bin" / "pip"), "install", "--quiet"]
    locked = ["--require-hashes", "-r", str(ROOT / "requirements.lock")]
    subprocess.run([*pip, *locked], check=True, capture_output=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True, capture_output=True)
    empty = tmp_path / "empty"
    empty.mkdir()
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [
            *(str(tmp_path / "venv" / "bin" / "connect"), "demo"),
            *("--participants", "30", "--portal-port", "8078"),
        ],
        cwd=empty,
        env={**clean, "HOME": str(empty)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert list((empty / "var" / "demo" / "print" / "outgoing").glob("*.done"))
