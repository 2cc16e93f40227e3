"""`connect appointment` and `connect remind`, as an operator meets them."""

from datetime import datetime

import pytest

from engine.bootstrap import Application
from engine.cli.appointment import pacific_moment
from engine.clock import PACIFIC
from engine.errors import InputError
from tests import people
from tests.caseload.appointments import CASE, add_appointment
from tests.cli.terminal import Terminal
from tests.cli.test_batch import refused, well
from tests.database_rows import fetch

ME = ("--as", "r.ortiz")
PAST = datetime(2020, 1, 6, 9, tzinfo=PACIFIC)
NEW = ("--case", CASE, "--participant", "0000000001", "--kind", "office", "--place", "1 Example St")


@pytest.mark.full
def test_an_appointment_is_made_moved_and_cancelled(machine: Terminal) -> None:
    """Each command says what came of it and what is next, and is in the audit trail; none prints a
    name."""

    async def prepare(application: Application) -> None:
        (parent,) = await people.add(application.engine, people.Person())
        await add_appointment(application, parent, PAST)

    machine.prepare(prepare)
    at = ("--at", "2031-05-06T09:30")
    made = well(
        machine.connect("appointment", "schedule", *NEW, *at, *ME), "Appointment 2 is made", "tells"
    )
    assert "Peña" not in made
    moved = ("appointment", "move", "2", "--at", "2031-05-07 14:00", *ME)
    well(machine.connect(*moved), "is moved", "1 deliveries that said otherwise are stopped")
    refused(machine.connect(*moved), "already")
    well(machine.connect("appointment", "cancel", "2", *ME), "is cancelled")
    refused(machine.connect("appointment", "cancel", "2", *ME), "appointment 2 is cancelled")
    refused(machine.connect("appointment", "cancel", "1", *ME), "appointment 1 is past")
    assert machine.connect("appointment", "cancel", "2").status == 2

    async def acts(application: Application) -> list[object]:
        rows = await fetch(application, "SELECT actor || ' ' || act AS a FROM audit_entry")
        return [row["a"] for row in rows]

    assert machine.prepare(acts) == [
        f"staff:r.ortiz staff.appointment.{act}" for act in ("scheduled", "moved", "cancelled")
    ]
    well(machine.connect("appointment", "unreached"), "hears of it in time")


@pytest.mark.full
def test_whom_nobody_reaches_is_named_by_both_commands(machine: Terminal) -> None:
    """The run counts them and says where they are listed; the list holds no name."""

    async def prepare(application: Application) -> None:
        (parent,) = await people.add(application.engine, people.Person(email=None))
        soon = datetime.now(PACIFIC).replace(microsecond=0)
        await add_appointment(application, parent, soon.replace(year=soon.year + 3))
        for hours in (30, 60):
            at = datetime.fromtimestamp(soon.timestamp() + hours * 3600, PACIFIC)
            await add_appointment(application, parent, at)

    machine.prepare(prepare)
    well(
        machine.connect("remind"),
        "0 reminders by email and 0 by mail",
        "2 appointments reach nobody",
        "connect appointment unreached",
    )
    listed = well(machine.connect("appointment", "unreached"), "Yolo")
    assert "Peña" not in listed


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-12-09T09:30", "2026-12-09T09:30:00-08:00"),
        (" 2026-07-09 09:30 ", "2026-07-09T09:30:00-07:00"),
        ("2026-11-01T01:30", "2026-11-01T01:30:00-07:00"),
        ("2027-03-14T03:00", "2027-03-14T03:00:00-07:00"),
    ],
)
def test_an_hour_is_one_of_the_wall_clock(text: str, hour: str) -> None:
    """In California, whatever the offset of that day; of an hour struck twice, the first."""
    assert pacific_moment(text).isoformat() == hour


@pytest.mark.parametrize(
    "text",
    ["2027-03-14T02:30", "tomorrow", "2026-02-30T09:00", "", "2026-12-09", "2026-12-09T25:00"],
)
def test_what_is_no_such_hour_is_refused(text: str) -> None:
    """That which clocks skip in March among it."""
    with pytest.raises(InputError):
        pacific_moment(text)
