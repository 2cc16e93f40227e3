"""What benches find stands on the page between marks, and nothing by hand is touched."""

import pytest

from bench.__main__ import PLANS
from bench.page import PAGE, MarkMissingError, with_findings

MARKED = "before\n<!-- send: python -m bench send -->\n{}<!-- send ends -->\nafter\n"


def test_findings_take_the_place_of_the_last_ones() -> None:
    """However often a bench runs, the page holds what it found last, once; a backslash is one."""
    first = with_findings(MARKED.format(""), "send", "| 1 |\n")
    assert first == MARKED.format("\n| 1 |\n\n")
    assert with_findings(first, "send", r"| \2 |") == MARKED.format("\n| \\2 |\n\n")


def test_a_bench_without_a_place_is_said() -> None:
    """Figures that nobody would ever see are no figures."""
    with pytest.raises(MarkMissingError, match="no marks for scale"):
        with_findings(MARKED.format(""), "scale", "| 1 |")


def test_every_bench_has_its_place() -> None:
    """docs/performance.md has marks for each that `python -m bench` runs."""
    page = PAGE.read_text(encoding="utf-8")
    for name in PLANS:
        assert "found" in with_findings(page, name, "found")
