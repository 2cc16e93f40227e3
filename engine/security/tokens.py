"""Short tags that stand for a value without showing it, and that nobody can make without the key.

Message-IDs and return paths carry them, and the names under which requests are counted.
"""

import hmac
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

SHORTEST: Final = 10
LONGEST: Final = 51
"""Base32 letters of a SHA-256, whole ones: 51 x 5 = 255 of its 256 bits."""
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS: Final = [first + second for first in _LETTERS for second in _LETTERS]
"""Ten bits in base32 (RFC 4648, 6): three tags are made for every email, and the standard library's
base32 takes longer than the HMAC."""


def derive_tag(key: bytes, purpose: str, value: str, length: int = 16) -> str:
    """The tag of `value` for one `purpose`: `length` letters a-z2-7 of its HMAC-SHA256 (RFC 2104).

    Sixteen letters are 80 bits. All are lower case, because mail systems on the way may fold the
    local part of an address. The same value has unrelated tags for different purposes. Raises
    ValueError for an empty key, a purpose that is empty or holds a NUL, and a length outside
    SHORTEST to LONGEST.
    """
    if not key:
        raise ValueError("a tag needs a key")
    if not purpose or "\0" in purpose:
        raise ValueError("a tag's purpose must be a word")
    if not SHORTEST <= length <= LONGEST:
        raise ValueError(f"a tag has {SHORTEST} to {LONGEST} letters")
    begun = _begun(key, purpose).copy()
    begun.update(value.encode())
    bits = int.from_bytes(begun.finalize()) << 4
    shifts = range(250, 250 - 5 * length, -10)
    return "".join([_PAIRS[bits >> shift & 1023] for shift in shifts])[:length]


@lru_cache(maxsize=64)
def _begun(key: bytes, purpose: str) -> HMAC:
    """An HMAC that has read what comes before the value, to be copied for each."""
    begun = HMAC(key, SHA256())
    begun.update(f"{purpose}\0".encode())
    return begun


def matches(key: bytes, purpose: str, value: str, tag: str, length: int = 16) -> bool:
    """Whether `tag`, in any case, is the one derived from `value`; takes the same time if not."""
    expected = derive_tag(key, purpose, value, length)
    return hmac.compare_digest(expected.encode(), tag.lower().encode("utf-8", "replace"))
