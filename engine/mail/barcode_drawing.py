"""The Intelligent Mail barcode as vectors, at the nominal sizes of USPS-B-3200 (figure 6)."""

from typing import Final

BARS: Final = 65

PITCH: Final = 0.0455
"""From one bar's left edge to the next's, in inches: 21.98 bars an inch, of the 22 ± 2 allowed."""

BAR_WIDTH: Final = 0.020
"""Inches, of the 0.020 ± 0.005 allowed."""

FULL_HEIGHT: Final = 0.145
"""Inches from the foot of a descender to the top of an ascender, of the 0.145 ± 0.020 allowed."""

TRACKER_HEIGHT: Final = 0.048
"""Inches, of the 0.048 ± 0.009 allowed; every bar has it, and extends above or below it."""

CLEAR_BESIDE: Final = 0.125
"""Inches without ink on the left and on the right (USPS-B-3200, 2.3.2), which hold inside a
window too, wherever the insert slides (Domestic Mail Manual 202.5)."""

CLEAR_ABOVE: Final = 0.028
"""Inches without ink above and below, likewise."""

INCHES_WIDE: Final = (BARS - 1) * PITCH + BAR_WIDTH
INCHES_HIGH: Final = FULL_HEIGHT

_UNITS: Final = 2000  # to the inch, so that every edge is a whole number


def bars_svg(bars: str) -> str:
    """65 of F, A, D and T as one path, `INCHES_WIDE` by `INCHES_HIGH`, without clear zones.

    Raises ValueError for anything else.
    """
    if len(bars) != BARS or not set(bars) <= _SPAN.keys():
        raise ValueError(f"a barcode is {BARS} bars, each of them F, A, D or T")
    path = "".join(_bar(place, state) for place, state in enumerate(bars))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" '
        f'width="{INCHES_WIDE:.3f}in" height="{INCHES_HIGH:.3f}in" '
        f'viewBox="0 0 {_units(INCHES_WIDE)} {_units(INCHES_HIGH)}"><path d="{path}"/></svg>'
    )


def _units(inches: float) -> int:
    return round(inches * _UNITS)


_TRACKER_TOP: Final = _units((FULL_HEIGHT - TRACKER_HEIGHT) / 2)
_TRACKER_FOOT: Final = _units((FULL_HEIGHT + TRACKER_HEIGHT) / 2)
_FOOT: Final = _units(FULL_HEIGHT)
_SPAN: Final = {
    "F": (0, _FOOT),
    "A": (0, _TRACKER_FOOT),
    "D": (_TRACKER_TOP, _FOOT),
    "T": (_TRACKER_TOP, _TRACKER_FOOT),
}
_PITCH: Final = _units(PITCH)
_WIDTH: Final = _units(BAR_WIDTH)


def _bar(place: int, state: str) -> str:
    top, foot = _SPAN[state]
    return f"M{place * _PITCH} {top}h{_WIDTH}v{foot - top}h-{_WIDTH}z"
