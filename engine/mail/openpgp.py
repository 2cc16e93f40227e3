"""OpenPGP, as much of it as a print batch needs: signed by us, encrypted to the vendor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeVar

import pysequoia
from pysequoia.packet import PacketPile, Tag

from engine.clock import require_aware
from engine.errors import ConnectError, InputError
from engine.mail.key_making import make_key

_Read = TypeVar("_Read")


class KeyUnusableError(InputError):
    """A key cannot be read, has expired, was revoked, or is not of the kind that is needed; put
    another in its place. Nothing was signed or encrypted."""


class UnopenedError(ConnectError):
    """A file is not encrypted to our key, was changed on its way, or is not signed by a key we
    know; nothing in it may be used."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Someone's public key."""

    cert: pysequoia.Cert

    @classmethod
    def read(cls, key: str | bytes, *, name: str) -> "Certificate":
        """Read a public key, binary or armoured; `name` is what errors call it."""
        return cls(_read(pysequoia.Cert.from_bytes, key, name))

    @property
    def fingerprint(self) -> str:
        """Of the primary key, in lower-case hexadecimal."""
        return self.cert.fingerprint

    @property
    def expires_at(self) -> datetime | None:
        """When the key ends, or None when it does not."""
        return self.cert.expiration

    def armoured(self) -> str:
        """The public key in ASCII armour."""
        return str(self.cert)

    def require_usable(self, now: datetime, *, name: str) -> "Certificate":
        """Hand the certificate back, or raise KeyUnusableError if it is revoked or has expired."""
        require_aware(now)
        if self.cert.is_revoked:
            raise KeyUnusableError(f"{name}: the key {self.fingerprint} was revoked")
        if self.expires_at is not None and self.expires_at <= now:
            raise KeyUnusableError(
                f"{name}: the key {self.fingerprint} expired at {self.expires_at.isoformat()}"
            )
        return self


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A key of our own (or a demonstration vendor's), without a passphrase."""

    key: pysequoia.Tsk

    @classmethod
    def read(cls, key: str | bytes, *, name: str) -> "SecretKey":
        """Read a secret key, binary or armoured; `name` is what errors call it."""
        packets = _read(PacketPile.from_bytes, key, name)
        if not any(packet.tag == Tag.SecretKey for packet in packets):
            raise KeyUnusableError(f"{name}: a public key stands where a secret one belongs")
        return cls(_read(pysequoia.Tsk.from_bytes, key, name))

    def __repr__(self) -> str:
        """The fingerprint and nothing secret."""
        return f"SecretKey({self.certificate.fingerprint})"

    @property
    def certificate(self) -> Certificate:
        """Its public part."""
        return Certificate(self.key.extract_certificate())

    def armoured(self) -> str:
        """The secret key in ASCII armour."""
        return str(self.key)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key in ASCII armour, and the public part of it."""

    secret: str = field(repr=False)
    certificate: str


def generate_key_pair(user_id: str) -> KeyPair:
    """A key pair without a passphrase, for a machine that holds no real data; GnuPG reads it."""
    key = SecretKey(make_key(user_id))
    return KeyPair(key.armoured(), key.certificate.armoured())


def require_usable_keys(signer: SecretKey, recipient: Certificate, now: datetime) -> None:
    """Raise KeyUnusableError if either key is revoked or has expired."""
    recipient.require_usable(now, name="recipient")
    signer.certificate.require_usable(now, name="signer")


def seal(plaintext: bytes, *, signer: SecretKey, recipient: Certificate, now: datetime) -> bytes:
    """Sign `plaintext` and encrypt it to `recipient`; a binary OpenPGP message.

    Sealing the same again gives other bytes. Raises KeyUnusableError for a key that has expired
    or was revoked, or that cannot sign or encrypt.
    """
    require_usable_keys(signer, recipient, now)
    try:
        return pysequoia.encrypt(
            plaintext, recipients=[recipient.cert], signer=signer.key.signer(), armor=False
        )
    except Exception as error:  # noqa: BLE001  pysequoia raises bare RuntimeError and worse
        raise KeyUnusableError(f"cannot sign and encrypt: {first_line(error)}") from None


def open_sealed(ciphertext: bytes, *, key: SecretKey, signers: Sequence[Certificate]) -> bytes:
    """Decrypt with `key`; what comes back was signed by one of `signers`.

    Several signers are for a key rolling over, when old and new are both accepted. Raises
    UnopenedError.
    """
    certificates = [signer.cert for signer in signers]

    def store(_key_ids: Any) -> list[pysequoia.Cert]:
        return certificates

    try:
        opened = pysequoia.decrypt(ciphertext, decryptor=key.key.decryptor(), store=store)
    except Exception as error:  # noqa: BLE001  pysequoia raises bare RuntimeError and worse
        raise UnopenedError(f"cannot open: {first_line(error)}") from None
    if opened.bytes is None or not opened.valid_sigs:
        raise UnopenedError("cannot open: no signature of a known key")
    return opened.bytes


def _read(parse: Callable[[bytes], _Read], key: str | bytes, name: str) -> _Read:
    try:
        return parse(key.encode() if isinstance(key, str) else key)
    except Exception as error:  # noqa: BLE001  pysequoia raises bare RuntimeError and worse
        raise KeyUnusableError(f"{name}: not an OpenPGP key: {first_line(error)}") from None


_LONGEST_FAULT: Final = 200


def first_line(fault: Exception | str) -> str:
    """Sequoia's own words without the stack trace it puts under them."""
    return next(iter(str(fault).splitlines()), type(fault).__name__)[:_LONGEST_FAULT]


def read_certificates(keys: str | bytes, *, name: str) -> list[Certificate]:
    """Read one public key or several, binary or as armoured blocks one after the other.

    A key that stands there twice, as when its owner sent it again with a later end, is one.
    """
    by_fingerprint: dict[str, pysequoia.Cert] = {}
    for cert in _read(pysequoia.Cert.split_bytes, keys, name):
        earlier = by_fingerprint.get(cert.fingerprint)
        by_fingerprint[cert.fingerprint] = cert if earlier is None else earlier.merge(cert)
    if not by_fingerprint:
        raise KeyUnusableError(f"{name}: no OpenPGP key is there")
    return [Certificate(cert) for cert in by_fingerprint.values()]


_COMPRESSED: Final = "Unexpected message structure"
"""What the library says of a signature that is compressed and then encrypted, which it cannot
read. GnuPG compresses unless it is told not to, or the recipient's key says so, as ours does."""

_CLEAR_TEXT: Final = b"-----BEGIN PGP SIGNED MESSAGE-----"


def open_signed(message: bytes, *, key: SecretKey, signers: Sequence[Certificate]) -> bytes:
    """What one of `signers` signed, whether they encrypted it to `key` or not.

    Clear-text signatures, which let a line end be changed on the way, are not read. Raises
    UnopenedError.
    """
    if not signers:
        raise UnopenedError("cannot open: there is no key whose signature counts")
    try:
        key.key.decryptor()
    except RuntimeError:
        return _verify(message, [signer.cert for signer in signers])
    try:
        return open_sealed(message, key=key, signers=signers)
    except UnopenedError as error:
        if _COMPRESSED not in str(error):
            raise
        raise UnopenedError(
            "cannot open: encrypted to us and compressed; make it with `gpg --compress-algo none`"
        ) from None


def _verify(message: bytes, certificates: list[pysequoia.Cert]) -> bytes:
    """For a key of ours that only signs: nothing can have been encrypted to it."""
    if message.lstrip().startswith(_CLEAR_TEXT):
        raise UnopenedError("cannot open: a clear-text signature")
    try:
        opened = pysequoia.verify(message, store=lambda _key_ids: certificates)
    except Exception as error:  # noqa: BLE001  pysequoia raises bare RuntimeError and worse
        raise UnopenedError(f"cannot open: {first_line(error)}") from None
    if opened.bytes is None or not opened.valid_sigs:
        raise UnopenedError("cannot open: no signature of a known key")
    return opened.bytes
