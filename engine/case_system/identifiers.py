"""Ids as the case system is shown them: numbers of ours, sealed, which nobody counts or guesses.

AES-SIV (RFC 5297) is deterministic: one number has one id for ever, under one key and kind, and no
column holds it. Whoever makes an id up gets what does not open.
"""

import base64
import hmac
from dataclasses import dataclass, field
from typing import Final, Literal, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

Kind = Literal["communication", "delivery", "event", "webhook", "cursor"]
_PREFIXES: Final[dict[Kind, str]] = {
    "communication": "cmn_",
    "delivery": "dlv_",
    "event": "evt_",
    "webhook": "whk_",
    "cursor": "cur_",
}
_NUMBER_BYTES: Final = 8
_LETTERS: Final = 32
"""Of base64 without padding (RFC 4648, 5): a tag of 16 bytes, and the 8 of the number."""


def pattern(kind: Kind) -> str:
    """What an id of this kind looks like, as a regular expression."""
    return f"^{_PREFIXES[kind]}[A-Za-z0-9_-]{{{_LETTERS}}}$"


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Makes ids, and reads them."""

    cipher: AESSIV = field(repr=False)

    @classmethod
    def of(cls, key: bytes) -> Self:
        """Those under a key of any length, from which one for this purpose alone is derived."""
        return cls(AESSIV(hmac.digest(key, b"identifiers of the machine API", "sha256")))

    def shown(self, kind: Kind, number: int) -> str:
        """The id of a row."""
        sealed = self.cipher.encrypt(number.to_bytes(_NUMBER_BYTES), [kind.encode()])
        return _PREFIXES[kind] + base64.urlsafe_b64encode(sealed).decode()

    def opened(self, kind: Kind, shown: str) -> int | None:
        """The number in an id; None for one that is none of ours, or of another kind."""
        prefix = _PREFIXES[kind]
        letters = shown.removeprefix(prefix)
        if not shown.startswith(prefix) or len(letters) != _LETTERS or not letters.isascii():
            return None
        try:
            sealed = base64.urlsafe_b64decode(letters)
            return int.from_bytes(self.cipher.decrypt(sealed, [kind.encode()]))
        except (ValueError, InvalidTag):
            return None
