"""The typeface every letter is set in, and which characters it can draw."""

import struct
from functools import cache
from pathlib import Path
from typing import Final

import fontpkg_public_sans

FONT_FOLDER: Final = Path(fontpkg_public_sans.__file__).parent / "files"
_UPRIGHT: Final = FONT_FOLDER / "PublicSans[wght].ttf"


def undrawable_characters(text: str) -> set[str]:
    """The characters of `text` that Public Sans has no glyph for; control characters are among
    them, and so are emoji and every script but Latin."""
    return {character for character in text if ord(character) not in _drawable()}


@cache
def _drawable() -> frozenset[int]:
    """The code points of the font's character map (OpenType `cmap`, subtable format 4)."""
    font = _UPRIGHT.read_bytes()
    cmap = _table(font, b"cmap")
    count = struct.unpack_from(">H", cmap, 2)[0]
    found: set[int] = set()
    for number in range(count):
        offset = struct.unpack_from(">I", cmap, 8 + 8 * number)[0]
        if struct.unpack_from(">H", cmap, offset)[0] == 4:
            found |= _segment_map(cmap, offset)
    return frozenset(code for code in found if code >= 0x20 and not 0x7F <= code < 0xA0)


def _table(font: bytes, tag: bytes) -> bytes:
    """One table of a TrueType file, found in its table directory."""
    for record in range(struct.unpack_from(">H", font, 4)[0]):
        name, _, start, length = struct.unpack_from(">4sIII", font, 12 + 16 * record)
        if name == tag:
            return font[start : start + length]
    raise ValueError(f"the typeface has no table {tag!r}")


def _segment_map(cmap: bytes, at: int) -> set[int]:
    """The code points of one format 4 subtable that have a glyph other than `.notdef`."""
    segments = struct.unpack_from(">H", cmap, at + 6)[0] // 2
    ends = struct.unpack_from(f">{segments}H", cmap, at + 14)
    starts = struct.unpack_from(f">{segments}H", cmap, at + 16 + 2 * segments)
    deltas = struct.unpack_from(f">{segments}H", cmap, at + 16 + 4 * segments)
    ranges_at = at + 16 + 6 * segments
    ranges = struct.unpack_from(f">{segments}H", cmap, ranges_at)
    drawn = set()
    for segment, (start, end, delta, offset) in enumerate(
        zip(starts, ends, deltas, ranges, strict=True)
    ):
        for code in range(start, min(end, 0xFFFE) + 1):
            glyph = code
            if offset:
                place = ranges_at + 2 * segment + offset + 2 * (code - start)
                glyph = struct.unpack_from(">H", cmap, place)[0]
            if glyph and (glyph + delta) % 0x10000:
                drawn.add(code)
    return drawn
