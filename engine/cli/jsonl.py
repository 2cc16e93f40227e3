"""JSON lines on standard input, answered by JSON lines on standard output: one each, in order."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from typing import Any, Final, cast

from engine.errors import InputError

Answer = Callable[[dict[str, Any]], dict[str, Any]]

LONGEST_LINE: Final = 4096
"""Bytes, the line feed not among them."""

_CHUNK: Final = 1 << 16


def answer_lines(answer: Answer, *, longest: int = LONGEST_LINE) -> int:
    """Answer every object on standard input with what `answer` makes of it, until its end.

    A line that is not one JSON object in UTF-8, or for which `answer` raises InputError, is
    answered with `{"error": …}`, which repeats nothing of the line. What has come in is answered
    before more is waited for, so that a program may ask one thing at a time. Answers are ASCII:
    no reader takes a character of theirs for the end of a line. When nobody reads any longer, it
    ends in silence. Returns how many lines were answered with an error.
    """
    output = sys.stdout.buffer
    errors = 0
    try:
        for lines in _arriving(cast("BufferedIOBase", sys.stdin.buffer), longest):
            answers = [_answered(line, answer, longest) for line in lines]
            errors += sum("error" in given for given in answers)
            output.write("".join(json.dumps(given) + "\n" for given in answers).encode("ascii"))
            output.flush()
    except BrokenPipeError:
        # What could not be written must not be tried again when Python closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return errors


def _arriving(stream: BufferedIOBase, longest: int) -> Iterator[list[bytes]]:
    """The lines that are there, as often as some are; of one that is too long only the beginning,
    which is longer than `longest` too."""
    rest = b""
    while chunk := stream.read1(_CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[: longest + 1]
        if lines:
            yield lines
    if rest:
        yield [rest]


def _answered(line: bytes, answer: Answer, longest: int) -> dict[str, Any]:
    try:
        return answer(_parsed(line, longest))
    except InputError as error:
        return {"error": str(error)}


def _parsed(line: bytes, longest: int) -> dict[str, Any]:
    if len(line) > longest:
        raise InputError(f"a line may be {longest} bytes long")
    try:
        text = line.decode("utf-8")
        asked = _DECODER.decode(text)
        if "\\u" in text:
            # Half of a surrogate pair is a legal escape, and no character.
            json.dumps(asked, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise InputError("the line is not JSON in UTF-8") from None
    if not isinstance(asked, dict):
        raise InputError("a line must be an object")
    return asked


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InputError("a key stands twice in one object")
    return found


def _no_number(_: str) -> float:
    raise InputError("JSON has whole numbers and decimals, but neither NaN nor Infinity")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_no_number)
