"""Backoff as a value."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.communications.retries import Backoff


@given(attempt=st.integers(1, 10_000))
def test_a_wait_grows_to_its_most_and_is_never_short(attempt: int) -> None:
    """Every wait lies in the upper half of its step, and no step exceeds the most."""
    backoff = Backoff(first=5, most=1800)
    whole = timedelta(seconds=min(5 * 2 ** (attempt - 1), 1800))
    assert whole / 2 <= backoff.delay(attempt) <= whole


def test_waits_are_spread() -> None:
    """Many that failed together do not come back together."""
    backoff = Backoff(first=5, most=1800)
    assert len({backoff.delay(6) for _ in range(100)}) > 90
