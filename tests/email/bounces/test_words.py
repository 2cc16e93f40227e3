"""What servers reply, in their own words: by meaning, whatever the digits in front of them say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from engine.email.bounces.reports import status_in, why
from engine.email.bounces.verdict import Kind, Why


def _replies() -> Iterator[tuple[str, str]]:
    section = ""
    for line in Path(__file__).with_name("replies.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            section = line[1:-1]
        elif line and not line.startswith("#"):
            yield section, line.replace("\\n", "\n")


REPLIES: Final = tuple(_replies())


@pytest.mark.parametrize(("told", "reply"), REPLIES, ids=[reply[:60] for _, reply in REPLIES])
def test_a_reply_is_told_by_its_meaning(told: str, reply: str) -> None:
    """The kind follows from the words of servers of many makes and languages."""
    kind = Kind(told) if told in set(Kind) else Why(told).kind
    assert why(reply, status_in(reply), "").kind is kind


def test_the_reason_itself_is_nearly_always_told() -> None:
    """Nine in ten are called by their very reason; the rest by a neighbour of the same kind."""
    reasons = [(told, reply) for told, reply in REPLIES if told not in set(Kind)]
    exact = [why(reply, status_in(reply), "") == told for told, reply in reasons]
    assert sum(exact) >= 0.9 * len(exact)
