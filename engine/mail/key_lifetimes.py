"""Until when an OpenPGP key signs, or can be encrypted to.

A certificate ends when its primary key does, and for one purpose earlier: when the last subkey of
that purpose does. GnuPG gives subkeys an end of their own.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from pysequoia.packet import KeyFlags, Packet, PacketPile, SignatureType, Tag

from engine.mail.openpgp import Certificate

Purpose = Literal["signing", "encryption"]


def made_at(certificate: Certificate) -> datetime:
    """When the primary key was made."""
    made = next(_packets(certificate)).key_created
    if made is None:
        raise ValueError("a certificate begins with its primary key")
    return made


def ends_at(certificate: Certificate, purpose: Purpose) -> datetime | None:
    """The moment from which the certificate is of no more use for `purpose`; None for never."""
    ends = list(_ends(certificate, purpose))
    limits = [certificate.expires_at]
    if ends:
        limits.append(None if None in ends else max(end for end in ends if end is not None))
    return min((limit for limit in limits if limit is not None), default=None)


def serves(certificate: Certificate, purpose: Purpose) -> bool:
    """Whether any key of the certificate is, or was, for `purpose`."""
    return any(True for _ in _ends(certificate, purpose))


def _ends(certificate: Certificate, purpose: Purpose) -> Iterator[datetime | None]:
    """The end of each key that serves the purpose, by the newest of its binding signatures
    (RFC 4880, 5.2.3.6 and 5.2.3.21)."""
    for key, signatures in _keys(certificate):
        if any(each.signature_type == SignatureType.SubkeyRevocation for each in signatures):
            continue
        binding = max(
            (each for each in signatures if each.key_flags is not None),
            key=lambda each: each.signature_created or made_at(certificate),
            default=None,
        )
        if binding is None or not _is_for(binding.key_flags, purpose):
            continue
        if key.tag == Tag.PublicKey:
            yield certificate.expires_at
        elif key.key_created is None or binding.key_validity_period is None:
            yield None
        else:
            yield key.key_created + binding.key_validity_period


def _keys(certificate: Certificate) -> Iterator[tuple[Packet, list[Packet]]]:
    """Each key of the certificate, with the signatures that follow it."""
    key: Packet | None = None
    signatures: list[Packet] = []
    for packet in _packets(certificate):
        if packet.tag in (Tag.PublicKey, Tag.PublicSubkey):
            if key is not None:
                yield key, signatures
            key, signatures = packet, []
        elif packet.tag == Tag.Signature:
            signatures.append(packet)
    if key is not None:
        yield key, signatures


def _is_for(flags: KeyFlags | None, purpose: Purpose) -> bool:
    if flags is None:
        return False
    if purpose == "signing":
        return flags.signing
    return flags.transport_encryption or flags.storage_encryption


def _packets(certificate: Certificate) -> Iterator[Packet]:
    return iter(PacketPile.from_bytes(bytes(certificate.cert)))
