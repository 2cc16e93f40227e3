"""The mark on a sheet, as an inserter's camera sees it."""

from engine.mail.sheet_marks import mark_modules, mark_svg, sheet_mark

TEXT = sheet_mark("ccss_test_letters_20261123_001", 12, 1, 2)


def test_what_a_mark_says() -> None:
    """The contract's order: version, batch, piece, sheet, sheets."""
    assert TEXT == "1|ccss_test_letters_20261123_001|12|1|2"


def test_a_mark_has_the_finder_pattern_of_data_matrix() -> None:
    """Solid on the left and below, alternating above and on the right (ISO/IEC 16022)."""
    modules = mark_modules(TEXT)
    size = len(modules)
    assert all(len(row) == size for row in modules)
    assert all(row[0] for row in modules)
    assert all(modules[-1])
    assert [modules[0][column] for column in range(size)] == [c % 2 == 0 for c in range(size)]
    assert [modules[row][-1] for row in range(size)] == [r % 2 == 1 for r in range(size)]


def test_the_drawing_has_the_same_cells() -> None:
    """The vector path, painted cell by cell, is the symbol again."""
    modules = mark_modules(TEXT)
    painted = [[False] * len(modules) for _ in modules]
    path = mark_svg(TEXT).split('d="')[1].split('"')[0]
    for run in path.rstrip("z").split("z"):
        place, length = run.removeprefix("M").split("h")[:2]
        column, row = map(int, place.split())
        for step in range(int(length.split("v")[0])):
            painted[row][column + step] = True
    assert tuple(map(tuple, painted)) == modules


def test_different_sheets_are_marked_differently() -> None:
    """Two sheets of one piece cannot be mistaken for each other."""
    assert mark_modules(TEXT) != mark_modules(
        sheet_mark("ccss_test_letters_20261123_001", 12, 2, 2)
    )
