"""Short tags that stand for a value without showing it, and that nobody can make without the key.

Message-IDs and return paths carry them, and the names under which requests are counted.
"""

import base64
import hmac
from typing import Final

SHORTEST: Final = 10
LONGEST: Final = 51
"""Base32 letters of a SHA-256, whole ones: 51 x 5 = 255 of its 256 bits."""


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
    digest = hmac.digest(key, f"{purpose}\0{value}".encode(), "sha256")
    needed = digest[: (length * 5 + 7) // 8]
    return base64.b32encode(needed).decode("ascii").lower()[:length]


def matches(key: bytes, purpose: str, value: str, tag: str, length: int = 16) -> bool:
    """Whether `tag`, in any case, is the one derived from `value`; takes the same time if not."""
    expected = derive_tag(key, purpose, value, length)
    return hmac.compare_digest(expected.encode(), tag.lower().encode("utf-8", "replace"))
