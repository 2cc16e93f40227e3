"""Signing and encrypting: GnuPG can read it, and nothing else passes."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pysequoia
import pytest

from engine.mail.openpgp import (
    Certificate,
    KeyUnusableError,
    SecretKey,
    UnopenedError,
    generate_key_pair,
    open_sealed,
    seal,
)
from tests.mail.sample_batches import keys

PLAIN = b"a letter " * 5000


def now() -> datetime:
    """The machine's time: signatures carry it, so keys are judged by it."""
    return datetime.now(UTC)


@pytest.fixture
def vendor() -> SecretKey:
    """Who opens."""
    return SecretKey.read(keys().vendor.secret, name="vendor")


@pytest.fixture
def signer() -> SecretKey:
    """Who signs."""
    return SecretKey.read(keys().signer.secret, name="signer")


@pytest.fixture
def gpg_home() -> Iterator[Path]:
    """A keyring of the test's own; its path is short, because sockets live there."""
    with TemporaryDirectory() as home:
        yield Path(home)
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)


def test_what_is_sealed_opens_again(vendor: SecretKey, signer: SecretKey) -> None:
    """The vendor reads what we signed, and sealing twice gives other bytes."""
    message = seal(PLAIN, signer=signer, recipient=vendor.certificate, now=now())
    assert open_sealed(message, key=vendor, signers=[signer.certificate]) == PLAIN
    assert b"a letter" not in message
    assert message != seal(PLAIN, signer=signer, recipient=vendor.certificate, now=now())


def test_old_and_new_signers_are_both_accepted(vendor: SecretKey, signer: SecretKey) -> None:
    """While keys roll over, either signature will do, and a third one's will not."""
    new = SecretKey.read(generate_key_pair("New <new@agency.example>").secret, name="new")
    signers = [signer.certificate, new.certificate]
    for key in (signer, new):
        message = seal(PLAIN, signer=key, recipient=vendor.certificate, now=now())
        assert open_sealed(message, key=vendor, signers=signers) == PLAIN
    stranger = seal(PLAIN, signer=vendor, recipient=vendor.certificate, now=now())
    with pytest.raises(UnopenedError):
        open_sealed(stranger, key=vendor, signers=signers)


def test_nothing_changed_unsigned_or_foreign_opens(vendor: SecretKey, signer: SecretKey) -> None:
    """One byte flipped, no signature, another's key, no message at all: each is refused, in one
    line."""
    good = seal(PLAIN, signer=signer, recipient=vendor.certificate, now=now())
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    unsigned = pysequoia.encrypt(PLAIN, recipients=[vendor.certificate.cert], armor=False)
    foreign = seal(PLAIN, signer=signer, recipient=signer.certificate, now=now())
    for message in (bytes(flipped), unsigned, foreign, good[:-1], PLAIN, b""):
        with pytest.raises(UnopenedError) as caught:
            open_sealed(message, key=vendor, signers=[signer.certificate])
        assert "\n" not in str(caught.value)


def test_a_file_to_another_key_says_so(vendor: SecretKey, signer: SecretKey) -> None:
    """A file that was encrypted to a stranger's key, which is not ours to open."""
    stranger = SecretKey.read(generate_key_pair("Other <o@else.example>").secret, name="other")
    message = seal(PLAIN, signer=signer, recipient=stranger.certificate, now=now())
    with pytest.raises(UnopenedError, match=r"^cannot open: .*(key|decrypt)"):
        open_sealed(message, key=vendor, signers=[signer.certificate])


def test_an_expired_key_is_named_and_not_used(signer: SecretKey) -> None:
    """The day a key ends is read from it, and nothing is sealed to it from then on."""
    made = pysequoia.Tsk.generate("Old <old@vendor.example>", validity_seconds=86_400)
    old = SecretKey.read(bytes(made), name="old").certificate
    assert old.expires_at is not None
    assert timedelta(hours=23) < old.expires_at - now() <= timedelta(days=1)
    with pytest.raises(KeyUnusableError, match=f"recipient: the key {old.fingerprint} expired"):
        seal(PLAIN, signer=signer, recipient=old, now=old.expires_at)
    assert Certificate.read(keys().vendor.certificate, name="v").expires_at is None


def test_what_is_no_key_is_named(signer: SecretKey) -> None:
    """A wrong file, or a public key where a secret one belongs, is told by its name in settings."""
    for read in (Certificate.read, SecretKey.read):
        with pytest.raises(KeyUnusableError, match="PRINT_KEY"):
            read("-----BEGIN NONSENSE-----", name="PRINT_KEY")
    with pytest.raises(KeyUnusableError, match="PRINT_KEY"):
        SecretKey.read(signer.certificate.armoured(), name="PRINT_KEY")


def test_secret_keys_do_not_show_themselves(signer: SecretKey) -> None:
    """A key's representation, which ends in logs, is its fingerprint."""
    assert repr(signer) == f"SecretKey({signer.certificate.fingerprint})"
    assert "PRIVATE" not in repr(keys().signer)


@pytest.mark.needs("gpg")
def test_gnupg_imports_decrypts_and_verifies(
    vendor: SecretKey, signer: SecretKey, gpg_home: Path, tmp_path: Path
) -> None:
    """`gpg --import` and `gpg -d`, as a vendor would type them, give the plaintext back and call
    the signature good."""
    paths = [tmp_path / name for name in ("vendor-secret.asc", "signing-public.asc", "b.pgp")]
    paths[0].write_text(keys().vendor.secret)
    paths[1].write_text(keys().signer.certificate)
    paths[2].write_bytes(seal(PLAIN, signer=signer, recipient=vendor.certificate, now=now()))
    gpg = ["gpg", "--homedir", str(gpg_home), "--batch"]
    subprocess.run([*gpg, "--import", *map(str, paths[:2])], check=True, capture_output=True)
    opened = subprocess.run([*gpg, "-d", str(paths[2])], check=True, capture_output=True)
    assert opened.stdout == PLAIN
    assert b"Good signature from" in opened.stderr


@pytest.mark.needs("gpg")
def test_a_key_made_by_gnupg_is_sealed_to(
    signer: SecretKey, gpg_home: Path, tmp_path: Path
) -> None:
    """A vendor brings an RSA key of GnuPG's making, and reads what we send with it."""
    gpg = ["gpg", "--homedir", str(gpg_home), "--batch", "--pinentry-mode", "loopback"]
    parameters = (
        "%no-protection\nKey-Type: RSA\nKey-Length: 2048\nSubkey-Type: RSA\nSubkey-Length: 2048\n"
        "Name-Email: print@vendor.example\nExpire-Date: 0\n"
    )
    subprocess.run(
        [*gpg, "--generate-key"], input=parameters.encode(), check=True, capture_output=True
    )
    exported = subprocess.run([*gpg, "--export"], check=True, capture_output=True).stdout
    vendor = Certificate.read(exported, name="vendor")
    message = tmp_path / "b.pgp"
    message.write_bytes(seal(PLAIN, signer=signer, recipient=vendor, now=now()))
    opened = subprocess.run([*gpg, "-d", str(message)], capture_output=True, check=False)
    assert opened.stdout == PLAIN
