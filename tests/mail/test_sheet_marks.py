"""The mark on a sheet, as an inserter's camera sees it: on the printed page, in dots."""

from datetime import date
from functools import cache

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from engine.mail.composing import ComposedPart, compose_part
from engine.mail.sheet_marks import MODULE_INCHES, mark_modules, mark_svg, sheet_mark
from tests.mail.sample_letters import both, letter, long

DAY = date(2026, 11, 23)
TEXT = sheet_mark("ccss_test_letters_20261123_001", 12, 1, 2)
SHORT = "ccss_test_letters_20261123_001"
LONG = "californiacs_prod_lettersofpins16x_20261123_999"
"""The longest name of a batch that settings allow."""

_DATA_MATRIX = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.DataMatrix)


def test_what_a_mark_says() -> None:
    """The contract's order: version, batch, piece, sheet, sheets."""
    assert TEXT == "1|ccss_test_letters_20261123_001|12|1|2"


@cache
def part(batch_id: str) -> ComposedPart:
    """Pieces of one sheet, of two and of three, late in a large batch."""
    letters = [
        letter(piece_id="piece-a"),
        both(piece_id="piece-b"),
        letter(long(times=32), piece_id="piece-c"),
        letter(long(times=74), piece_id="piece-d"),
    ]
    return compose_part(letters, batch_id=batch_id, document_date=DAY, first_seq=49_997)


@cache
def page(batch_id: str, number: int, dpi: int) -> Image.Image:
    """A page of the part as a printer lays it down; the first is 0."""
    with pypdfium2.PdfDocument(part(batch_id).pdf) as pdf:
        picture = pdf[number].render(scale=dpi / 72, grayscale=True).to_pil()
    assert isinstance(picture, Image.Image)
    return picture


def read(picture: Image.Image) -> list[str]:
    """What a reader of Data Matrix finds anywhere on a picture."""
    found = zxingcpp.read_barcodes(picture, formats=_DATA_MATRIX)
    return [mark.text for mark in found]


def expected(batch_id: str) -> list[list[str]]:
    """The mark of every page in turn: of each front, and none of a back."""
    marks = [mark for piece in part(batch_id).pieces for mark in piece.sheet_marks]
    return [page for mark in marks for page in ([mark], [])]


def test_the_sample_has_pieces_of_several_sheets() -> None:
    """What is read below are marks of the contract, the second of two and the third among them."""
    fronts = [page[0] for page in expected(SHORT)[::2]]
    assert fronts[0] == f"1|{SHORT}|49997|1|1"
    assert f"1|{SHORT}|49999|2|2" in fronts
    assert f"1|{SHORT}|50000|3|3" in fronts
    assert len(set(fronts)) == len(fronts)


@pytest.mark.parametrize("dpi", [200, 300])
@pytest.mark.parametrize("batch_id", [SHORT, LONG])
def test_every_front_of_a_rendered_part_decodes_to_its_mark(batch_id: str, dpi: int) -> None:
    """A reader that knows nothing of us finds on each sheet its own mark, and no other."""
    pages = range(part(batch_id).pages)
    assert [read(page(batch_id, number, dpi)) for number in pages] == expected(batch_id)


@pytest.mark.parametrize("turn", [-3, 2, 90, 180])
def test_a_sheet_may_lie_askew(turn: float) -> None:
    """The camera reads a sheet that runs crooked, or the other way round."""
    crooked = page(LONG, 0, 200).rotate(turn, expand=True, fillcolor=255)
    assert read(crooked) == expected(LONG)[0]


@pytest.mark.parametrize("batch_id", [SHORT, LONG])
def test_a_mark_has_paper_around_it(batch_id: str) -> None:
    """A module of quiet zone on each side (ISO/IEC 16022), 1/6 in from the edge of the sheet, where
    printers lay down no ink, and above the window's band."""
    dpi = 300
    (mark,) = zxingcpp.read_barcodes(page(batch_id, 0, dpi))
    left, top = mark.position.top_left.x, mark.position.top_left.y
    right, bottom = mark.position.bottom_right.x, mark.position.bottom_right.y
    module = MODULE_INCHES * dpi
    assert right - left == pytest.approx(len(mark_modules(mark.text)) * module, abs=3)
    assert min(left, top, 8.5 * dpi - right) > dpi / 6
    assert bottom < 2.0 * dpi
    picture = page(batch_id, 0, dpi).copy()
    picture.paste(255, (left - 2, top - 2, right + 3, bottom + 3))
    zone = (left - 2 - module, top - 2 - module, right + 3 + module, bottom + 3 + module)
    assert picture.crop(zone).getextrema() == (255, 255)


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
    assert mark_modules(TEXT) != mark_modules(sheet_mark(SHORT, 12, 2, 2))
