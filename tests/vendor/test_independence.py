"""The vendor is written from the contract: nothing of it knows the engine."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

MODULES = sorted(
    path for path in Path(__file__).parent.glob("*.py") if not path.name.startswith("test_")
)


def imported(path: Path) -> Iterator[str]:
    """Every module that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_a_module_imports_nothing_of_ours(path: Path) -> None:
    """Only the vendor's own modules and what anyone can install."""
    of_this_tree = {"engine", "jobs", "bench", "tests"}
    named = [name for name in imported(path) if name.split(".")[0] in of_this_tree]
    assert [name for name in named if not name.startswith("tests.vendor.")] == []
    assert "import_module" not in path.read_text()


def test_the_checker_stands_alone() -> None:
    """`verify_batch.py` is handed out as one file, on the standard library."""
    path = Path(__file__).with_name("verify_batch.py")
    assert not [name for name in imported(path) if name.startswith("tests")]
    assert "engine" not in path.read_text()
