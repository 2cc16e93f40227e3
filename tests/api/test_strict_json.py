"""Bodies are read strictly, and what cannot be read is said in words of ours."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.api.problems import BODY_UNREADABLE, ProblemError, ProblemKind
from engine.api.strict_json import DEPTH_MOST, parse
from tests.api.api_site import V1, ApiSite, payment, record
from tests.database_rows import fetch

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(-1e9, 1e9) | TEXT,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(TEXT, inside, max_size=3),
    max_leaves=9,
)


@given(JSON)
def test_what_is_json_is_read_as_it_is(value: object) -> None:
    """Whatever a library writes, as long as it is not nested deeper than anything of ours."""
    kind, read = read_or_refused(json.dumps(value).encode())
    assert kind is BODY_UNREADABLE if deep(value) > DEPTH_MOST else read == value


@given(st.binary(max_size=40))
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    """No byte is a failure of ours."""
    assert read_or_refused(body)[0] in {None, BODY_UNREADABLE}


def read_or_refused(body: bytes) -> tuple[ProblemKind | None, object]:
    """The kind of problem that a body is, or what it reads."""
    try:
        return None, parse(body)
    except ProblemError as error:
        return error.kind, None


def deep(value: object) -> int:
    """How deep a value is nested."""
    if not isinstance(value, dict | list):
        return 0
    inside = value.values() if isinstance(value, dict) else value
    return 1 + max(map(deep, inside), default=0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"a": 1, "a": 2}',
        b'[{"b": {"a": 1, "a": 1}}]',
        b'{"a": NaN}',
        b"[-Infinity]",
        b"[1e999]",
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        b'["\\ud800"]',
        b'{"\\ud800": 1}',
        b'["\\u0000"]',
        b"[" * (DEPTH_MOST + 1) + b"]" * (DEPTH_MOST + 1),
        b"[" * 200_000,
        b"[" + b"9" * 5_000 + b"]",
        b"{'a': 1}",
        b'{"a": 1} x',
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_two_readers_might_read_differently_is_refused(body: bytes) -> None:
    """A field named twice, NaN, half a character, another encoding, brackets without end."""
    with pytest.raises(ProblemError) as raised:
        parse(body)
    assert raised.value.kind is BODY_UNREADABLE


async def test_a_body_that_is_not_read_is_a_problem(api: ApiSite) -> None:
    """Of another type, not JSON, too large: nothing of it is repeated."""
    client = await api.client()
    for content_type, content, status in (
        ("text/plain", b"{}", 415),
        ("application/x-www-form-urlencoded", b"notice=payment_notice", 415),
        ("application/json; charset=utf-8", b'{"notice": "Mar\xc3\xada', 400),
        ("application/json", b" " * (64 * 1024 + 1), 413),
    ):
        headers = {"Content-Type": content_type, "Idempotency-Key": "one"}
        answer = await client.post(f"{V1}/communications", content=content, headers=headers)
        assert (answer.status_code, answer.json()["status"]) == (status, status)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "Mar" not in answer.text


async def test_a_thousand_and_one_are_too_many_and_none_are_too_few(api: ApiSite) -> None:
    """The array is named, and nothing is recorded."""
    client = await api.client()
    for number in (0, 1_001):
        body = {"communications": [payment()] * number}
        answer = await record(client, body, path="/communications/batch")
        assert answer.status_code == 422
        assert [each["pointer"] for each in answer.json()["errors"]] == ["#/communications"]
    assert await fetch(api.application, "SELECT FROM communication") == []
