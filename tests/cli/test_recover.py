"""`connect recover`, as an operator meets it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.bootstrap import Application
from engine.migrations.grants import OPERATOR
from tests.cli.terminal import Terminal
from tests.cli.test_batch import refused, well
from tests.database_rows import fetch
from tests.jobs.test_worker import record

# Each runs the real command a few times, at three seconds a time: the fuller tier has room.
pytestmark = pytest.mark.full

SIGNED = ("--by", "operator 7", "--why", "the disk failed")


@pytest.fixture
def machine(machine: Terminal) -> Terminal:
    """An operator who has the login of the tables' owner."""
    return replace(machine, role=None)


def owed(machine: Terminal) -> Path:
    """One email that is owed here, and was taken by the mail server; the log that says so."""

    async def prepare(application: Application) -> str:
        (item,) = await record(application, 1)
        return application.recovery.addressing.message_id(item.delivery_id)

    log = machine.settings.data_dir / "taken.jsonl"
    message_id = machine.prepare(prepare)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(json.dumps({"message_id": message_id}) + "\n")
    return log


def test_held_looked_at_and_recovered(machine: Terminal) -> None:
    """A database that is held opens for nothing else; a dry run shows what a run then does, and
    afterwards everything opens again."""
    log = owed(machine)
    assert "held" in well(machine.connect("recover", "--begin", *SIGNED))
    refused(machine.connect("deadlines"), "operator 7: the disk failed", "connect recover")
    shown = well(machine.connect("recover", "--smtp-log", str(log), "--dry-run"))
    assert "What would be done" in shown
    assert "Nothing was changed" in shown
    done = well(machine.connect("recover", "--smtp-log", str(log), *SIGNED))
    assert "recorded as sent: not sent again" in done
    assert "Workers and portal may start" in done

    async def look(application: Application) -> list[dict[str, object]]:
        return await fetch(application, "SELECT state FROM delivery")

    assert machine.prepare(look) == [{"state": "sent"}]


def test_an_operator_s_login_is_told_what_it_lacks(machine: Terminal) -> None:
    """A right that is missing is said, and not passed over in silence."""
    log = owed(machine)
    well(machine.connect("recover", "--begin", *SIGNED))
    operator = replace(machine, role=OPERATOR)
    refused(operator.connect("recover", "--smtp-log", str(log), "--dry-run"), "lacks a right")


def test_what_it_will_not_do(machine: Terminal) -> None:
    """Without a log it asks for one; without a name it does nothing; under running workers it does
    nothing."""
    log = owed(machine)
    refused(machine.connect("recover", *SIGNED), "--smtp-log", "--no-smtp-log")
    refused(machine.connect("recover", "--smtp-log", str(log)), "--by")
    refused(machine.connect("recover", "--smtp-log", str(log), *SIGNED), "--begin")
