"""`connect` itself: what it lists, and that it imports only what it is asked for."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from engine.cli.main import app

_LISTED = (
    *("caseload", "calendar", "batch", "appointment", "mail", "bounce", "staff", "audit", "keys"),
    *("campaign", "consent", "roles", "hold", "applications", "phone", "api-key", "webhook"),
    *("preview", "remind", "alarms", "deadlines", "announce-payments", "notify", "statements"),
    *("purge", "migrate", "recover", "portal", "worker", "run", "demo"),
)


def test_help_lists_every_command() -> None:
    """Each with what it is for; what a stack starts for itself is not among them."""
    answer = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert answer.exit_code == 0
    first = {line.split()[1] for line in answer.output.splitlines() if line.startswith("│ ")}
    assert set(_LISTED) <= first
    assert "servers" not in first


@pytest.mark.parametrize("name", [*_LISTED, "servers"])
def test_every_command_is_where_it_is_said_to_be(name: str) -> None:
    """Its own help is there, under its own name."""
    answer = CliRunner().invoke(app, [name, "--help"])
    assert answer.exit_code == 0, answer.output
    assert f" {name} " in answer.output


def test_what_is_not_asked_for_is_not_imported() -> None:
    """A question about business days waits for no database driver and no web server."""
    look = (
        "import sys; from engine.cli.main import app; app(['calendar', '--help'],"
        " standalone_mode=False); print([name for name in ('sqlalchemy', 'fastapi', 'alembic',"
        " 'asyncssh') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
