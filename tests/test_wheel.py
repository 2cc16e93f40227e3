"""The built wheel, alone in an empty folder: it carries its templates, its catalogues, and the
vendor of its demonstration."""

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
    """Templates, catalogues, the letter's layout, the migrations and the demonstration's vendor are
    in it; tests are not."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for needed in (
        "engine/assets/templates/email/temporary_pin/body.html",
        "engine/assets/templates/mail/temporary_pin/letter.html",
        "engine/assets/locales/es/LC_MESSAGES/messages.po",
        "engine/mail/layout/letter.typ",
        "engine/migrations/versions/0001_the_first_tables.py",
        "engine/migrations/script.py.mako",
        "jobs/worker.py",
        "engine/assets/tests/vendor/__main__.py",
        "engine/assets/docs/print-batch-contract/ack.schema.json",
    ):
        assert needed in names
    assert not any(name.startswith(("tests/", "docs/", "var/", "bench/")) for name in names)
    assert not any("test_" in name.rpartition("/")[2] for name in names)


@pytest.mark.full
@pytest.mark.timeout(900)
def test_the_wheel_alone_runs_the_demonstration(wheel: Path, tmp_path: Path) -> None:
    """Installed into an empty folder's own environment, `connect demo` delivers everything: its
    vendor runs too, and mails the letters. A folder `tests` that lies about is not mistaken."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    pip = [str(tmp_path / "venv" / "bin" / "pip"), "install", "--quiet"]
    locked = ["--require-hashes", "-r", str(ROOT / "requirements.lock")]
    subprocess.run([*pip, *locked], check=True, capture_output=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], check=True, capture_output=True)
    empty = tmp_path / "empty"
    (empty / "tests" / "vendor").mkdir(parents=True)
    for package in (empty / "tests", empty / "tests" / "vendor"):
        (package / "__init__.py").write_text("raise SystemExit('not this one')")
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [
            *(str(tmp_path / "venv" / "bin" / "connect"), "demo"),
            *("--participants", "30", "--portal-port", "8079"),
        ],
        cwd=empty,
        env={**clean, "HOME": str(empty)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    printed = empty / "var" / "demo" / "print"
    assert list((printed / "outgoing").glob("*.done"))
    assert len(list((printed / "incoming").glob("*.final.json.pgp"))) == 2
    assert "Sent, acknowledged, mailed: they agree" in (printed.parent / "report.html").read_text()
