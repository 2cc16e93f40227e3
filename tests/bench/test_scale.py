"""What is at its end first, on paper."""

import pytest

from bench.scale import limits, on_paper

EACH = {"the workers": 0.0002, "PostgreSQL": 0.0004, "Redis": 0.00001, "the sink": 0.0001}


def test_the_server_that_ends_first_is_named_first() -> None:
    """Sixteen cores, 70 % busy, at 0.4 ms a message: 28,000 a second; Redis has one core, and ends
    later; the sink is not ours."""
    ends = limits(EACH, logged=2_000)
    assert [round(limit.per_second) for limit in ends] == [28_000, 70_000, 70_000]
    assert ends[0].name.startswith("PostgreSQL, 16 cores")
    assert limits(EACH, logged=20_000)[0].name.startswith("PostgreSQL's log")


def test_a_state_is_counted_by_both_parents() -> None:
    """1.1 million cases are 2.2 million messages: so many minutes at the first server's end, by so
    many cores of workers, and so many on one."""
    cores, least, alone = on_paper(1_100_000, EACH, limits(EACH, logged=2_000)[0])
    assert cores == pytest.approx(5.6)
    assert least == pytest.approx(2_200_000 / 28_000 / 60)
    assert alone == pytest.approx(2_200_000 * 0.0002 / 60)
