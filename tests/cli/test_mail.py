"""`connect mail returned`, `held` and `send-on`, as an operator meets them."""

import re
from pathlib import Path

import pytest

from engine.bootstrap import Application
from engine.communications.catalogue import Channel
from tests import people
from tests.cli.terminal import Terminal
from tests.cli.test_batch import BY, acts, closed, refused, well
from tests.database_rows import execute
from tests.mail.print_shop import gather

# Each runs the real command a few times, at three seconds a time: the fuller tier has room.
pytestmark = pytest.mark.full


def test_a_list_of_returned_letters_is_taken_in(machine: Terminal, tmp_path: Path) -> None:
    """How many came back, where they go on, and where the others wait; the same again is known."""
    name = closed(machine, 2)
    tray = tmp_path / "tray.csv"
    tray.write_text(f"1|{name}|1|1|1,VACANT\n")
    said = well(
        machine.connect("mail", "returned", str(tray), *BY), "tray.csv: 1 line(s), 1 letter"
    )
    assert "connect mail held" in said
    well(machine.connect("mail", "returned", str(tray), *BY), "0 letter(s) came back, 1 known")
    assert acts(machine) == [("operator 7", "returned", "tray.csv")] * 2
    well(machine.connect("mail", "held"), "payment_notice", "vacant", "customer service")


def test_a_wrong_list_is_refused(machine: Terminal, tmp_path: Path) -> None:
    """Each line by its number, without its text; a file that is not there, in one line."""
    tray = tmp_path / "tray.csv"
    tray.write_text("hello\nInés\n")
    said = machine.connect("mail", "returned", str(tray), *BY)
    assert said.status == 1
    assert [line.split(":")[0].strip() for line in said.error.splitlines()] == [
        "connect", "tray.csv, line 1", "tray.csv, line 2",
    ]  # fmt: skip
    assert "Inés" not in said.error
    refused(machine.connect("mail", "returned", "nothing.csv", *BY), "nothing.csv cannot be read")


def test_what_is_held_is_listed_and_sent_on(machine: Terminal) -> None:
    """Why, whose task, by when and how long there is left; then by number, or all of it."""
    well(machine.connect("mail", "held"), "Nothing is held.")

    async def hold(application: Application) -> None:
        unsafe = [people.Person(external_id=f"{n:010d}", mail_safe=False) for n in range(3)]
        await gather(application, *unsafe, channels=[Channel.MAIL])
        await execute(application, "UPDATE communication SET due_by = '2020-01-01' WHERE id = 2")

    machine.prepare(hold)
    listed = well(machine.connect("mail", "held"), "connect mail send-on", "not_safe_to_use")
    rows = re.findall(r"^(\d) +payment_notice +mail .* (\d+ late|\d+) *$", listed, re.MULTILINE)
    assert [number for number, _ in rows] == ["2", "1", "3"]
    assert rows[0][1].endswith("late")
    refused(machine.connect("mail", "send-on", "1", "99", *BY), "not held: 99", "connect mail held")
    well(machine.connect("mail", "send-on", "1", *BY), "1 communication(s) go on")
    well(machine.connect("mail", "send-on", "--all", *BY), "2 communication(s) go on")
    well(machine.connect("mail", "held"), "Nothing is held.")
    assert acts(machine) == [
        ("operator 7", "send_on", f"communication {number}") for number in (1, 2, 3)
    ]


@pytest.mark.parametrize("arguments", [(), ("1", "--all")])
def test_sending_on_asks_which(machine: Terminal, arguments: tuple[str, ...]) -> None:
    """Numbers or --all: neither and both are refused."""
    assert machine.connect("mail", "send-on", *arguments, *BY).status == 2
