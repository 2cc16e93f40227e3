"""Widths of text: the same to a thousandth of an em as the layout's own."""

import json
from pathlib import Path
from random import Random

import pytest
import typst

from engine.mail.text_widths import UNITS, width
from engine.mail.typeface import FONT_FOLDER

MEASURE = """
#set text(font: "Public Sans", size: 9pt, fallback: false, hyphenate: false, tracking: 0pt)
#context for line in json(bytes(sys.inputs.lines)) [#metadata(measure[#line].width.pt())<width>]
"""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MARKS = "0123456789 -'’.,#/&½"
ACCENTED = "ÁÉÍÓÚÜÑÇÀÈÖŁŠŽĐØÆŒŐỄỊẠ"


@pytest.fixture(scope="module")
def measure(tmp_path_factory: pytest.TempPathFactory) -> typst.Compiler:
    """A layout that only measures."""
    source = tmp_path_factory.mktemp("measure") / "measure.typ"
    source.write_text(MEASURE)
    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONT_FOLDER]
    )
    return typst.Compiler(source, root=Path(source.parent), font_paths=fonts)


def measured(measure: typst.Compiler, lines: list[str]) -> list[float]:
    """What Typst says of each line, in points."""
    measure.compile(sys_inputs={"lines": json.dumps(lines)})
    widths: list[float] = json.loads(measure.query("<width>", field="value"))
    return widths


def test_every_pair_of_characters_is_as_wide_as_the_layout_sets_it(measure: typst.Compiler) -> None:
    """Advance widths at the regular weight, and the kerning between any two."""
    characters = LETTERS + MARKS + "ÁÑÜ"
    pairs = [left + right for left in characters for right in characters]
    assert [width(pair, 9) for pair in pairs] == pytest.approx(measured(measure, pairs), abs=1e-6)


def test_lines_are_as_wide_as_the_layout_sets_them(measure: typst.Compiler) -> None:
    """Whole lines of an address, accents and all, to one unit of the typeface."""
    random = Random(20261123)  # noqa: S311  it only makes up lines
    lines = [
        "".join(random.choice(LETTERS * 3 + MARKS + ACCENTED) for _ in range(random.randint(1, 45)))
        for _ in range(300)
    ]
    ours = [width(line, 9) for line in lines]
    assert ours == pytest.approx(measured(measure, lines), abs=9 / UNITS)


def test_nothing_has_no_width_and_what_is_not_drawn_has_none_either() -> None:
    """An empty line is not measured; a character without a glyph cannot be."""
    assert width("", 9) == 0
    with pytest.raises(KeyError):
        width("漢", 9)


def test_no_ascii_character_is_wider_than_ten_points() -> None:
    """What spares short lines their measuring."""
    printable = [chr(code) for code in range(0x20, 0x7F)]
    widest = max(
        width(left + right, 9) - width(right, 9) for left in printable for right in printable
    )
    assert widest < 10
