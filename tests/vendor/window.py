"""What shows through the envelope's window: the address of the index, and nothing else."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.vendor.marks import Sampling, each_page
from tests.vendor.verify_batch import Fault, Row

PROFILE = "us10-left-window"
INCH = 72
LETTER_HEIGHT = 11 * INCH
# The contract's section 5, in inches from the top left corner: left, top, right, bottom.
BAND = (0.0, 2.0, 8.5, 3.55)
ADDRESS = (1.0, 2.5, 4.25, 3.125)
MOST_LINES = 4
WHITE = 255
SLACK = 2  # points: what a letter reaches beyond its line
CELLS = ("name", "urbanization", "addr1", "addr2", "city", "state")


@dataclass(frozen=True)
class Shown:
    """What a first sheet holds in the band that must be blank but for the address."""

    lines: tuple[str, ...]
    """Of text, where the address belongs."""
    blank_around: bool


def window_faults(
    rows: Sequence[Row], parts: Mapping[str, bytes], sampling: Sampling
) -> Iterator[Fault]:
    """Pieces whose window shows another address than the index has, or more than an address."""
    for name, pdf in parts.items():
        inside = sampling.of([row for row in rows if row["part_file"] == name])
        pages = [int(row["first_page"]) - 1 for row in inside]
        for row, shown in zip(inside, look(pdf, pages), strict=True):
            for text in faults_of(row, shown):
                where = f"{name}: page {row['first_page']}"
                yield Fault("ADDRESS_REFUSED", f"{where}: {text}", row["piece_id"])


def faults_of(row: Row, shown: Shown) -> Iterator[str]:
    """What is wrong with one window. No word of an address is repeated."""
    if not shown.blank_around:
        yield "there is more in the window's band than the address"
    if len(shown.lines) > MOST_LINES - bool(row["imb31"]):
        yield f"the address has {len(shown.lines)} lines"
    zip_code = "-".join(filter(None, (row["zip5"], row["zip4"])))
    if words(shown.lines) != words([*(row[cell] for cell in CELLS), zip_code]):
        yield "the window shows another address than the index"


def words(lines: Sequence[str]) -> list[str]:
    """The words of some lines, whatever their order and case."""
    return sorted(" ".join(lines).casefold().split())


def look(pdf: bytes, pages: Sequence[int]) -> list[Shown]:
    """What stands in the window's band of each page."""
    return each_page(pdf, pages, _look_at)


def _look_at(page: Any) -> Shown:
    text = page.get_textpage()
    left, top, right, bottom = (inches * INCH for inches in ADDRESS)
    found = text.get_text_bounded(
        left=left, right=right, top=LETTER_HEIGHT - top, bottom=LETTER_HEIGHT - bottom
    )
    lines = tuple(line.strip() for line in re.split(r"[\r\n]+", found) if line.strip())
    text.close()
    shown = Shown(lines, _blank_around(page))
    page.close()
    return shown


def _blank_around(page: Any) -> bool:
    """Whether the band is white everywhere but where the address belongs, at 72 dots an inch."""
    top, bottom = BAND[1] * INCH, BAND[3] * INCH
    drawn = page.render(crop=(0, LETTER_HEIGHT - bottom, 0, top), grayscale=True)
    band = drawn.to_pil()
    address = [round(inches * INCH) for inches in ADDRESS]
    offset = round(top)
    band.paste(
        WHITE,
        (
            address[0] - SLACK,
            address[1] - offset - SLACK,
            address[2] + SLACK,
            address[3] - offset + SLACK,
        ),
    )
    darkest, _ = band.getextrema()
    drawn.close()
    return bool(darkest > WHITE - 5)
