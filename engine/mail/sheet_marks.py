"""The Data Matrix on every sheet, by which the vendor's inserter knows a piece is whole."""

import re
from typing import Final

import zint

MODULE_INCHES = 0.02
"""One cell of the mark: 20 mil, which an inserter's camera reads at line speed."""

_INK: Final = re.compile("1+")
_CELLS: Final = [f"{byte:08b}"[::-1] for byte in range(256)]
"""The cells of a byte: the encoder keeps the leftmost in the lowest bit."""


def sheet_mark(batch_id: str, seq: int, sheet: int, sheets: int) -> str:
    """What a sheet's mark says: `1|B|seq|sheet|sheets` (print batch contract, version 1)."""
    return f"1|{batch_id}|{seq}|{sheet}|{sheets}"


def mark_modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """The cells of a square Data Matrix (ISO/IEC 16022, ECC 200), row by row; True is ink."""
    return tuple(tuple(cell == "1" for cell in row) for row in _rows(text))


def mark_svg(text: str) -> str:
    """The mark as one vector path, `MODULE_INCHES` a cell, without a quiet zone."""
    rows = _rows(text)
    size = len(rows)
    inches = size * MODULE_INCHES
    path = "".join(
        f"M{ink.start()} {top}h{ink.end() - ink.start()}v1h-{ink.end() - ink.start()}z"
        for top, row in enumerate(rows)
        for ink in _INK.finditer(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{inches:.2f}in" height="{inches:.2f}in" '
        f'viewBox="0 0 {size} {size}"><path d="{path}"/></svg>'
    )


def _rows(text: str) -> list[str]:
    """The cells of each row; `1` is ink."""
    symbol = zint.Symbol()
    symbol.symbology = zint.Symbology.DATAMATRIX
    symbol.option_3 = zint.DataMatrixOptions.SQUARE
    symbol.encode(text)
    packed = symbol.encoded_data.tobytes()
    stride = len(packed) // len(symbol.encoded_data)
    used = (symbol.width + 7) // 8
    return [
        "".join(_CELLS[byte] for byte in packed[start : start + used])[: symbol.width]
        for start in range(0, stride * symbol.rows, stride)
    ]
