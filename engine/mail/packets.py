"""What the packets of an OpenPGP message show before it is opened (RFC 9580, 4 and 5)."""

import base64
import binascii
from typing import Final

_ONE_PASS_SIGNATURE: Final = 4
_LITERAL: Final = 11
_ARMOUR: Final = b"-----BEGIN PGP MESSAGE-----"
_LOOKED_AT: Final = 4096
"""Octets: far more than the signatures that a message may begin with."""


def is_signed_in_the_clear(message: bytes) -> bool:
    """Whether it is signatures announced and then the content itself, neither compressed nor
    encrypted: only so is it known beforehand how much there will be of it.

    Of whatever cannot be read the answer is no.
    """
    octets, at = _dearmoured(message)[:_LOOKED_AT], 0
    try:
        while True:
            tag, begins, length = _header(octets, at)
            if tag != _ONE_PASS_SIGNATURE:
                return tag == _LITERAL and at > 0
            at = begins + length
    except (IndexError, ValueError):
        return False


def _dearmoured(message: bytes) -> bytes:
    """The beginning of `message` as octets, if it is armoured (RFC 9580, 6.2)."""
    begins = message.lstrip()[: 2 * _LOOKED_AT].replace(b"\r\n", b"\n")
    if not begins.startswith(_ARMOUR):
        return message
    _, _, body = begins.partition(b"\n\n")
    letters = b"".join(line for line in body.split(b"\n") if not line.startswith((b"=", b"-")))
    try:
        return base64.b64decode(letters[: len(letters) // 4 * 4], validate=True)
    except binascii.Error:
        return b""


def _header(octets: bytes, at: int) -> tuple[int, int, int]:
    """A packet's type, where its body begins, and how long that is; raises ValueError for a length
    that is not told beforehand."""
    first = octets[at]
    if not first & 0x80:
        raise ValueError("not a packet")
    if first & 0x40:
        return first & 0x3F, *_new_length(octets, at + 1, first & 0x3F)
    size = {0: 1, 1: 2, 2: 4}.get(first & 0x03)
    if size is None:
        raise ValueError("a length that is not told")
    body = at + 1 + size
    return first >> 2 & 0x0F, body, int.from_bytes(octets[at + 1 : body])


def _new_length(octets: bytes, at: int, tag: int) -> tuple[int, int]:
    length = octets[at]
    if length < 192:
        return at + 1, length
    if length < 224:
        return at + 2, (length - 192 << 8) + octets[at + 1] + 192
    if length == 255:
        return at + 5, int.from_bytes(octets[at + 1 : at + 5])
    if tag == _LITERAL:
        # Content may come in pieces; nothing that follows it is looked at.
        return at + 1, 0
    raise ValueError("a length that is not told")
