"""The text parts of an email as bytes (RFC 2045), made once for all who are told the same.

Quoted-printable keeps every line to 76 characters whatever a reader's language needs; a server
that takes eight bits (RFC 6152) is given the words as they are. Either way a PIN on a line of its
own stays as it is, readable in the raw message too.
"""

import hashlib
import re
from binascii import b2a_qp
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from markupsafe import escape

_LINE_BREAK: Final = re.compile(rb"\r\n|\r")
_SPACES: Final = frozenset({b" ", b"\t"})
_LONGEST_LINE: Final = 998
"""Octets without the CRLF (RFC 5321, 4.5.3.1.6)."""
LONGEST_FILL: Final = 200
"""Octets that a link may have as it stands in a line of eight-bit text."""
_SOFT_BREAK: Final = b"=\r\n"
_BOUNDARY: Final = "=_the-same-words-twice"


class Transfer(StrEnum):
    """How words are encoded on their way (RFC 2045, 6)."""

    QUOTED_PRINTABLE = "quoted-printable"
    SEVEN_BIT = "7bit"
    EIGHT_BIT = "8bit"


@dataclass(frozen=True, slots=True)
class TextPart:
    """A part's header and words, in pieces; between two pieces stands the reader's own link."""

    pieces: tuple[bytes, ...]
    subtype: str
    transfer: Transfer

    @classmethod
    def of(
        cls, subtype: str, language: str, content: str, transfer: Transfer, blank: str | None
    ) -> Self:
        """The part of `content`, cut where `blank` stands in it.

        Eight bits are for lines that may travel as they are: where one is longer, the part is
        quoted-printable.
        """
        octets = _in_lines(content)
        pieces = octets.split(blank.encode()) if blank else [octets]
        if transfer is Transfer.EIGHT_BIT and _fits(pieces):
            ascii_alone = all(piece.isascii() for piece in pieces)
            transfer = Transfer.SEVEN_BIT if ascii_alone else Transfer.EIGHT_BIT
        else:
            transfer = Transfer.QUOTED_PRINTABLE
            pieces = [b2a_qp(piece, istext=True) for piece in pieces]
        head = (
            f"\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
            f"Content-Language: {language}\r\n"
            f"Content-Transfer-Encoding: {transfer}\r\n\r\n"
        )
        pieces[0] = head.encode("ascii") + pieces[0]
        return cls(tuple(pieces), subtype, transfer)

    @property
    def is_8bit(self) -> bool:
        """Whether it holds what only a server that takes eight bits may be given."""
        return self.transfer is Transfer.EIGHT_BIT

    def filled(self, link: str | None) -> bytes:
        """The part with `link` in its blanks, if it has any."""
        if len(self.pieces) == 1 or link is None:
            return b"".join(self.pieces)
        octets = (escape(link) if self.subtype == "html" else link).encode()
        quoted = self.transfer is Transfer.QUOTED_PRINTABLE
        return (_quoted(octets) if quoted else octets).join(self.pieces)

    @property
    def may_begin_with_dots(self) -> bool:
        """Whether one of its lines may: no link begins with one."""
        return any(b"\n." in piece or piece.startswith(b".") for piece in self.pieces)


def _in_lines(content: str) -> bytes:
    """`content` in CRLF lines, the last one ended too, without white space at the end of any: that
    would be encoded past the 76th character."""
    octets = content.encode()
    if b"\r" in octets:
        octets = _LINE_BREAK.sub(b"\n", octets)
    lines = octets.split(b"\n")
    if not _SPACES.isdisjoint([line[-1:] for line in lines]):
        lines = [line.rstrip(b" \t") for line in lines]
    return b"\r\n".join([*lines, b""])


def _fits(pieces: Sequence[bytes]) -> bool:
    """Whether they may travel as eight-bit text: no line too long, and no NUL (RFC 2045, 2.8)."""
    whole = (b"x" * LONGEST_FILL).join(pieces)
    return b"\0" not in whole and max(map(len, whole.split(b"\r\n"))) <= _LONGEST_LINE


def _quoted(octets: bytes) -> bytes:
    """Between soft line breaks (RFC 2045, 6.7), so that no line grows by it."""
    return _SOFT_BREAK + b2a_qp(octets, istext=True) + _SOFT_BREAK


def boundary_of(*contents: str) -> str:
    """A boundary that stands in none of `contents`, and is the same for the same.

    `=_` occurs neither in quoted-printable nor in base64 (RFC 2045, 6.7 and 6.8); in eight-bit
    words it could, and nothing can hold its own digest.
    """
    if not any(_BOUNDARY in content for content in contents):
        return _BOUNDARY
    return f"=_{hashlib.sha256(repr(contents).encode()).hexdigest()[:32]}"
