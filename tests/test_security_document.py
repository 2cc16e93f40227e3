"""docs/security.md names the tests that hold its promises, and they exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAMED = re.compile(r"`(tests/[a-z_/0-9]+\.py)::(test_[a-z_0-9]+)`")
DEFENCES_LEAST = 40


def names_in(path: Path) -> set[str]:
    """The tests of a file, by name."""
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_test_that_the_threat_model_names_exists() -> None:
    """A defence whose test was renamed or taken out is no longer held: the page says so no more."""
    named = NAMED.findall((ROOT / "docs" / "security.md").read_text(encoding="utf-8"))
    assert len(named) >= DEFENCES_LEAST
    found = {file: names_in(ROOT / file) for file in {file for file, _ in named}}
    assert [f"{file}::{test}" for file, test in named if test not in found[file]] == []


def test_every_threat_has_a_test() -> None:
    """No row of a table of threats is without one."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and line.count("|") == 4]
    tables = text.partition("## What is sealed at rest")[0]
    threats = [row for row in rows if row in tables and not row.startswith("| Threat")]
    assert len(threats) >= DEFENCES_LEAST - 10
    assert [row for row in threats if NAMED.search(row) is None] == []
