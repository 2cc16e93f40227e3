"""The documented columns are the ones the import reads."""

from pathlib import Path

from engine.caseload.columns import Rules, caseload_files, documentation

PAGE = Path(__file__).parents[2] / "docs" / "caseload-files.md"


def test_the_page_says_what_the_import_does() -> None:
    """The page is the description that the code prints: `connect caseload columns`."""
    assert PAGE.read_text(encoding="utf-8") == documentation(Rules())


def test_every_file_comes_after_those_it_refers_to() -> None:
    """A row can be linked only to what is loaded before it."""
    seen: set[str] = set()
    for file in caseload_files(Rules()):
        assert {reference.file for reference in file.references} <= seen
        seen.add(file.name)
