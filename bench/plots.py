"""Small plots of what benches found, as SVG, drawn from nothing but numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH: Final = 760
_ROW: Final = 34
_LABELS: Final = 260
_BARS: Final = 390
_NOTE: Final = 26


@dataclass(frozen=True, slots=True)
class Bar:
    """A quantity, and how it is written."""

    label: str
    value: float
    written: str
    ours: bool = False


def bars(title: str, rows: Sequence[Bar], note: str = "") -> str:
    """A horizontal bar for each of `rows`, from zero, all on one scale; `note` stands below."""
    longest = max(row.value for row in rows)
    height = 56 + _ROW * len(rows) + (_NOTE if note else 0)
    drawn = "".join(_bar(place, row, longest) for place, row in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"'
        f' font-family="sans-serif" font-size="14"><title>{escape(title)}</title>'
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>'
        f'<text x="16" y="28" font-weight="700">{escape(title)}</text>{drawn}'
        f"{_noted(note, height)}</svg>\n"
    )


def _noted(note: str, height: int) -> str:
    if not note:
        return ""
    return f'<text x="16" y="{height - 12}" font-size="12" fill="#565c65">{escape(note)}</text>'


def _bar(place: int, row: Bar, longest: float) -> str:
    top = 44 + place * _ROW
    width = max(1.0, _BARS * row.value / longest)
    colour = "#005ea2" if row.ours else "#a9aeb1"
    return (
        f'<text x="{_LABELS - 10}" y="{top + 19}" text-anchor="end">{escape(row.label)}</text>'
        f'<rect x="{_LABELS}" y="{top + 4}" width="{width:.1f}" height="{_ROW - 12}"'
        f' fill="{colour}"/>'
        f'<text x="{_LABELS + width + 8:.1f}" y="{top + 19}">{escape(row.written)}</text>'
    )
