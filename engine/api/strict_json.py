"""Bodies in JSON, read strictly: nothing is guessed, passed over or taken for something else.

What is wrong is said by JSON Pointer, in words of ours: no value is repeated, and no name of a
field that was made up unless it looks like one.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from engine.api.problems import BODY_UNREADABLE, INVALID, NOT_JSON, Fault, ProblemError
from engine.case_system.asks import BROKEN_RULE, RECORDABLE
from engine.request_bodies import BODY_MOST, bounded_body

DEPTH_MOST: Final = 8
_FIELD: Final = re.compile(r"[a-z][a-z_]{0,39}")
_T = TypeVar("_T")

_WORDS: Final = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "list_type": "must be an array",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "bool_type": "must be true or false",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_pattern_mismatch": "must look like {pattern}",
    "string_too_short": "must have {min_length} characters or more",
    "string_too_long": "must have {max_length} characters at most",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} at most",
    "less_than": "must be less than {lt}",
    "too_short": "must have {min_length} or more",
    "too_long": "must have {max_length} at most",
    BROKEN_RULE: "must be {allowed}",
}
"""What is said of each kind of fault; what is filled in is ours, and none of it was sent."""
_UNFIT: Final = "is not as the schema has it"


class _UnreadableError(ValueError):
    """Its text says what JSON of ours never holds."""


async def read_json(request: Request, most: int = BODY_MOST) -> object:
    """The body of a request as JSON has it. Raises ProblemError; and HTTPException as
    `bounded_body` does."""
    media_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise ProblemError(NOT_JSON)
    return parse(await bounded_body(request, most))


def parse(body: bytes) -> object:
    """JSON (RFC 8259) in UTF-8, of which no two readers make different things. Raises
    ProblemError."""
    try:
        given = json.loads(
            body.decode(),
            object_pairs_hook=_object,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
        _look_through(given)
    except UnicodeDecodeError:
        raise ProblemError(BODY_UNREADABLE, "It is not UTF-8.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ProblemError(BODY_UNREADABLE, f"It is not JSON from {where} on.") from None
    except _UnreadableError as error:
        raise ProblemError(BODY_UNREADABLE, str(error)) from None
    except (ValueError, RecursionError):
        # A number of thousands of digits, or brackets without end.
        raise ProblemError(BODY_UNREADABLE) from None
    return given


def validated(adapter: TypeAdapter[_T], given: object) -> _T:
    """What was given, as its model has it. Raises ProblemError, which names every fault."""
    try:
        return adapter.validate_python(given)
    except ValidationError as error:
        raise ProblemError(INVALID, faults=[*_faults(error)]) from None


def _faults(error: ValidationError) -> Iterator[Fault]:
    for each in error.errors(include_input=False, include_url=False):
        path = _without_tags(each["loc"])
        kind, context = each["type"], each.get("ctx", {})
        if kind in {"union_tag_not_found", "union_tag_invalid"}:
            yield Fault((*path, "notice"), _of_notice(kind))
        elif kind == "extra_forbidden" and not _FIELD.fullmatch(str(path[-1])):
            yield Fault(path[:-1], "has a field that is not known here")
        else:
            yield Fault(path, _WORDS.get(kind, _UNFIT).format(**context))


def _of_notice(kind: str) -> str:
    if kind == "union_tag_not_found":
        return "is required, in an object"
    return f"must be a notice that is recorded here: {', '.join(RECORDABLE)}; see /catalogue"


def _without_tags(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Where pydantic was, without the notice by which it chose a model."""
    return tuple(
        part
        for turn, part in enumerate(loc)
        if part not in RECORDABLE or (turn > 0 and isinstance(loc[turn - 1], str))
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _UnreadableError("An object in it names a field twice.")
    return found


def _finite(written: str) -> float:
    number = float(written)
    if not math.isfinite(number):
        raise _UnreadableError("It holds a number that is too large.")
    return number


def _no_constant(_written: str) -> NoReturn:
    raise _UnreadableError("It holds NaN or Infinity, which JSON does not know.")


def _look_through(given: object) -> None:
    """Refuse what is nested too deep, and texts that are none."""
    left = [(given, 1)]
    while left:
        value, depth = left.pop()
        if isinstance(value, str):
            _look_at(value)
            continue
        if not isinstance(value, dict | list):
            continue
        if depth > DEPTH_MOST:
            raise _UnreadableError(f"It is nested deeper than {DEPTH_MOST}.")
        inside = [*value.keys(), *value.values()] if isinstance(value, dict) else value
        left += [(each, depth + 1) for each in inside]


def _look_at(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _UnreadableError("It holds half of a character.") from None
    if "\0" in text:
        raise _UnreadableError("It holds a NUL character.")
