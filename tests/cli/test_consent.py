"""`connect consent`, as a caseworker meets it."""

import pytest

from engine.bootstrap import Application
from tests import people
from tests.cli.terminal import Terminal
from tests.cli.test_batch import refused, well

# Each runs the real command a few times, at three seconds a time: the fuller tier has room.
pytestmark = pytest.mark.full

NUMBER = people.Person().external_id
BY_PHONE = ("--how", "phone", "--by", "r.ortiz", "--why", "Opened a PDF while we spoke")


def somebody(machine: Terminal) -> None:
    """There is one participant."""

    async def act(application: Application) -> None:
        await people.add(application.engine, people.Person())

    machine.prepare(act)


def test_what_is_read_out_is_what_is_recorded(machine: Terminal) -> None:
    """The words in the reader's language, their version, who, how and the note; what was in force
    on a past day can be asked for."""
    somebody(machine)
    well(
        machine.connect("consent", "show", NUMBER), "No consent to eCommunications is in force now"
    )
    words = well(
        machine.connect("consent", "text", "--language", "es"), "El papel sigue disponible"
    )
    version = words.split("version ")[1].split()[0]
    given = well(machine.connect("consent", "give", NUMBER, *BY_PHONE), "consent given", "(es)")
    assert version in given
    well(machine.connect("consent", "give", NUMBER, *BY_PHONE), "enrolled already")
    shown = well(
        machine.connect("consent", "show", f"{NUMBER[:5]}-{NUMBER[5:]}"),
        "is in force now", "by phone (r.ortiz)", version, "note Opened a PDF while we spoke",
    )  # fmt: skip
    assert "withdrawn" not in shown
    well(machine.connect("consent", "withdraw", NUMBER, *BY_PHONE), "consent withdrawn")
    well(machine.connect("consent", "withdraw", NUMBER, *BY_PHONE), "not enrolled")
    well(machine.connect("consent", "show", NUMBER), "No consent", "given", "withdrawn", "phone")
    before = well(machine.connect("consent", "show", NUMBER, "--at", "2020-02-03"), "No consent")
    assert "given" not in before


def test_what_cannot_be_recorded_is_refused(machine: Terminal) -> None:
    """In one line each; without an account, a way or a reason nothing is done at all."""
    somebody(machine)
    refused(machine.connect("consent", "give", "9999999999", *BY_PHONE), "no participant")
    refused(machine.connect("consent", "show", NUMBER, "--at", "yesterday"), "--at must read like")
    refused(machine.connect("consent", "give", NUMBER, *BY_PHONE[:-1], " "), "--why")
    assert machine.connect("consent", "give", NUMBER, *BY_PHONE[2:]).status == 2
    assert machine.connect("consent", "give", NUMBER, "--how", "web", *BY_PHONE[2:]).status == 2
