"""`connect api-key`, as an operator meets it."""

import re

import pytest

from tests.cli.terminal import Terminal
from tests.cli.test_batch import refused, well

TOKEN = re.compile(r"^ccapi_[A-Za-z0-9_-]{43}$", re.MULTILINE)


@pytest.mark.full
def test_a_token_is_shown_once_and_known_by_how_it_begins(machine: Terminal) -> None:
    """Made, listed, replaced and revoked, under the operator's login; each is in the trail."""
    well(machine.connect("api-key", "list"), "There is no API key")
    named = ("case system", "--by", "r.ortiz")
    said = well(machine.connect("api-key", "create", *named, "--scope", "events:read"), "It works")
    made = TOKEN.findall(said)
    assert len(made) == 1
    again = well(
        machine.connect("api-key", "rotate", *named, "--overlap-hours", "2"), "2 hours more"
    )
    made += TOKEN.findall(again)
    well(machine.connect("api-key", "revoke", *named), "Revoked: case system")
    listed = well(machine.connect("api-key", "list"), "events:read")
    for token in made:
        assert token[:12] in listed
        assert token not in listed
    refused(machine.connect("api-key", "rotate", *named), "no API key of that name")
    trail = well(machine.connect("audit", "show"), "api_key.revoked")
    assert not TOKEN.search(trail)
