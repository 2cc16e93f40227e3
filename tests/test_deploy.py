"""What `deploy/` sets out is what systemd and the settings take."""

import base64
import re
import subprocess
from pathlib import Path

import pytest

from engine.settings import Settings, load_settings

DEPLOY = Path(__file__).parent.parent / "deploy"
UNITS = sorted(path.name for path in (DEPLOY / "systemd").iterdir())
ELSEWHERE = {
    "portal.env": {"PORTAL_HOST", "PORTAL_PORT", "FORWARDED_ALLOW_IPS"},
    "common.env": {"AWS_REGION"},
    "backup.env": {"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD"},
}
"""What is read by systemd, uvicorn, the S3 client and libpq, and is no setting of ours."""
MOST_EXPOSED = 2.0
"""Of 10, by systemd's own reckoning; a unit without any hardening has 9.6."""


def variables(name: str) -> dict[str, str]:
    """What a file of settings says, as systemd reads it."""
    lines = (DEPLOY / "etc" / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("name", sorted(path.name for path in (DEPLOY / "etc").iterdir()))
def test_every_variable_is_a_setting(name: str) -> None:
    """A name that nobody reads would be a setting that does nothing; no secret is a real one."""
    said = variables(name)
    ours = {key.partition("__")[0].lower() for key in said.keys() - ELSEWHERE.get(name, set())}
    assert ours <= Settings.model_fields.keys()
    secret = re.compile("PASSWORD|SEALING_KEYS|PEPPER|TAG_KEY|SECRET|DATABASE_URL|REDIS_URL")
    assert [key for key in said if secret.search(key) and "change-me" not in said[key]] == []


@pytest.mark.parametrize("process", ["portal", "worker", "migrator", "operator"])
def test_with_secrets_of_ones_own_each_process_starts(
    monkeypatch: pytest.MonkeyPatch, process: str
) -> None:
    """Nothing that production asks for is forgotten."""
    for name, value in (variables("common.env") | variables(f"{process}.env")).items():
        word = "word" if "://" in value else base64.b64encode(bytes(range(32))).decode()
        monkeypatch.setenv(name, value.replace("change-me", word))
    assert load_settings().profile == "production"


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units in a folder of their own, with a program that is installed here, and an instance of
    each template."""
    for name in UNITS:
        text = (DEPLOY / "systemd" / name).read_text()
        target = tmp_path / name.replace("@.", "@1.")
        target.write_text(text.replace("/opt/connect/current/bin/connect", "/bin/true"))
    return tmp_path


@pytest.mark.full
@pytest.mark.needs("systemd-analyze")
def test_systemd_reads_the_units(units: Path) -> None:
    """Without a word of complaint, and each service is shut in."""
    names = [f"./{path.name}" for path in sorted(units.iterdir())]
    read = subprocess.run(
        ["systemd-analyze", "verify", *names],
        cwd=units,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (read.returncode, read.stderr) == (0, "")
    for name in names:
        if name.endswith(".service"):
            said = subprocess.run(
                ["systemd-analyze", "security", "--offline=true", name],
                cwd=units, capture_output=True, text=True, check=True,
            )  # fmt: skip
            level = re.search(r"exposure level for \S+: ([0-9.]+)", said.stdout)
            assert level is not None
            assert float(level[1]) <= MOST_EXPOSED, name
