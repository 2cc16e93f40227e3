"""The barcode as a scanner sees it: of the size that USPS-B-3200 asks for, and readable."""

import io
import re

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.mail.barcode_drawing import (
    BAR_WIDTH,
    BARS,
    CLEAR_ABOVE,
    CLEAR_BESIDE,
    FULL_HEIGHT,
    INCHES_HIGH,
    INCHES_WIDE,
    PITCH,
    TRACKER_HEIGHT,
    bars_svg,
)
from tests.mail.reference_barcode import decoded, encoded

TRACKING, ROUTING = "00700123456000000001", "958140042"
SAMPLE = encoded(TRACKING, ROUTING)


def test_every_size_is_within_the_specification() -> None:
    """USPS-B-3200 Rev. H, figure 6, in inches."""
    assert 20 <= 1 / PITCH <= 24
    assert 0.015 <= BAR_WIDTH <= 0.025
    assert 0.012 <= PITCH - BAR_WIDTH <= 0.040
    assert 0.125 <= INCHES_HIGH <= 0.165
    assert 0.039 <= TRACKER_HEIGHT <= 0.057
    assert 2.683 <= INCHES_WIDE <= 3.225


def test_it_fits_the_window_with_three_lines_of_address() -> None:
    """Its clear zones lie within the contract's box, beside and beneath three lines at 9 pt."""
    wide, high, line = 3.25, 0.625, 9 / 72
    assert wide >= INCHES_WIDE + 2 * CLEAR_BESIDE
    assert high >= INCHES_HIGH + 2 * CLEAR_ABOVE + 3 * line


@settings(max_examples=100)
@given(st.text("FADT", min_size=BARS, max_size=BARS))
def test_the_drawing_is_what_was_asked_for(bars: str) -> None:
    """Each bar of the one path, measured, is the bar that was given."""
    svg = bars_svg(bars)
    width, height = map(float, _found(r'viewBox="0 0 (\d+) (\d+)"', svg))
    inch = width / INCHES_WIDE
    assert height / inch == pytest.approx(INCHES_HIGH)
    rectangles = [
        tuple(int(number) / inch for number in rectangle)
        for rectangle in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)h-\3z", svg)
    ]
    assert [left for left, *_ in rectangles] == pytest.approx(
        [place * PITCH for place in range(BARS)]
    )
    assert [wide for _, _, wide, _ in rectangles] == pytest.approx([BAR_WIDTH] * BARS)
    high, low = (FULL_HEIGHT - TRACKER_HEIGHT) / 2, (FULL_HEIGHT + TRACKER_HEIGHT) / 2
    ends = {
        "F": (0, FULL_HEIGHT),
        "A": (0, low),
        "D": (high, FULL_HEIGHT),
        "T": (high, low),
    }
    for state, (_, top, _, tall) in zip(bars, rectangles, strict=True):
        assert (top, top + tall) == pytest.approx(ends[state])


def _found(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    assert found
    return found.groups()


@pytest.mark.parametrize("ppi", [200, 300, 600])
def test_the_printed_bars_read_back_to_the_numbers(ppi: int) -> None:
    """Set in type and made into dots, the bars are found again, and the numbers in them."""
    assert decoded(_read(_printed(bars_svg(SAMPLE), ppi), ppi)) == (TRACKING, ROUTING)


def test_all_four_bars_are_told_apart() -> None:
    """No bar is read for another, whatever stands beside it."""
    bars = ("FADT" * 17)[:BARS]
    assert _read(_printed(bars_svg(bars), 300), 300) == bars


@pytest.mark.parametrize("bars", ["", "F" * 64, "F" * 66])
def test_a_barcode_has_65_bars(bars: str) -> None:
    """Anything else is a mistake of ours."""
    with pytest.raises(ValueError, match="65"):
        bars_svg(bars)


@pytest.mark.parametrize("state", ["f", "X", " ", '"'])
def test_a_bar_has_four_states(state: str) -> None:
    """What is none of them is not drawn as something else."""
    with pytest.raises(ValueError, match="F, A, D"):
        bars_svg(SAMPLE[:-1] + state)


def _printed(svg: str, ppi: int) -> Image.Image:
    """The drawing as dots, black on white."""
    source = (
        "#set page(width: auto, height: auto, margin: 0pt)\n"
        f'#image(bytes({_quoted(svg)}), format: "svg")'
    )
    png = typst.compile(source.encode(), format="png", ppi=ppi)
    assert isinstance(png, bytes)
    return Image.open(io.BytesIO(png)).convert("L")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', r"\"") + '"'


def _read(picture: Image.Image, ppi: int) -> str:
    """The bars of a picture, by whether there is ink above and beneath the tracker of each."""
    tracker_top = (FULL_HEIGHT - TRACKER_HEIGHT) / 2
    rows = (tracker_top / 2, FULL_HEIGHT / 2, FULL_HEIGHT - tracker_top / 2)
    bars = []
    for place in range(BARS):
        column = int((place * PITCH + BAR_WIDTH / 2) * ppi)
        above, middle, beneath = (_ink(picture, column, int(row * ppi)) for row in rows)
        assert middle
        bars.append({(1, 1): "F", (1, 0): "A", (0, 1): "D", (0, 0): "T"}[above, beneath])
    return "".join(bars)


def _ink(picture: Image.Image, column: int, row: int) -> bool:
    tone = picture.getpixel((column, row))
    assert isinstance(tone, int)
    return tone < 128
