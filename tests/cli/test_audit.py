"""`connect audit`, as an operator meets it."""

import re
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from engine.bootstrap import Application
from engine.cli.audit import app
from engine.retention.purge import years_before
from engine.security.audit import Audit, Entry
from tests import people
from tests.cli.terminal import Terminal
from tests.cli.test_batch import refused, well
from tests.database_rows import execute

ANCIENT = datetime(2001, 1, 1, tzinfo=UTC)


def write(machine: Terminal, number: int, at: datetime | None = None) -> None:
    """Entries of participant 1, who is there."""

    async def act(application: Application) -> None:
        audit = application.audit
        if at is not None:
            audit = Audit(audit.key, lambda: at)
        async with application.engine.begin() as connection:
            for _ in range(number):
                await audit.append(
                    connection,
                    Entry("participant:1", "pin.changed", 1, {"turn": 1}, "192.0.2.0/24"),
                )

    machine.prepare(act)


@pytest.mark.full
def test_the_trail_is_proved_and_a_change_is_found(machine: Terminal) -> None:
    """With the head to write down; compared with one that was; exit status 1 when broken."""
    well(machine.connect("audit", "verify"), "The audit trail is empty.")
    write(machine, 3)
    said = well(machine.connect("audit", "verify"), "whole: 3 entries, 1 to 3")
    found = re.search(r"head is (3:[0-9a-f]{64})$", said, re.MULTILINE)
    assert found
    write(machine, 1)
    well(machine.connect("audit", "verify", "--head", found[1]), "Entry 3 is the one")

    async def cut(application: Application) -> None:
        await execute(application, "ALTER TABLE audit_entry DISABLE TRIGGER kept")
        await execute(application, "DELETE FROM audit_entry WHERE id > 2")

    machine.prepare(cut)
    refused(machine.connect("audit", "verify", "--head", found[1]), "the trail ends at entry 2")

    async def cut_out(application: Application) -> None:
        await execute(application, "DELETE FROM audit_entry WHERE id = 1")

    machine.prepare(cut_out)
    refused(machine.connect("audit", "verify"), "entries before 2 are gone")
    refused(machine.connect("audit", "prune"), "entries before 2 are gone")


@pytest.mark.full
def test_entries_are_shown(machine: Terminal) -> None:
    """Newest first; of one participant, by the Participant ID Number."""
    well(machine.connect("audit", "show"), "There is no entry.")

    async def prepare(application: Application) -> None:
        await people.add(application.engine, people.Person())

    machine.prepare(prepare)
    write(machine, 3)
    shown = well(
        machine.connect("audit", "show", "--participant", "0000000001", "--limit", "2"),
        "pin.changed",
        "turn 1",
        "192.0.2.0/24",
    )
    assert shown.count("participant:1") == 2
    refused(machine.connect("audit", "show", "--participant", "1"), "no participant has this")


@pytest.mark.full
def test_pruning_tells_before_it_removes(machine: Terminal) -> None:
    """Nothing without --remove; afterwards the trail is whole, and says what is gone."""
    write(machine, 2, ANCIENT)
    write(machine, 1)
    well(machine.connect("audit", "prune"), "2 entries older than 7 years", "--remove")
    well(machine.connect("audit", "verify"), "whole: 3 entries")
    well(machine.connect("audit", "prune", "--remove"), "Removed: 2 entries")
    well(machine.connect("audit", "verify"), "whole: 2 entries, 3 to 4")
    well(machine.connect("audit", "prune", "--remove"), "No entry is older")


@pytest.mark.parametrize(
    "head", ["", "3", "3:", ":abc", "3:xyz", "-1:" + "0" * 64, "³:" + "0" * 64]
)
def test_a_head_must_read_as_it_was_printed(head: str) -> None:
    """Else the trail is not looked at."""
    answered = CliRunner().invoke(app, ["verify", "--head", head])
    assert "ID:HASH" in str(answered.exception)


def test_years_are_counted_by_the_calendar() -> None:
    """From February 29 too."""
    leap = datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert years_before(leap, 7) == datetime(2021, 2, 28, 12, tzinfo=UTC)
    assert years_before(leap, 4) == datetime(2024, 2, 29, 12, tzinfo=UTC)
