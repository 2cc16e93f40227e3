"""`connect notify`, `connect statements` and `connect campaign`, as an operator meets them."""

import re
from pathlib import Path

import pytest

from engine.bootstrap import Application
from tests import people
from tests.cli.terminal import Terminal
from tests.cli.test_batch import BY, refused, well
from tests.database_rows import delivery_ids, fetch

# Each runs the real command a few times, at three seconds a time: the fuller tier has room.
pytestmark = pytest.mark.full

HEADER = "participant_id,document,ready_on,case_number\n"


def query(folder: Path, *numbers: int, document: str = "case_letter") -> Path:
    """A file that says that a document is ready to these participants."""
    rows = (f"{number:010d},{document},2026-11-24,000000000000042\n" for number in numbers)
    path = folder / "query.csv"
    path.write_text(HEADER + "".join(rows))
    return path


def with_people(machine: Terminal, number: int) -> None:
    """So many participants."""

    async def add(application: Application) -> None:
        await people.add(application.engine, *people.crowd(number))

    machine.prepare(add)


def count(machine: Terminal, state: str) -> int:
    """How many deliveries are in a state."""

    async def ids(application: Application) -> int:
        return len(await delivery_ids(application, state))

    return machine.prepare(ids)


def test_a_dry_run_says_what_it_comes_to(machine: Terminal, tmp_path: Path) -> None:
    """Ways, languages, deadline, paper and examples by number; no name; and nothing is kept."""
    with_people(machine, 3)
    path = query(tmp_path, 1, 2, 3)
    said = well(
        machine.connect("notify", "document_ready", "--to", str(path), "--dry-run"),
        "would tell 3", "Letters: 3; pages", "0000000001, 0000000003", "due by",
    )  # fmt: skip
    assert "Peña" not in said
    assert count(machine, "owed") == 0
    well(machine.connect("campaign", "list"), "No campaign yet")


def test_a_campaign_is_paused_resumed_and_cancelled(machine: Terminal, tmp_path: Path) -> None:
    """From the file to the last word, each with who and why."""
    with_people(machine, 4)
    path = query(tmp_path, 1, 2, 3, 4)
    notify = ("notify", "document_ready", "--to", str(path), "--name", "letters")
    well(machine.connect(*notify), "letters: 4 recorded", "a second")
    well(machine.connect(*notify), "letters: 0 recorded; 4 were recorded before")
    refused(machine.connect(*notify[:-1], "others"), "recorded as the campaign letters", "--again")
    well(machine.connect("campaign", "pause", "letters", *BY), "stays due by that day")
    refused(machine.connect("campaign", "pause", "letters", *BY), "is paused")
    shown = well(machine.connect("campaign", "show", "letters"), "4 owed", "deadlines go on")
    assert re.search(r"^mail +4 *$", shown, re.MULTILINE)
    well(machine.connect("campaign", "resume", "letters", *BY), "called for 4")
    well(machine.connect("campaign", "cancel", "letters", *BY), "4 deliveries were not sent")
    assert count(machine, "cancelled") == 4
    assert "cancelled" in well(machine.connect("campaign", "list"), "letters")
    refused(machine.connect(*notify), "was cancelled")
    refused(machine.connect("campaign", "show", "nothing"), "no campaign of that name")


def test_a_faulty_file_tells_nobody(machine: Terminal, tmp_path: Path) -> None:
    """Each fault by file, line, column and reason, on standard error; exit status 1."""
    with_people(machine, 2)
    path = query(tmp_path, 1, 9, document="case_letter")
    said = machine.connect("notify", "document_ready", "--to", str(path))
    assert said.status == 1
    assert "query.csv:3 participant_id: names nobody of the caseload\n" in said.error
    assert "nothing of it was recorded" in said.error
    assert count(machine, "owed") == 0


def test_a_notice_that_is_not_for_many_is_refused(machine: Terminal, tmp_path: Path) -> None:
    """With the reason, and for a name that is none, the names there are."""
    path = str(query(tmp_path, 1))
    refused(machine.connect("notify", "temporary_pin", "--to", path), "it carries a secret")
    refused(machine.connect("notify", "court_date_reminder", "--to", path), "about a hearing")
    refused(machine.connect("notify", "no_such", "--to", path), "payment_notice")


def test_statements_are_recorded_for_a_month_that_is_over(machine: Terminal) -> None:
    """Of those enrolled; a month that is not over is refused."""

    async def add(application: Application) -> None:
        await people.add(
            application.engine,
            people.Person("0000000001", paperless=True),
            people.Person("0000000002", paperless=False),
        )
        async with application.engine.begin() as connection:
            await connection.exec_driver_sql(
                "WITH added AS (INSERT INTO support_case (external_id, county, status, opened_on)"
                " VALUES ('000000000000042', 'Yolo', 'open', '2020-01-01') RETURNING id)"
                " INSERT INTO case_party SELECT added.id, participant.id, 'payee'"
                " FROM added, participant"
            )

    machine.prepare(add)
    well(machine.connect("statements", "--month", "2025-10", "--dry-run"), "would tell 1")
    well(machine.connect("statements", "--month", "2025-10"), "statements-2025-10: 1 recorded")
    refused(machine.connect("statements", "--month", "2090-10"), "is not over")

    async def recorded(application: Application) -> list[dict[str, object]]:
        return await fetch(application, "SELECT idempotency_key FROM communication")

    assert machine.prepare(recorded) == [{"idempotency_key": "statement:1:2025-10"}]
