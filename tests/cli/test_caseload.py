"""`connect caseload`, as an operator meets it."""

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from engine.caseload.columns import Rules, documentation
from engine.cli.caseload import app
from engine.database import create_engine


@pytest.fixture
def terminal(
    database: AsyncEngine, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CliRunner:
    """A terminal whose settings point at the run's own PostgreSQL, and at an unused Redis."""
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:6379/0")
    monkeypatch.chdir(tmp_path)
    return CliRunner()


def sample(terminal: CliRunner, *options: str) -> Path:
    """A sample of sixty, written by the command."""
    arguments = ["sample", "--participants", "60", "--seed", "2", "--out", "files", *options]
    assert terminal.invoke(app, arguments).exit_code == 0
    return Path("files")


def participants_in(url: str) -> int:
    """How many participants the database holds."""

    async def ask() -> int:
        engine = create_engine(url)
        async with engine.connect() as connection:
            found = await connection.scalar(text("SELECT count(*) FROM participant"))
        await engine.dispose()
        return int(found or 0)

    return asyncio.run(ask())


def test_a_sample_is_imported(terminal: CliRunner, postgres_url: str) -> None:
    """The two commands fit together; success is exit status 0 and a table of counts."""
    sample(terminal)

    result = terminal.invoke(app, ["import", "files"])

    assert result.exit_code == 0, result.output
    assert "participants.csv" in result.stdout
    assert participants_in(postgres_url) == 60


def test_a_dry_run_loads_nothing(terminal: CliRunner, postgres_url: str) -> None:
    """`--dry-run` says what would be loaded."""
    sample(terminal)

    result = terminal.invoke(app, ["import", "files", "--dry-run"])

    assert result.exit_code == 0, result.output
    assert "Dry run" in result.stdout
    assert participants_in(postgres_url) == 0


def test_faults_are_shown_up_to_a_number_and_reported_in_full(
    terminal: CliRunner, postgres_url: str
) -> None:
    """Exit status 1; fifty faults on standard error and the rest counted; all in the report."""
    path = sample(terminal) / "participants.csv"
    path.write_text(path.read_text().replace(",en,", ",xx,").replace(",es,", ",xx,"))

    result = terminal.invoke(app, ["import", "files", "--report", "faults.jsonl"])

    assert result.exit_code == 1
    assert "participants.csv:2 language: must be one of: en, es\n" in result.stderr
    assert "participants.csv:51 language" in result.stderr
    assert "participants.csv:52 language" not in result.stderr
    reported = [json.loads(line) for line in Path("faults.jsonl").read_text().splitlines()]
    assert [each["line"] for each in reported if each["file"] == "participants.csv"] == [
        *range(2, 62)
    ]
    assert f"and {len(reported) - 50} more" in result.stderr
    assert participants_in(postgres_url) == 0


def test_the_day_of_a_sample_can_be_given(terminal: CliRunner) -> None:
    """The demonstration's appointments lie ahead of the day it is run on."""
    folder = sample(terminal, "--as-of", "2031-03-03")
    assert "2031-03-" in (folder / "appointments.csv").read_text()
    assert terminal.invoke(app, ["sample", "--out", "x", "--as-of", "3/3/31"]).exit_code == 2


def test_the_columns_are_printed(terminal: CliRunner) -> None:
    """An installed wheel carries its own description of the files."""
    assert terminal.invoke(app, ["columns"]).stdout == documentation(Rules())
