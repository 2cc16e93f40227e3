"""What is drawn on the front of a sheet for machines: the inserter's mark, the post's barcode.

As content operators, and as artifacts: nobody has them read aloud.
"""

import re
from collections.abc import Sequence
from typing import Final

from engine.mail.barcode_drawing import bars_svg
from engine.mail.sheet_marks import mark_svg

MARK_CORNER: Final = (7.76, 0.4)
"""The upper left corner of the sheet mark, in inches from the sheet's."""

BARCODE_CORNER: Final = (1.125, 2.952)
"""Likewise of the barcode, which stands under the last line of the address; its clear zones end
with the window."""

_SHEET_HEIGHT: Final = 11
_POINTS: Final = 72

_BOX: Final = re.compile(r"M(\d+) (\d+)h(\d+)v(\d+)h")
_SCALE: Final = re.compile(r'width="([\d.]+)in".* viewBox="0 0 (\d+) ')


def front_inks(marks: Sequence[str], bars: str) -> list[bytes]:
    """For the front of each sheet its mark, and on the first the barcode, where there is one."""
    fronts = [_drawn(mark_svg(mark), MARK_CORNER) for mark in marks]
    if bars:
        fronts[0] += _drawn(bars_svg(bars), BARCODE_CORNER)
    return fronts


def _drawn(svg: str, corner: tuple[float, float]) -> bytes:
    """A drawing that is nothing but boxes, filled in black."""
    left, top = corner
    if (scale := _SCALE.search(svg)) is None:
        raise ValueError("a drawing says how large it is")
    points = _POINTS * float(scale[1]) / int(scale[2])
    boxes = "".join(
        f"{left} {top} {wide} {high} re\n" for left, top, wide, high in _BOX.findall(svg)
    )
    return b"/Artifact BMC\nq %.6g 0 0 -%.6g %.6g %.6g cm/c0 cs 0 scn\n%bf\nQ\nEMC\n" % (
        points,
        points,
        left * _POINTS,
        (_SHEET_HEIGHT - top) * _POINTS,
        boxes.encode(),
    )
