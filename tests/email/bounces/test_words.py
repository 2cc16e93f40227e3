"""What servers reply, in their own words: by meaning, whatever the digits in front of them say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from engine.email.bounces.reports import status_in, why
from engine.email.bounces.verdict import Kind, Why


def _replies() -> Iterator[tuple[Why, str]]:
    cause = Why.UNDETERMINED
    for line in Path(__file__).with_name("replies.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            cause = Why(line[1:-1])
        elif line and not line.startswith("#"):
            yield cause, line.replace("\\n", "\n")


REPLIES: Final = tuple(_replies())


@pytest.mark.parametrize(("cause", "reply"), REPLIES, ids=[reply[:60] for _, reply in REPLIES])
def test_a_reply_is_told_by_its_meaning(cause: Why, reply: str) -> None:
    """The kind follows from the words of servers of many makes and languages."""
    assert why(reply, status_in(reply), "").kind is cause.kind


def test_the_reason_itself_is_nearly_always_told() -> None:
    """Nine in ten are called by their very reason; the rest by a neighbour of the same kind."""
    told = [why(reply, status_in(reply), "") is cause for cause, reply in REPLIES]
    assert sum(told) >= 0.9 * len(told)


def test_the_replies_are_of_both_kinds_of_failure() -> None:
    """The table is not one-sided."""
    assert {cause.kind for cause, _ in REPLIES} == {Kind.HARD, Kind.SOFT}
