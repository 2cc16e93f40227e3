"""Signing what leaves, so that a reader's server knows whose it is (DKIM: RFC 6376, RFC 8463)."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from engine.errors import SettingsError

_RSA_BITS: Final = 2048
"""RFC 8301, 3.2: signers use at least 2048 bits."""

_OVERSIGNED: Final = ("from", "to", "subject", "date", "message-id", "mime-version", "content-type")
"""Named once more than they occur: none can be put beside the one we wrote (RFC 6376, 8.15)."""
_SIGNED: Final = (
    *_OVERSIGNED,
    "auto-submitted",
    "content-language",
    # RFC 8058, 4: these must be covered, or the reader's program offers no button.
    "list-unsubscribe",
    "list-unsubscribe-post",
)

_FOLD: Final = re.compile(rb"\r\n(?=[ \t])")
# A run of white space that is more than the one space it becomes.
_SPACES: Final = re.compile(rb"(?:  | ?\t)[ \t]*")
_LINE: Final = 72

Key = RSAPrivateKey | Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A private key and the selector under which the DNS has its public half."""

    selector: str
    key: Key = field(repr=False)

    @property
    def algorithm(self) -> str:
        """The `a=` tag (RFC 6376, 3.3; RFC 8463, 3)."""
        return "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`; Ed25519 signs its SHA-256 (RFC 8463, 3)."""
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(data, PKCS1v15(), hashes.SHA256())
        return self.key.sign(hashlib.sha256(data).digest())

    @property
    def record(self) -> str:
        """The TXT record that belongs at `<selector>._domainkey.<domain>`."""
        public = self.key.public_key()
        if isinstance(self.key, RSAPrivateKey):
            raw = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return f"v=DKIM1; k=rsa; p={base64.b64encode(raw).decode()}"
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"


@dataclass(frozen=True, slots=True)
class DkimSigner:
    """Signs for one domain with every key it has, relaxed/relaxed."""

    domain: str
    keys: tuple[DkimKey, ...]

    @classmethod
    def of(cls, domain: str | None, keys: Mapping[str, str]) -> Self | None:
        """From settings: selector → a PEM file's path, or PEM itself; None without a domain.

        Raises SettingsError, which says what is wrong with which key and shows none.
        """
        if domain is None:
            return None
        return cls(domain, tuple(DkimKey(name, load_key(name, key)) for name, key in keys.items()))

    def sign(self, message: bytes, at: datetime) -> bytes:
        """`message`, in CRLF lines, with a signature of each key made at `at` before it.

        The same message, time and keys give the same bytes.
        """
        head, _, body = message.partition(b"\r\n\r\n")
        fields = _fields(head)
        names = _names(fields)
        covered = b"".join(_covered(fields, names))
        body_hash = _base64(hashlib.sha256(canonical_body(body)).digest())
        signatures = [
            self._signature(key, names, covered, body_hash, int(at.timestamp()))
            for key in self.keys
        ]
        return b"".join((*signatures, message))

    def _signature(
        self, key: DkimKey, names: Sequence[str], covered: bytes, body_hash: str, at: int
    ) -> bytes:
        header = (
            f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed; d={self.domain};\r\n"
            f" s={key.selector}; t={at};\r\n"
            f" h={_folded(':'.join(names), ':')};\r\n"
            f" bh={body_hash};\r\n"
            " b="
        ).encode("ascii")
        # The field itself comes last, with an empty b= and no line break (RFC 6376, 3.7).
        unsigned = canonical_header(header).removesuffix(b"\r\n")
        return header + _folded(_base64(key.sign(covered + unsigned))).encode("ascii") + b"\r\n"


def load_key(selector: str, given: str) -> Key:
    """A private key from a PEM file's path, or from PEM itself; raises SettingsError."""
    try:
        pem = given.encode() if "-----BEGIN" in given else Path(given).read_bytes()
    except OSError:
        raise SettingsError(f"DKIM_KEY: the file for {selector} cannot be read") from None
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(
            f"DKIM_KEY: the key for {selector} must be a private key in PEM without a passphrase"
        ) from None
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise SettingsError(f"DKIM_KEY: the key for {selector} must be RSA or Ed25519")
    if isinstance(key, RSAPrivateKey) and key.key_size < _RSA_BITS:
        raise SettingsError(
            f"DKIM_KEY: the RSA key for {selector} must have at least {_RSA_BITS} bits"
        )
    return key


def canonical_body(body: bytes) -> bytes:
    """`body` as the relaxed algorithm hashes it (RFC 6376, 3.4.4)."""
    whole = body if body.endswith(b"\r\n") or not body else body + b"\r\n"
    lines = _SPACES.sub(b" ", whole).replace(b" \r\n", b"\r\n")
    while lines.endswith(b"\r\n\r\n"):
        lines = lines[:-2]
    return b"" if lines == b"\r\n" else lines


def canonical_header(field_: bytes) -> bytes:
    """One header field as the relaxed algorithm signs it (RFC 6376, 3.4.2)."""
    name, _, value = field_.partition(b":")
    unfolded = _FOLD.sub(b"", value)
    return name.strip().lower() + b":" + _SPACES.sub(b" ", unfolded).strip(b" \r\n") + b"\r\n"


def _fields(head: bytes) -> list[tuple[str, bytes]]:
    """The header fields in order, with their names in lower case."""
    fields = re.split(rb"\r\n(?![ \t])", head)
    return [(field_.partition(b":")[0].decode("ascii").lower(), field_) for field_ in fields]


def _names(fields: Sequence[tuple[str, bytes]]) -> list[str]:
    """The `h=` tag: each signed field as often as it occurs, and the oversigned once more."""
    present = [name for name, _ in fields]
    return [
        name
        for name in _SIGNED
        for _ in range(present.count(name) + (1 if name in _OVERSIGNED else 0))
    ]


def _covered(fields: Sequence[tuple[str, bytes]], names: Sequence[str]) -> list[bytes]:
    """The fields of `names`, of several the last first (RFC 6376, 5.4.2)."""
    left: dict[str, list[bytes]] = {}
    for name, field_ in fields:
        left.setdefault(name, []).append(field_)
    return [canonical_header(left[name].pop()) for name in names if left.get(name)]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _folded(value: str, at: str = "") -> str:
    """`value` in lines that fit, broken after `at`, or anywhere."""
    if not at:
        return "\r\n ".join(value[start : start + _LINE] for start in range(0, len(value), _LINE))
    lines = [""]
    for piece in re.findall(rf"[^{at}]+{at}?", value):
        if len(lines[-1]) + len(piece) > _LINE:
            lines.append("")
        lines[-1] += piece
    return "\r\n ".join(lines)
