"""Addresses checked as JSON objects."""

import json

import pytest

from engine.mail.addresses.answers import answer

HOME = {
    "name": "Ana Núñez", "addr1": "1 Example St", "addr2": "Apt 4", "city": "Sacramento",
    "state": "CA", "zip5": "95814", "zip4": "0042",
}  # fmt: skip


def test_lines_and_flags_are_answered() -> None:
    """As they will print; no flags for a good address."""
    assert answer(HOME) == {
        "lines": ["ANA NÚÑEZ", "1 EXAMPLE ST APT 4", "SACRAMENTO CA 95814-0042"],
        "flags": [],
    }


@pytest.mark.parametrize("code", ["95814-0042", "958140042", " 95814-0042 "])
def test_a_whole_zip_code_stands_for_both_its_fields(code: str) -> None:
    """Five digits, nine, or ZIP+4."""
    rest = {key: value for key, value in HOME.items() if not key.startswith("zip")}
    assert answer({**rest, "zip": code}) == answer(HOME)
    assert answer({**rest, "zip": "95814"}) == answer({**rest, "zip5": "95814"})
    assert answer({**rest, "zip": "9581-40042"})["flags"] == ["INCOMPLETE"]


def test_what_is_absent_or_null_is_empty() -> None:
    """An empty object is an address with nothing in it."""
    assert answer({}) == {"lines": [], "flags": ["INCOMPLETE"]}
    assert answer({**HOME, "country": None, "confidential": None}) == answer(HOME)


def test_facts_and_the_window_are_taken_into_account() -> None:
    """Confidential, substitute, returned before, and how many lines there are."""
    assert answer({**HOME, "confidential": True})["flags"] == ["CONFIDENTIAL"]
    assert answer({**HOME, "confidential": True, "substitute": True})["flags"] == []
    assert answer({**HOME, "returned_before": True})["flags"] == ["RETURNED_BEFORE"]
    assert answer({**HOME, "window_lines": 2})["flags"] == ["TOO_MANY_LINES"]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"street": "secret"}, "'street': not a field of an address"),
        ({"name": 7}, "name: must be text"),
        ({"zip": 95814}, "zip: must be text"),
        ({"addr1": ["secret"]}, "addr1: must be text"),
        ({"confidential": "yes"}, "confidential: must be true or false"),
        ({"window_lines": "4"}, "window_lines: must be a whole number from 1 to 12"),
        ({"window_lines": True}, "window_lines: must be a whole number from 1 to 12"),
        (
            {"zip": "95814", "zip5": "95814"},
            "zip: stands in place of zip5 and zip4, not beside them",
        ),
    ],
)
def test_what_is_no_address_is_refused_by_name(given: dict[str, object], error: str) -> None:
    """The field is named, and never what it held."""
    assert answer(given) == {"error": error}


def test_an_answer_is_json_whatever_was_asked() -> None:
    """Half a surrogate pair, which JSON may carry, among it."""
    assert json.loads(json.dumps(answer({"name": "a\ud800"})))["flags"] == [
        "INCOMPLETE",
        "UNRENDERABLE",
    ]
