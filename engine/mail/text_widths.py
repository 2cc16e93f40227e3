"""How wide a line of text is in the letters' typeface: advance widths and kerning at its regular
weight, read from the font itself, as the layout shapes it."""

import operator
import struct
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from math import copysign
from typing import Final

from engine.mail.typeface import glyphs, table

UNITS: Final = 2000
"""Units to the em of Public Sans."""

_WEIGHT: Final = 400
_PAIR_ADJUSTMENT: Final = 2
_ADVANCE_AND_ITS_VARIATION: Final = 0x0044
_VARIATION_INDEX: Final = 0x8000

Kerning = dict[int, dict[int, int]]
"""What is added after a glyph that stands before another, in units."""


def width(text: str, size: float) -> float:
    """The width of `text` in points, set in the regular weight at `size` points.

    Every character must be one that the typeface draws, and none a combining mark. Raises
    KeyError otherwise.
    """
    if not text:
        return 0.0
    pairs = list(map(operator.add, text, text[1:]))
    for pair in pairs:
        if pair not in _STEPS:
            _STEPS[pair] = _advance(pair[0]) + _kern(pair)
    return (sum(map(_STEPS.__getitem__, pairs)) + _advance(text[-1])) * size / UNITS


_STEPS: Final[dict[str, int]] = {}
"""From the left edge of one character to that of the next, by the two of them, as far as asked."""


def _advance(character: str) -> int:
    return _advances()[glyphs()[ord(character)]]


def _kern(pair: str) -> int:
    left, right = (glyphs()[ord(character)] for character in pair)
    for subtable in _kerning():
        if (found := subtable.get(left, {}).get(right)) is not None:
            return found
    return 0


@cache
def _advances() -> list[int]:
    """Advance widths by glyph (`hmtx`, varied by `HVAR` without a map of its own)."""
    metrics, variations = table(b"hmtx"), table(b"HVAR")
    count = struct.unpack_from(">H", table(b"hhea"), 34)[0]
    store, index_map = struct.unpack_from(">II", variations, 4)
    if index_map:
        raise ValueError("the typeface maps its glyphs to variations in a way not read here")
    deltas = _deltas(variations, store)[0]
    return [
        struct.unpack_from(">H", metrics, 4 * glyph)[0] + deltas[glyph] for glyph in range(count)
    ]


@cache
def _instance() -> float:
    """Where the regular weight lies on the weight axis, from 0 to 1 (`fvar`, bent by `avar`)."""
    axes, bends = table(b"fvar"), table(b"avar")
    axis = struct.unpack_from(">H", axes, 4)[0]
    _, default, greatest = struct.unpack_from(">iii", axes, axis + 4)
    place: float = (_WEIGHT * 0x10000 - default) / (greatest - default)
    points = struct.unpack_from(">H", bends, 8)[0]
    flat: list[float] = [
        value / 0x4000 for value in struct.unpack_from(f">{2 * points}h", bends, 10)
    ]
    curve = list(zip(flat[::2], flat[1::2], strict=True))
    for (x, y), (x_next, y_next) in pairwise(curve):
        if x <= place <= x_next:
            return y + (y_next - y) * (place - x) / (x_next - x)
    raise ValueError("the typeface has no regular weight")


def _deltas(store: bytes, at: int) -> list[list[int]]:
    """Each item of an OpenType variation store over one axis, at the regular weight, rounded."""
    regions = at + struct.unpack_from(">I", store, at + 2)[0]
    groups = struct.unpack_from(">H", store, at + 6)[0]
    found = []
    for group in range(groups):
        data = at + struct.unpack_from(">I", store, at + 8 + 4 * group)[0]
        items, long, count = struct.unpack_from(">HHH", store, data)
        kinds = struct.unpack_from(f">{count}H", store, data + 6)
        scalars = [_scalar(store, regions + 4 + 6 * region) for region in kinds]
        form = f">{long}h{count - long}b"
        begin, size = data + 6 + 2 * count, struct.calcsize(form)
        rows = (struct.unpack_from(form, store, begin + size * item) for item in range(items))
        found.append([_rounded(sum(map(operator.mul, scalars, row))) for row in rows])
    return found


def _rounded(value: float) -> int:
    """The nearest whole number, halves away from zero, as shapers round."""
    return int(value + copysign(0.5, value))


def _scalar(store: bytes, region: int) -> float:
    """How much of a region's change is in force at the regular weight."""
    start, peak, end = struct.unpack_from(">hhh", store, region)
    place = _instance() * 0x4000
    if not start < place < end and place != peak:
        return 0.0
    part: float = (
        (place - start) / (peak - start) if place <= peak else (end - place) / (end - peak)
    )
    return part


