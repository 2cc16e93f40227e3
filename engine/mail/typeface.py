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
    drawable = glyphs()
    return {character for character in text if ord(character) not in drawable}


@cache
def glyphs() -> dict[int, int]:
    """The glyph of each code point that can be drawn (OpenType `cmap`, subtable format 4)."""
    cmap = table(b"cmap")
    count = struct.unpack_from(">H", cmap, 2)[0]
    found: dict[int, int] = {}
    for number in range(count):
        offset = struct.unpack_from(">I", cmap, 8 + 8 * number)[0]
        if struct.unpack_from(">H", cmap, offset)[0] == 4:
            found |= _segment_map(cmap, offset)
    return {
        code: glyph for code, glyph in found.items() if code >= 0x20 and not 0x7F <= code < 0xA0
    }


def table(tag: bytes) -> bytes:
    """One table of the upright TrueType file, found in its table directory."""
    font = _UPRIGHT.read_bytes()
    for record in range(struct.unpack_from(">H", font, 4)[0]):
        name, _, start, length = struct.unpack_from(">4sIII", font, 12 + 16 * record)
        if name == tag:
            return font[start : start + length]
    raise ValueError(f"the typeface has no table {tag!r}")


def _segment_map(cmap: bytes, at: int) -> dict[int, int]:
    """Code points and glyphs of one format 4 subtable, without those drawn as `.notdef`."""
    segments = struct.unpack_from(">H", cmap, at + 6)[0] // 2
    ends = struct.unpack_from(f">{segments}H", cmap, at + 14)
    starts = struct.unpack_from(f">{segments}H", cmap, at + 16 + 2 * segments)
    deltas = struct.unpack_from(f">{segments}H", cmap, at + 16 + 4 * segments)
    ranges_at = at + 16 + 6 * segments
    ranges = struct.unpack_from(f">{segments}H", cmap, ranges_at)
    drawn = {}
    for segment, (start, end, delta, offset) in enumerate(
        zip(starts, ends, deltas, ranges, strict=True)
    ):
        for code in range(start, min(end, 0xFFFE) + 1):
            glyph = code
            if offset:
                place = ranges_at + 2 * segment + offset + 2 * (code - start)
                glyph = struct.unpack_from(">H", cmap, place)[0]
            if glyph and (glyph + delta) % 0x10000:
                drawn[code] = (glyph + delta) % 0x10000
    return drawn
