"""The Data Matrix on every sheet, by which the vendor's inserter knows a piece is whole."""

from functools import lru_cache

import zint

MODULE_INCHES = 0.02
"""One cell of the mark: 20 mil, which an inserter's camera reads at line speed."""


def sheet_mark(batch_id: str, seq: int, sheet: int, sheets: int) -> str:
    """What a sheet's mark says: `1|B|seq|sheet|sheets` (print batch contract, version 1)."""
    return f"1|{batch_id}|{seq}|{sheet}|{sheets}"


@lru_cache(maxsize=8)
def mark_modules(text: str) -> tuple[tuple[bool, ...], ...]:
    """The cells of a square Data Matrix (ISO/IEC 16022, ECC 200), row by row; True is ink."""
    symbol = zint.Symbol()
    symbol.symbology = zint.Symbology.DATAMATRIX
    symbol.option_3 = zint.DataMatrixOptions.SQUARE
    symbol.encode(text)
    packed = symbol.encoded_data
    return tuple(
        tuple(bool(packed[row, column // 8] >> (column % 8) & 1) for column in range(symbol.width))
        for row in range(symbol.rows)
    )


def mark_svg(text: str) -> str:
    """The mark as one vector path, `MODULE_INCHES` a cell, without a quiet zone."""
    modules = mark_modules(text)
    size = len(modules)
    inches = size * MODULE_INCHES
    path = "".join(
        f"M{start} {row}h{length}v1h-{length}z"
        for row, cells in enumerate(modules)
        for start, length in _runs(cells)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{inches:.2f}in" height="{inches:.2f}in" '
        f'viewBox="0 0 {size} {size}"><path d="{path}"/></svg>'
    )


def _runs(cells: tuple[bool, ...]) -> list[tuple[int, int]]:
    """Where ink begins in a row, and for how many cells it goes on."""
    runs: list[tuple[int, int]] = []
    for column, ink in enumerate(cells):
        if not ink:
            continue
        if runs and sum(runs[-1]) == column:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((column, 1))
    return runs
