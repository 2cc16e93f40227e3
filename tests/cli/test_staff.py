"""`connect staff`, as a caseworker meets it."""

from pathlib import Path

import pytest

from engine.bootstrap import Application
from engine.caseload.sign_in import Attempt
from engine.migrations.grants import PORTAL
from tests import people
from tests.caseload.test_caseworker_messages import family, write
from tests.caseload.test_staff_desk import hold_a_pin
from tests.cli.terminal import Said, Terminal
from tests.cli.test_batch import refused, well
from tests.database_rows import execute, fetch

# Each runs the real command a few times, at three seconds a time: the fuller tier has room.
pytestmark = pytest.mark.full

ME = ("--as", "r.ortiz")


def acts(machine: Terminal) -> list[object]:
    """What the audit trail says was done."""

    async def read(application: Application) -> list[object]:
        rows = await fetch(application, "SELECT actor || ' ' || act AS a FROM audit_entry")
        return [row["a"] for row in rows]

    return machine.prepare(read)


def told(said: Said, *parts: str) -> str:
    """The output of a command that shows one reader's own words to staff, with all these parts."""
    assert (said.status, said.error) == (0, "")
    for part in parts:
        assert part in said.out
    return said.out


def test_a_message_is_found_shown_and_answered(machine: Terminal, tmp_path: Path) -> None:
    """Each command says which is next; the list holds no words and no name."""
    well(machine.connect("staff", "messages"), "No message waits")

    async def prepare(application: Application) -> None:
        await family(application)
        await write(application, "My [bold]question[/bold]\x7f"[:-1])

    machine.prepare(prepare, acting=PORTAL)
    listed = well(machine.connect("staff", "messages"), "Yolo", "connect staff show")
    assert "question" not in listed
    assert "Peña" not in listed
    shown = told(machine.connect("staff", "show", "1", *ME), "My [bold]question[/bold]", "Inés")
    assert "connect staff reply 1" in shown
    words = tmp_path / "reply.txt"
    words.write_text("\ufeffDear Inés:\r\n\r\nAll is well.\r\n", encoding="utf-8")
    said = well(
        machine.connect("staff", "reply", "1", "--file", str(words), *ME), "answered by reply 2"
    )
    assert "Dear" not in said
    told(machine.connect("staff", "show", "2", *ME), "Dear Inés:\n\nAll is well.", "r.ortiz")
    refused(machine.connect("staff", "reply", "1", "--file", str(words), *ME), "--again")
    well(machine.connect("staff", "reply", "1", "--file", str(words), "--again", *ME), "reply 3")
    assert acts(machine) == [
        f"staff:r.ortiz staff.message.{act}" for act in ("shown", "answered", "shown", "answered")
    ]


def test_what_is_no_reply_is_refused(machine: Terminal, tmp_path: Path) -> None:
    """In one line each; without an account nothing is done at all."""
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_bytes(b" \r\n")
    binary.write_bytes(b"\xff\xfe\x00")
    refused(machine.connect("staff", "reply", "1", "--file", str(empty), *ME), "body_missing")
    refused(machine.connect("staff", "reply", "1", "--file", str(binary), *ME), "UTF-8")
    refused(machine.connect("staff", "reply", "1", "--file", "nothing", *ME), "cannot be read")
    refused(machine.connect("staff", "show", "7", *ME), "no message 7")
    refused(machine.connect("staff", "show", "7", "--as", " "), "--as")
    assert machine.connect("staff", "show", "7").status == 2
    assert acts(machine) == []


def test_a_report_is_read(machine: Terminal) -> None:
    """What was reported is shown, with whatever would steer a terminal taken out of it."""
    well(machine.connect("staff", "reports"), "No report waits")

    async def prepare(application: Application) -> None:
        await family(application)
        await execute(
            application,
            "INSERT INTO other_party_report (participant_id, case_id, facts, reported_at)"
            ' VALUES (1, 1, \'{"employer": "Example \\u001b[2JFoods", "phones": ["1", "2"]}\','
            " now())",
        )

    machine.prepare(prepare)
    assert "Foods" not in well(machine.connect("staff", "reports"), "Yolo", "connect staff report")
    shown = well(machine.connect("staff", "report", "1", *ME), "\ufffd[2JFoods", "phones: 1, 2")
    assert "\x1b" not in shown
    assert "000000000000001" in shown
    well(machine.connect("staff", "reports"), "No report waits")
    well(machine.connect("staff", "report", "1", *ME), "read before: by r.ortiz")


def test_a_held_letter_is_released(machine: Terminal) -> None:
    """It is listed, and goes on; a new address only once somebody vouches for it."""
    machine.prepare(hold_a_pin)
    well(machine.connect("staff", "held"), "temporary_pin", "address_too_new")
    well(machine.connect("staff", "release", "1", *ME), "goes on", "release it with --vouch")
    refused(machine.connect("staff", "release", "1", *ME), "communication 1 is not held")
    assert acts(machine) == [
        "unknown pin.requested",
        "staff:r.ortiz staff.communication.released",
    ]


def test_a_contact_is_looked_at_and_vouched_for(machine: Terminal) -> None:
    """What is vouched for is what was shown, by its number; another number is refused."""
    machine.prepare(hold_a_pin)
    shown = told(machine.connect("staff", "contact", "1", *ME), "1200 EXAMPLE ST APT 4")
    assert "connect staff release 1 --vouch 2" in shown
    refused(machine.connect("staff", "release", "1", "--vouch", "1", *ME), "nothing was sent on")
    well(machine.connect("staff", "release", "1", "--vouch", "2", *ME), "vouched for")


def test_a_participant_is_unlocked(machine: Terminal) -> None:
    """By the Participant ID Number, grouped as it is printed; an unknown one is not repeated."""

    async def prepare(application: Application) -> None:
        await people.add(application.engine, people.Person())
        for _ in range(5):
            await application.sign_in.attempt(Attempt("0000000001", "000000", "192.0.2.0/24"))

    machine.prepare(prepare)
    well(machine.connect("staff", "unlock", "000-000-0001", *ME), "The lock is ended")
    well(machine.connect("staff", "unlock", "0000000001", *ME), "Nothing stood against")
    unknown = machine.connect("staff", "unlock", "7777777777", *ME)
    refused(unknown, "no participant has this")
    assert "7777777777" not in unknown.error + unknown.out
