"""Writes a PDF file (ISO 32000-1) object by object, and groups of objects again and again."""

import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

_HEADER: Final = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_PLAIN: Final = 1
_PACKED: Final = 2
_ENTRY: Final = struct.Struct(">BIH")
_LEVEL: Final = 2  # a part is zipped again, and every letter in it is compressed alone
_DIGITS: Final = 7


@dataclass(frozen=True, slots=True)
class Hole:
    """A number that each writing of a script fills in: the base of that index, plus `offset`.
    Base 0 is the number of the script's own first object."""

    base: int
    offset: int = 0


Body = Sequence[bytes | Hole]


class Script:
    """Objects that are written many times, each time with other numbers.

    Numbers are always seven digits wide, so that the place of every object is known beforehand.
    """

    def __init__(self, bodies: Sequence[Body]) -> None:
        self.count = len(bodies)
        pieces = [piece for body in bodies for piece in (*body, b"\n")]
        self._template = b"".join(
            b"%%0%dd" % _DIGITS if isinstance(piece, Hole) else piece.replace(b"%", b"%%")
            for piece in pieces
        )
        self._holes = [(hole.base, hole.offset) for hole in pieces if isinstance(hole, Hole)]
        self.starts = list(accumulate((_width(body) for body in bodies[:-1]), initial=0))

    def written(self, bases: Sequence[int]) -> bytes:
        """The objects, one after the other."""
        return self._template % tuple([bases[base] + offset for base, offset in self._holes])


def _width(body: Body) -> int:
    return sum(_DIGITS if isinstance(piece, Hole) else len(piece) for piece in body) + 1


class PdfFile:
    """A file under construction. Numbers are reserved first, so that objects may point ahead."""

    def __init__(self) -> None:
        self._chunks = [_HEADER]
        self._size = len(_HEADER)
        self._digest = hashlib.sha256()
        self._entries = {0: _ENTRY.pack(0, 0, 0xFFFF)}
        self._next = 1

    def reserve(self, count: int = 1) -> int:
        """The first of `count` numbers in a row."""
        first = self._next
        self._next += count
        return first

    def put(self, number: int, body: bytes) -> None:
        """An object of its own."""
        self._entries[number] = _ENTRY.pack(_PLAIN, self._size, 0)
        self._write(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def put_stream(self, number: int, entries: bytes, data: bytes) -> None:
        """A stream as it is; `entries` are those of its dictionary but /Length."""
        self.put(number, b"<<%b/Length %d>>stream\n%b\nendstream" % (entries, len(data), data))

    def put_deflated(self, number: int, entries: bytes, data: bytes) -> None:
        """A stream, compressed."""
        self.put_stream(number, entries + b"/Filter/FlateDecode", zlib.compress(data, _LEVEL))

    def put_script(self, script: Script, *bases: int) -> int:
        """The objects of `script` in one object stream; the number of the first of them."""
        first, holder = self.reserve(script.count), self.reserve()
        for nth in range(script.count):
            self._entries[first + nth] = _ENTRY.pack(_PACKED, holder, nth)
        directory = b" ".join(
            b"%d %d" % (first + nth, start) for nth, start in enumerate(script.starts)
        )
        self.put_deflated(
            holder,
            b"/Type/ObjStm/N %d/First %d" % (script.count, len(directory) + 1),
            directory + b"\n" + script.written((first, *bases)),
        )
        return first

    @property
    def digest(self) -> str:
        """The SHA-256 of everything written so far, in hexadecimal."""
        return self._digest.hexdigest()

    def finish(self, root: int, info: int) -> bytes:
        """The whole file; the same objects give the same bytes, and the hash of these names it."""
        name, number, start = self.digest[:32].encode(), self.reserve(), self._size
        self._entries[number] = _ENTRY.pack(_PLAIN, start, 0)
        self.put_deflated(
            number,
            b"/Type/XRef/Size %d/W[1 4 2]/Root %d 0 R/Info %d 0 R/ID[<%b><%b>]"
            % (self._next, root, info, name, name),
            b"".join(self._entries[each] for each in range(self._next)),
        )
        self._write(b"startxref\n%d\n%%%%EOF\n" % start)
        return b"".join(self._chunks)

    def _write(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        self._digest.update(chunk)
