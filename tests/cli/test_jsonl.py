"""JSON lines: every line has its one answer, whatever it is and whoever reads."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from engine.cli.jsonl import LONGEST_LINE, answer_lines
from engine.errors import InputError

SECRET = "402719"


def echo(asked: dict[str, Any]) -> dict[str, Any]:
    """What was asked; or an error where that was asked for."""
    if asked.get("refuse"):
        raise InputError("this one is refused")
    return {"echo": asked}


def answers(lines: bytes) -> list[dict[str, Any]]:
    """What the lines are answered with."""
    app = typer.Typer()

    @app.command()
    def command() -> None:
        typer.echo(answer_lines(echo), err=True)

    result = CliRunner().invoke(app, input=lines)
    assert result.exit_code == 0
    given = [json.loads(line) for line in result.stdout.split("\n")[:-1]]
    assert int(result.stderr) == sum("error" in answer for answer in given)
    return given


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", "not JSON"),
        (b"   \t", "not JSON"),
        (b"\r", "not JSON"),
        (b"{", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b'{"a": 1} {"a": 1}', "not JSON"),
        (b'{"a": "402719}', "not JSON"),
        (b'{"a": "\x00"}', "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a": "\xff"}', "not JSON"),
        (b'{"a": "\xed\xa0\x80"}', "not JSON"),
        ('{"a": 1}'.encode("utf-16"), "not JSON"),
        (b'{"a": "\\ud800"}', "not JSON"),
        (b'{"\\udfff": 1}', "not JSON"),
        (b"[" * 2000, "not JSON"),
        (b'{"a":' * 800, "not JSON"),
        (b'{"a":' + b"[" * 1900 + b"]" * 1900 + b"}", "not JSON"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": [-Infinity]}', "Infinity"),
        (b'{"a": 402719, "a": 402719}', "twice"),
        (b'{"a": {"b": 1, "b": 2}}', "twice"),
        (b"[]", "object"),
        (b"null", "object"),
        (b"402719", "object"),
        (b'"402719"', "object"),
        (b'{"refuse": true}', "refused"),
        (b'{"a": "' + b"4" * LONGEST_LINE + b'"}', "4096 bytes"),
        (b" " * (LONGEST_LINE + 1), "4096 bytes"),
        (b"x" * 1_000_000, "4096 bytes"),
    ],
)
def test_a_bad_line_costs_only_its_own_answer(line: bytes, says: str) -> None:
    """It is answered with an error that repeats nothing of it, and the others as ever."""
    given = answers(b"\n".join((b'{"n": 1}', line, b'{"n": 2}')))
    assert [given[0], given[2]] == [{"echo": {"n": 1}}, {"echo": {"n": 2}}]
    assert len(given) == 3
    assert list(given[1]) == ["error"]
    assert says in given[1]["error"]
    assert SECRET not in given[1]["error"]


@pytest.mark.parametrize(
    ("lines", "count"),
    [(b"", 0), (b"\n", 1), (b"{}", 1), (b"{}\n", 1), (b"{}\n\n", 2), (b"{}\r\n{}\r\n", 2)],
)
def test_a_line_ends_with_a_line_feed_or_with_the_input(lines: bytes, count: int) -> None:
    """As many answers as lines, the last of them ended or not; a carriage return is white space."""
    assert len(answers(lines)) == count


def test_the_longest_line_is_answered() -> None:
    """A line of just as many bytes as are allowed is no error."""
    line = b'{"a":"' + b"n" * (LONGEST_LINE - 8) + b'"}'
    assert len(line) == LONGEST_LINE
    assert "echo" in answers(line)[0]
    assert "error" in answers(line + b" ")[0]


def test_no_character_ends_an_answer_early() -> None:
    """What other programs take for the end of a line is escaped, and is itself again when read."""
    asked = {"a": "Peña\u2028\u2029\x85\x1c\x0b\x7f🙂"}
    assert answers(json.dumps(asked).encode()) == [{"echo": asked}]
    assert answers(json.dumps(asked, ensure_ascii=False).encode()) == [{"echo": asked}]


def test_lines_arrive_in_pieces() -> None:
    """A line that comes in two pieces is one line."""
    with _asked() as process:
        assert process.stdin
        assert process.stdout
        for piece in (b'{"a"', b": 1", b'}\n{"a": 2}', b"\n"):
            process.stdin.write(piece)
            process.stdin.flush()
        assert json.loads(process.stdout.readline()) == {"echo": {"a": 1}}
        assert json.loads(process.stdout.readline()) == {"echo": {"a": 2}}
        process.stdin.close()
        assert process.wait() == 0


def test_it_ends_in_silence_when_nobody_reads_any_longer() -> None:
    """`connect … --jsonl | head -1` is no error."""
    with _asked() as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b"{}\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b"{}\n")
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def _asked() -> subprocess.Popen[bytes]:
    # Where this is set Python writes everything at once, and no promise would be tried.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.Popen(
        [sys.executable, "-c", _COMMAND],
        env=environment,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


_COMMAND = 'from engine.cli.jsonl import answer_lines; answer_lines(lambda asked: {"echo": asked})'
