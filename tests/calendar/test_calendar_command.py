"""`connect calendar due`, as a person asks it and as a program does."""

import json
import os
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from engine.calendar.deadlines import due_by
from engine.cli.calendar import app
from engine.errors import InputError


def run(*arguments: str, lines: bytes | None = None) -> Result:
    """The command's outcome; with `lines` on its standard input."""
    return CliRunner().invoke(app, ["due", *arguments], input=lines)


def answers(lines: bytes) -> tuple[list[dict[str, str]], int]:
    """What `--jsonl` answered, and the exit status."""
    result = run("--jsonl", lines=lines)
    return [json.loads(line) for line in result.stdout.splitlines()], result.exit_code


def test_it_prints_the_day_and_the_closures_it_stepped_over() -> None:
    """A person sees the due day, where the count began, and each closed day with its name."""
    result = run("--from", "2026-11-25T16:59-08:00", "--days", "1")
    assert result.exit_code == 0
    assert "Due Monday 2026-11-30" in result.stdout
    assert "Counted from Wednesday 2026-11-25" in result.stdout
    for stepped in ("2026-11-26", "Thanksgiving Day", "2026-11-27", "2026-11-28", "2026-11-29"):
        assert stepped in result.stdout


def test_it_says_when_a_request_came_after_hours() -> None:
    """A person sees why the count began a day later, and that no closed day was in the way."""
    result = run("--from", "2026-10-06T17:01-07:00", "--days", "1")
    assert "Due Thursday 2026-10-08" in result.stdout
    assert "because it was asked after 17:00" in result.stdout
    assert "No closed day" in result.stdout


@pytest.mark.parametrize(
    ("moment", "days", "says"),
    [
        ("2026-11-25T16:59", "1", "offset"),
        ("2026-11-25", "1", "offset"),
        ("the other day", "1", "offset"),
        ("2026-11-25T16:59-08:00", "-1", "between 0 and"),
    ],
)
def test_a_moment_without_an_offset_and_an_absurd_count_are_refused(
    moment: str, days: str, says: str
) -> None:
    """What cannot be counted is an InputError that says what is wrong with it."""
    result = run("--from", moment, "--days", days)
    assert result.exit_code != 0
    assert isinstance(result.exception, InputError)
    assert says in str(result.exception)


def test_half_a_question_is_refused() -> None:
    """Without --jsonl both --from and --days must be given."""
    result = run("--days", "1")
    assert result.exit_code == 2


def test_lines_are_answered_in_order_one_each() -> None:
    """Each question on standard input has one answer, in the same place."""
    asked = [
        {"from": "2026-11-25T16:59-08:00", "days": 1},
        {"from": "2026-10-06T17:01-07:00", "days": 1},
        {"days": 10, "from": "2026-12-18T20:00:00Z", "case": "more keys do no harm"},
    ]
    given, status = answers("".join(json.dumps(line) + "\n" for line in asked).encode())
    assert given == [{"due": "2026-11-30"}, {"due": "2026-10-08"}, {"due": "2027-01-05"}]
    assert status == 0


def test_no_lines_have_no_answers() -> None:
    """An empty input is no mistake."""
    assert answers(b"") == ([], 0)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 4000, "not JSON"),
        (b"9" * 4000, "object"),
        (b" " * 5000, "4096 bytes"),
        (b"[]", "object"),
        (b"null", "object"),
        (b'{"from": "2026-11-25T16:59-08:00"}', "object"),
        (b'{"from": 20261125, "days": 1}', "string"),
        (b'{"from": null, "days": 1}', "string"),
        (b'{"from": "yesterday", "days": 1}', "ISO 8601"),
        (b'{"from": "2026-11-25T16:59", "days": 1}', "offset"),
        (b'{"from": "2026-11-25T16:59-08:00", "days": "1"}', "whole number"),
        (b'{"from": "2026-11-25T16:59-08:00", "days": 1.5}', "whole number"),
        (b'{"from": "2026-11-25T16:59-08:00", "days": true}', "whole number"),
        (b'{"from": "2026-11-25T16:59-08:00", "days": NaN}', "whole number"),
        (b'{"from": "2026-11-25T16:59-08:00", "days": -1}', "between 0 and"),
        (b'{"from": "0001-01-01T00:00+14:00", "days": 1}', "2010"),
        (b'{"from": "9999-12-31T23:59-14:00", "days": 1}', "2199"),
    ],
)
def test_a_bad_line_is_answered_with_its_error_and_the_rest_go_on(line: bytes, says: str) -> None:
    """A bad line costs only its own answer, and the exit status at the end."""
    good = b'{"from": "2026-11-25T16:59-08:00", "days": 1}'
    given, status = answers(b"\n".join((good, line, good)))
    assert [list(answer) for answer in given] == [["due"], ["error"], ["due"]]
    assert says in given[1]["error"]
    assert status == 1


def test_a_program_may_wait_for_each_answer() -> None:
    """An answer is written out before the next question is asked."""
    command = "from engine.cli.calendar import app; app()"
    # Where this is set Python writes everything at once, and the promise would not be tried.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        [sys.executable, "-c", command, "due", "--jsonl"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for days, due in ((1, "2026-11-30"), (2, "2026-12-01")):
            asked = {"from": "2026-11-25T16:59-08:00", "days": days}
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == {"due": due}
        process.stdin.close()
        assert process.wait() == 0


def test_a_hundred_thousand_lines_are_answered() -> None:
    """Many lines are each answered as the one function would."""
    line = '{{"from":"2026-{:02}-{:02}T{:02}:30:00-08:00","days":{}}}\n'
    asked = "".join(line.format(i % 12 + 1, i % 28 + 1, i % 24, i % 11) for i in range(100_000))
    given, status = answers(asked.encode())
    assert status == 0
    assert len(given) == 100_000
    for question, answer in list(zip(asked.splitlines(), given, strict=True))[::997]:
        assert answer["due"] == _direct(json.loads(question))


def _direct(question: dict[str, Any]) -> str:
    return due_by(datetime.fromisoformat(question["from"]), question["days"]).isoformat()
