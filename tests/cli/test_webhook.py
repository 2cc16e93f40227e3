"""`connect webhook`, as an operator meets it."""

import pytest

from tests.cli.terminal import Terminal

# Each command is a process of its own, which takes three seconds: the fuller tier has room.
pytestmark = pytest.mark.full


def test_an_endpoint_from_its_adding_to_its_removal(machine: Terminal) -> None:
    """Its secret is shown when it is made and when it is rotated, and never again."""
    added = machine.connect("webhook", "add", "http://127.0.0.1:9/hook", "--by", "a.lee")
    (secret,) = [line for line in added.out.splitlines() if line.startswith("whsec_")]
    tried = machine.connect("webhook", "test", "1")
    assert (tried.status, tried.out) == (1, "Not taken: nobody answers there.\n")
    rotated = machine.connect("webhook", "rotate", "1", "--by", "a.lee")
    assert "whsec_" in rotated.out
    listed = machine.connect("webhook", "list")
    assert "every notice  enabled" in listed.out
    assert secret not in rotated.out + listed.out
    assert "removed" in machine.connect("webhook", "remove", "1", "--by", "a.lee").out
    gone = machine.connect("webhook", "rotate", "1", "--by", "a.lee")
    assert (gone.status, gone.error) == (1, "connect: no webhook endpoint has this id\n")


def test_what_may_not_be_posted_to_is_refused(machine: Terminal) -> None:
    """With what is allowed, and without the URL."""
    said = machine.connect("webhook", "add", "https://10.0.0.5/hush", "--by", "a.lee")
    assert said.status == 1
    assert "not a public one" in said.error
    assert "hush" not in said.error
