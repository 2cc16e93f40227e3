"""Secrets sealed with AES-256-GCM, each bound to the one thing it belongs to."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.errors import ConnectError, InputError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16

_CONTEXT: Final = b"customer-connect sealed secret 1"


class SealError(ConnectError):
    """A sealed secret cannot be opened; what it belongs to needs a new one."""


class UnknownKeyError(SealError):
    """The key it was sealed under is not among those held: a retired key was dropped too early."""


class TamperedError(SealError):
    """It was altered, cut, or moved from what it was sealed for; or the key is another one."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed secret: the id of its key, and a nonce of 12 bytes before ciphertext and tag.

    Stored as two columns, `key_id` and `to_bytes()`. Its repr shows the key id alone.
    """

    key_id: str
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)

    def to_bytes(self) -> bytes:
        """Nonce and ciphertext, for one bytes column."""
        return self.nonce + self.ciphertext

    @classmethod
    def from_bytes(cls, key_id: str, stored: bytes) -> "Sealed":
        """What `to_bytes` gave; raises TamperedError when it is too short to be that."""
        if len(stored) < NONCE_BYTES + TAG_BYTES:
            raise TamperedError("a sealed secret is cut short")
        return cls(key_id, bytes(stored[:NONCE_BYTES]), bytes(stored[NONCE_BYTES:]))


class SecretBox:
    """Seals under the current key and opens under any key still held.

    To rotate, add a key, make it current, and drop the old one once nothing is sealed under it.
    Nonces are random: NIST SP 800-38D §8.3 allows 2^32 sealings under one key. The length of a
    ciphertext tells that of its secret, which for a PIN is no secret.
    """

    __slots__ = ("_ciphers", "_current", "_prefixes")

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        """`keys` by id, 32 bytes each; `current` is one of them. Raises SealError otherwise."""
        if wrong := [key_id for key_id, key in keys.items() if len(key) != KEY_BYTES]:
            raise SealError(f"sealing keys must be {KEY_BYTES} bytes long: {', '.join(wrong)}")
        if current not in keys:
            raise UnknownKeyError(f"the current sealing key {current!r} is not held")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._prefixes = {key_id: _framed(_CONTEXT) + _framed(key_id.encode()) for key_id in keys}
        self._current = current

    @property
    def current(self) -> str:
        """The id of the key that is sealed under."""
        return self._current

    @property
    def held(self) -> frozenset[str]:
        """The ids of the keys that it opens under."""
        return frozenset(self._ciphers)

    def seal(self, plaintext: str, associated: str) -> Sealed:
        """Seal `plaintext` for what `associated` names (a delivery's id): it opens for no other.

        Raises InputError, without showing it, for a text that UTF-8 cannot hold.
        """
        nonce = os.urandom(NONCE_BYTES)
        bound = self._prefixes[self._current] + _framed(associated.encode())
        ciphertext = self._ciphers[self._current].encrypt(nonce, _utf8(plaintext), bound)
        return Sealed(self._current, nonce, ciphertext)

    def open(self, sealed: Sealed, associated: str) -> str:
        """The secret that was sealed for `associated`; raises UnknownKeyError or TamperedError."""
        stored = sealed.to_bytes()
        return self.open_stored(sealed.key_id, stored, associated.encode()).decode()

    def open_stored(self, key_id: str, stored: bytes, associated: bytes) -> bytes:
        """The same of a bytes column, as bytes: what every message that is sent goes through."""
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise UnknownKeyError(f"the sealing key {key_id!r} is not held")
        bound = self._prefixes[key_id] + _framed(associated)
        try:
            return cipher.decrypt(stored[:NONCE_BYTES], stored[NONCE_BYTES:], bound)
        except (InvalidTag, ValueError):
            raise TamperedError(
                f"what was sealed under key {key_id!r} does not open for this purpose"
            ) from None


def _framed(part: bytes) -> bytes:
    """A part with its length before it, so that no two different contexts read alike."""
    return len(part).to_bytes(8, "big") + part


def _utf8(plaintext: str) -> bytes:
    try:
        return plaintext.encode()
    except UnicodeEncodeError:
        raise InputError("a secret to be sealed is not well-formed text") from None
