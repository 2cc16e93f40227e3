"""Makes OpenPGP keys that GnuPG can use, too.

GnuPG 2.2 and 2.4 read version 1 of OpenPGP's encrypted-data packet and not RFC 9580's version 2.
A sender picks by the features the recipient's key declares, and the library declares version 2 on
every key it makes. So the self-signature is written again here, declaring version 1 alone, as
GnuPG's own keys do.
"""

import hashlib
import struct
from itertools import pairwise
from typing import Final

import pysequoia
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pysequoia.packet import Packet, PacketPile, Tag

_ED25519_PUBLIC_BYTES: Final = 51
_POSITIVE_CERTIFICATION, _EDDSA, _SHA512 = 0x13, 22, 10


def make_key(user_id: str) -> pysequoia.Tsk:
    """A version 4 key on Curve25519, without a passphrase: certifies, signs and encrypts, and
    never expires."""
    made = pysequoia.Tsk.generate(user_id, profile=pysequoia.Profile.RFC4880)
    primary, *rest = PacketPile.from_bytes(bytes(made))
    subkeys = [
        bytes(packet)
        for subkey, binding in pairwise(rest)
        if subkey.tag == Tag.SecretSubkey
        for packet in (subkey, binding)
    ]
    name = next(packet for packet in rest if packet.tag == Tag.UserID)
    block = [bytes(primary), bytes(name), _self_signature(primary, user_id.encode()), *subkeys]
    return pysequoia.Tsk.from_bytes(b"".join(block))


def _self_signature(primary: Packet, user_id: bytes) -> bytes:
    """A version 4 positive certification of `user_id` (RFC 4880, 5.2.3 and 5.2.4)."""
    public, secret = primary.body[:_ED25519_PUBLIC_BYTES], _secret_scalar(primary.body)
    created = public[1:5]
    fingerprint = hashlib.sha1(_framed(0x99, ">H", public), usedforsecurity=False).digest()
    hashed = b"".join(
        (
            _subpacket(2, created),
            _subpacket(27, b"\x01"),  # key flags: may certify
            _subpacket(25, b"\x01"),  # the primary user id
            _subpacket(11, b"\x09\x07"),  # AES-256, AES-128
            _subpacket(21, b"\x0a\x08"),  # SHA-512, SHA-256
            _subpacket(22, b"\x00"),  # not compressed: the library reads no signature behind that
            _subpacket(30, b"\x01"),  # features: version 1 encrypted data, and nothing newer
            _subpacket(33, b"\x04" + fingerprint),
        )
    )
    head = bytes((4, _POSITIVE_CERTIFICATION, _EDDSA, _SHA512)) + _counted(hashed)
    trailer = b"\x04\xff" + struct.pack(">I", len(head))
    signed = _framed(0x99, ">H", public) + _framed(0xB4, ">I", user_id) + head + trailer
    digest = hashlib.sha512(signed).digest()
    signature = Ed25519PrivateKey.from_private_bytes(secret).sign(digest)
    unhashed = _counted(_subpacket(16, fingerprint[-8:]))
    body = head + unhashed + digest[:2] + _mpi(signature[:32]) + _mpi(signature[32:])
    return b"\xc2\xff" + struct.pack(">I", len(body)) + body


def _secret_scalar(body: bytes) -> bytes:
    """The 32 secret bytes behind the public part: no passphrase (usage 0), then one integer."""
    if body[_ED25519_PUBLIC_BYTES] != 0:
        raise ValueError("the key has a passphrase")
    bits = struct.unpack_from(">H", body, _ED25519_PUBLIC_BYTES + 1)[0]
    start = _ED25519_PUBLIC_BYTES + 3
    return body[start : start + (bits + 7) // 8].rjust(32, b"\0")


def _framed(octet: int, length: str, body: bytes) -> bytes:
    """A body as OpenPGP hashes it: an octet, a length, the bytes."""
    return bytes((octet,)) + struct.pack(length, len(body)) + body


def _counted(area: bytes) -> bytes:
    return struct.pack(">H", len(area)) + area


def _subpacket(kind: int, body: bytes) -> bytes:
    return bytes((len(body) + 1, kind)) + body


def _mpi(number: bytes) -> bytes:
    """A multiprecision integer: its length in bits, and no leading zeros (RFC 4880, 3.2)."""
    value = int.from_bytes(number, "big")
    bits = value.bit_length()
    return struct.pack(">H", bits) + value.to_bytes((bits + 7) // 8, "big")
