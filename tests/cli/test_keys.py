"""`connect keys`, as an operator meets it."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from engine.bootstrap import Application, open_application
from engine.cli.keys import app
from engine.settings import load_settings
from tests import people

T = TypeVar("T")


@pytest.fixture
async def terminal(
    database: AsyncEngine, postgres_url: str, redis_url: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> CliRunner:  # fmt: skip
    """A terminal over one participant, whose rows are in the clear."""
    await people.add(database, people.Person())
    for name, value in {
        "DATABASE_URL": postgres_url,
        "REDIS_URL": redis_url,
        "SMTP_URL": "smtp://127.0.0.1:9",
        "DATA_DIR": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("engine.cli.keys.with_application", on_the_application)
    return CliRunner()


def on_the_application(act: Callable[[Application], Awaitable[T]]) -> T:
    """What the commands do, without the log and the migrations of each."""

    async def run() -> T:
        async with open_application(load_settings()) as application:
            return await act(application)

    return asyncio.run(run())


def under(monkeypatch: pytest.MonkeyPatch, *ids: str) -> None:
    """These keys are held, and the last of them seals."""
    keys = {id_: base64.b64encode(id_.encode().ljust(32, b"-")).decode() for id_ in ids}
    monkeypatch.setenv("SEALING_KEYS", json.dumps(keys))
    monkeypatch.setenv("SEALING_KEY_ID", ids[-1])


def test_a_rotation_says_when_the_old_key_may_be_taken_out(
    terminal: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows in the clear are sealed, then sealed anew under the next key; the last word is that of
    the call that finds nothing to do."""
    under(monkeypatch, "first")
    assert "none: in the clear  –                3" in terminal.invoke(app, ["show"]).output
    assert "Sealed anew under first: 3 rows." in terminal.invoke(app, ["rotate"]).output
    under(monkeypatch, "first", "second")
    shown = terminal.invoke(app, ["show"]).output
    assert "first   yes, opens       3            contact_point 2, participant 1" in shown
    done = terminal.invoke(app, ["rotate"])
    assert done.exit_code == 0
    assert "Nothing is sealed under first any more." in done.output
    again = terminal.invoke(app, ["rotate"]).output
    assert "May be taken out of SEALING_KEYS: first." in again
    under(monkeypatch, "second")
    assert "Everything is sealed under second already." in terminal.invoke(app, ["rotate"]).output


def test_a_key_that_was_taken_out_too_early_is_missed(
    terminal: CliRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said which rows wait for it, and the exit status is 1."""
    under(monkeypatch, "first")
    terminal.invoke(app, ["rotate"])
    under(monkeypatch, "second")
    assert "first   NO: its rows cannot be read" in terminal.invoke(app, ["show"]).output
    done = terminal.invoke(app, ["rotate"])
    assert done.exit_code == 1
    assert "participant: 1 rows do not open, such as row 1" in done.output
    assert "No key may be taken out yet." in done.output
