"""A vendor's file is opened where it can do no harm, however little of it there is to see."""

import zlib
from datetime import UTC, datetime

import pysequoia
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.opening import open_inbound
from engine.mail.openpgp import Certificate, SecretKey, UnopenedError, generate_key_pair, seal
from engine.mail.packets import is_signed_in_the_clear

US = SecretKey.read(generate_key_pair("Us <us@example.com>").secret, name="us")
VENDOR = SecretKey.read(generate_key_pair("Vendor <vendor@example.com>").secret, name="vendor")
CONTENT = b"sequence,status\r\n" * 300


def signed(*, armor: bool) -> bytes:
    """What the vendor signed, as vendors send it."""
    made = pysequoia.sign(VENDOR.key.signer(), CONTENT, armor=armor)
    return bytes(made)


def opened(message: bytes, most_memory: int = 1 << 30) -> bytes:
    """As the pick-up opens it."""
    signers = [Certificate(VENDOR.certificate.cert)]
    return open_inbound(message, key=US, signers=signers, most_memory=most_memory)


def bomb(mebibytes: int) -> bytes:
    """A message of one compressed packet that holds so much of nothing."""
    block = 1 << 24
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    begun = packer.compress(b"\xcb\xff" + (mebibytes << 20).to_bytes(4) + b"b\0" + bytes(4))
    begun += packer.flush(zlib.Z_FULL_FLUSH)
    nothing = packer.compress(bytes(block)) + packer.flush(zlib.Z_FULL_FLUSH)
    body = b"\1" + begun + nothing * ((mebibytes << 20) // block) + packer.flush()
    return b"\xc8\xff" + len(body).to_bytes(4) + body


@pytest.mark.parametrize("armor", [False, True])
def test_what_is_visibly_no_larger_than_it_looks_is_opened_here(
    monkeypatch: pytest.MonkeyPatch, *, armor: bool
) -> None:
    """A signed file starts no process."""
    monkeypatch.setattr("engine.mail.opening.start_child", None)
    assert opened(signed(armor=armor)) == CONTENT


def test_what_is_encrypted_to_us_is_opened_in_a_process_with_a_limit() -> None:
    """It comes back whole; and what it says of another key is what would be said here."""
    sealed = seal(CONTENT, signer=VENDOR, recipient=US.certificate, now=datetime.now(UTC))
    assert not is_signed_in_the_clear(sealed)
    assert opened(sealed) == CONTENT
    other = seal(CONTENT, signer=US, recipient=US.certificate, now=datetime.now(UTC))
    with pytest.raises(UnopenedError, match="cannot open: Signature verification failed"):
        opened(other)


def test_a_file_that_unpacks_without_end_is_refused() -> None:
    """Three gibibytes in three megabytes: its process ends, ours goes on and says why."""
    message = bomb(3072)
    assert len(message) < 1 << 23
    with pytest.raises(UnopenedError, match="cannot open: it takes more than 384 MiB of memory"):
        opened(message, 384 << 20)


@given(st.binary(max_size=64))
def test_whatever_cannot_be_read_is_not_trusted(octets: bytes) -> None:
    """No octets make the look at them fail; what is cut short or something else is not opened
    here."""
    assert not is_signed_in_the_clear(b"\xc8" + octets)
    is_signed_in_the_clear(octets)
    whole = signed(armor=False)
    assert is_signed_in_the_clear(whole)
    assert not is_signed_in_the_clear(whole[1:])