@cache
def _kerning() -> tuple[Kerning, ...]:
    """The subtables of `GPOS` kerning; of those that know a pair, the first decides."""
    positions, definitions = table(b"GPOS"), table(b"GDEF")
    deltas = _deltas(definitions, struct.unpack_from(">I", definitions, 14)[0])
    lookups = struct.unpack_from(">H", positions, 8)[0]
    return tuple(
        _Pairs(positions, subtable, deltas).kerning()
        for number in _kern_lookups(positions)
        for subtable in _subtables(positions, lookups, number)
    )


def _kern_lookups(positions: bytes) -> list[int]:
    """The numbers of the lookups that the feature `kern` names."""
    features = struct.unpack_from(">H", positions, 6)[0]
    found: set[int] = set()
    for record in range(struct.unpack_from(">H", positions, features)[0]):
        tag, offset = struct.unpack_from(">4sH", positions, features + 2 + 6 * record)
        if tag == b"kern":
            count = struct.unpack_from(">H", positions, features + offset + 2)[0]
            found |= set(struct.unpack_from(f">{count}H", positions, features + offset + 4))
    return sorted(found)


def _subtables(positions: bytes, lookups: int, number: int) -> Iterator[int]:
    """Where the subtables of one lookup begin."""
    lookup = lookups + struct.unpack_from(">H", positions, lookups + 2 + 2 * number)[0]
    kind, _, count = struct.unpack_from(">HHH", positions, lookup)
    if kind != _PAIR_ADJUSTMENT:
        raise ValueError("the typeface kerns in a way not read here")
    for offset in struct.unpack_from(f">{count}H", positions, lookup + 6):
        yield lookup + offset


class _Pairs:
    """One subtable of pair adjustments: by glyph (format 1) or by classes of them (format 2)."""

    def __init__(self, data: bytes, at: int, deltas: list[list[int]]) -> None:
        self._data, self._at, self._deltas = data, at, deltas
        self._format, coverage, first, second = self._read(">HHHH", at)
        if (first, second) != (_ADVANCE_AND_ITS_VARIATION, 0):
            raise ValueError("the typeface kerns with values not read here")
        self._covered = self._coverage(at + coverage)

    def kerning(self) -> Kerning:
        """What the subtable says, glyph by glyph."""
        return self._by_glyph() if self._format == 1 else self._by_class()

    def _read(self, form: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from(form, self._data, at)

    def _by_glyph(self) -> Kerning:
        # Typst's shaper varies the kerning of classes with the weight, and that of single pairs
        # not at all; a line is as wide as Typst sets it.
        found: Kerning = {}
        for number, left in enumerate(self._covered):
            pairs = self._at + self._read(">H", self._at + 10 + 2 * number)[0]
            found[left] = {}
            for pair in range(self._read(">H", pairs)[0]):
                right, advance = self._read(">Hh", pairs + 2 + 6 * pair)
                found[left][right] = advance
        return found

    def _by_class(self) -> Kerning:
        lefts, rights, rows, columns = self._read(">HHHH", self._at + 8)
        left_classes, right_classes = self._classes(lefts), self._classes(rights)
        begin = self._at + 16
        values = [
            [self._value(begin + 4 * (columns * row + column)) for column in range(columns)]
            for row in range(rows)
        ]
        every = set(glyphs().values())
        return {
            left: {
                right: values[left_classes.get(left, 0)][right_classes.get(right, 0)]
                for right in every
            }
            for left in self._covered
            if left in every
        }

    def _value(self, at: int) -> int:
        advance, device = self._read(">hH", at)
        if not device:
            return advance
        outer, inner, form = self._read(">HHH", self._at + device)
        return advance + (self._deltas[outer][inner] if form == _VARIATION_INDEX else 0)

    def _coverage(self, at: int) -> list[int]:
        form, count = self._read(">HH", at)
        if form == 1:
            return list(self._read(f">{count}H", at + 4))
        ranges = (self._read(">HH", at + 4 + 6 * number) for number in range(count))
        return [glyph for first, last in ranges for glyph in range(first, last + 1)]

    def _classes(self, offset: int) -> dict[int, int]:
        at = self._at + offset
        form, start = self._read(">HH", at)
        if form == 1:
            count = self._read(">H", at + 4)[0]
            return dict(enumerate(self._read(f">{count}H", at + 6), start))
        ranges = (self._read(">HHH", at + 4 + 6 * number) for number in range(start))
        return {glyph: kind for first, last, kind in ranges for glyph in range(first, last + 1)}
