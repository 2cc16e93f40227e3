"""`connect mail barcode`, as a person asks it and as a program does."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from engine.cli.mail import app
from engine.mail.barcode import RefusedBarcodeError
from tests.mail.reference_barcode import decoded, encoded

TRACKING = "01234567094987654321"
ROUTING = "01234567891"
BARS = "AADTFFDFTDADTAADAATFDTDDAAADDTDTTDAFADADDDTFFFDDTTTADFAAADFTDAADA"


def run(*arguments: str, lines: str | None = None) -> Result:
    """The command's outcome; with `lines` on its standard input."""
    return CliRunner().invoke(app, ["barcode", *arguments], input=lines)


def answers(*questions: Any) -> list[dict[str, str]]:
    """What `--jsonl` answers to JSON values."""
    result = run("--jsonl", lines="".join(json.dumps(question) + "\n" for question in questions))
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_each_line_has_its_bars_or_its_error_in_order() -> None:
    """One answer a line, the legal ones not disturbed by the others."""
    given = answers(
        {"tracking": TRACKING, "routing": ROUTING},
        {"tracking": "05" + TRACKING[2:], "routing": ROUTING},
        {"tracking": TRACKING, "routing": ""},
        {"tracking": TRACKING, "routing": "0123"},
        {"tracking": TRACKING, "routing": "01234", "piece": "more keys do no harm"},
    )
    assert [list(answer) for answer in given] == [
        ["bars"],
        ["error"],
        ["bars"],
        ["error"],
        ["bars"],
    ]
    assert given[0] == {"bars": BARS}
    assert "second digit" in given[1]["error"]
    assert decoded(given[2]["bars"]) == (TRACKING, "")
    assert "0, 5, 9 or 11" in given[3]["error"]
    assert decoded(given[4]["bars"]) == (TRACKING, "01234")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, '"tracking"'),
        ({"tracking": TRACKING}, '"routing"'),
        ({"routing": ROUTING}, '"tracking"'),
        ({"tracking": int("1" * 20), "routing": ""}, '"tracking"'),
        ({"tracking": TRACKING, "routing": 95814}, '"routing"'),
        ({"tracking": TRACKING, "routing": None}, '"routing"'),
        ({"tracking": TRACKING, "routing": False}, '"routing"'),
        ({"tracking": [TRACKING], "routing": ""}, '"tracking"'),
        ({"tracking": list(TRACKING), "routing": ""}, '"tracking"'),
        ({"tracking": {"bars": BARS}, "routing": ""}, '"tracking"'),
        ({"Tracking": TRACKING, "routing": ""}, '"tracking"'),
    ],
)
def test_both_must_be_strings(asked: dict[str, Any], says: str) -> None:
    """A number has lost its leading zeros, and what is not there is not nothing."""
    (given,) = answers(asked)
    assert list(given) == ["error"]
    assert says in given["error"]


def test_thousands_are_answered() -> None:
    """Each line of many is answered as the specification has it."""
    asked = [
        {"tracking": f"00700123456{number:09d}", "routing": f"{number:05d}"}
        for number in range(5000)
    ]
    for question, given in zip(asked, answers(*asked), strict=True):
        assert given == {"bars": encoded(question["tracking"], question["routing"])}


def test_a_person_gets_the_bars() -> None:
    """Without lines, one barcode; its routing may be left out."""
    result = run("--tracking", TRACKING, "--routing", ROUTING)
    assert (result.exit_code, result.stdout) == (0, BARS + "\n")
    assert decoded(run("--tracking", TRACKING).stdout.strip()) == (TRACKING, "")


def test_a_person_is_told_what_is_wrong() -> None:
    """What may not be encoded is an error that says why."""
    result = run("--tracking", TRACKING, "--routing", "0123")
    assert isinstance(result.exception, RefusedBarcodeError)
    assert run().exit_code == 2
