"""The keys of the print drop: in their time, one after the other, and loud before they end."""

import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pysequoia
import pytest

from engine.errors import SettingsError
from engine.mail.keys import PrintKeys, load_print_keys
from engine.mail.openpgp import (
    Certificate,
    KeyPair,
    KeyUnusableError,
    SecretKey,
    UnopenedError,
    generate_key_pair,
    open_sealed,
    seal,
)
from engine.settings import load_settings
from tests.mail.gnupg import GnuPG, gnupg
from tests.mail.sample_batches import keys as sample_keys

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
PLAIN = b'{"batch_id": "ccss_test_letters_20261123_001"}\n'


@pytest.fixture
def gpg() -> Iterator[GnuPG]:
    """The vendor's GnuPG."""
    with gnupg() as keyring:
        yield keyring


@pytest.fixture
def keys() -> PrintKeys:
    """Ours, and a vendor's whose keys never end."""
    return PrintKeys(sample_keys().signer.secret, sample_keys().vendor.certificate)


def lasting(days: int) -> KeyPair:
    """A key that ends after so many days."""
    made = pysequoia.Tsk.generate(
        "Vendor <print@vendor.example>",
        validity_seconds=days * 86_400,
        profile=pysequoia.Profile.RFC4880,
    )
    key = SecretKey.read(bytes(made), name="lasting")
    return KeyPair(key.armoured(), key.certificate.armoured())


def signed(secret: str, plain: bytes = PLAIN, *, armor: bool = False) -> bytes:
    """A message signed by that key."""
    return pysequoia.sign(SecretKey.read(secret, name="k").key.signer(), plain, armor=armor)


def test_what_the_vendor_signed_opens(keys: PrintKeys) -> None:
    """Signed, in either form, or signed and encrypted to us: the same plain bytes."""
    vendor = SecretKey.read(sample_keys().vendor.secret, name="vendor")
    ours = SecretKey.read(keys.signing_key, name="ours").certificate
    for message in (
        signed(sample_keys().vendor.secret),
        signed(sample_keys().vendor.secret, armor=True),
        seal(PLAIN, signer=vendor, recipient=ours, now=NOW),
    ):
        assert keys.open_inbound(message, NOW) == PLAIN


def test_nothing_else_opens(keys: PrintKeys) -> None:
    """A stranger's signature, ours, none, clear text, a changed or a cut message, no message."""
    good = signed(sample_keys().vendor.secret)
    signer = SecretKey.read(sample_keys().vendor.secret, name="vendor").key.signer()
    ours = SecretKey.read(keys.signing_key, name="ours").certificate
    for message in (
        signed(generate_key_pair("Stranger <s@example.com>").secret),
        signed(keys.signing_key),
        pysequoia.encrypt(PLAIN, recipients=[ours.cert]),
        pysequoia.sign(signer, PLAIN, mode=pysequoia.SignatureMode.CLEAR),
        pysequoia.sign(signer, PLAIN, mode=pysequoia.SignatureMode.DETACHED),
        good.replace(b"batch_id", b"batch_ID"),
        good[:-1],
        PLAIN,
        b"",
    ):
        with pytest.raises(UnopenedError) as caught:
            keys.open_inbound(message, NOW)
        assert "\n" not in str(caught.value)


def test_what_we_seal_is_for_the_vendor(keys: PrintKeys) -> None:
    """An order is signed by us and opens with the vendor's key."""
    vendor = SecretKey.read(sample_keys().vendor.secret, name="vendor")
    ours = SecretKey.read(keys.signing_key, name="ours").certificate
    assert open_sealed(keys.seal(PLAIN, NOW), key=vendor, signers=[ours]) == PLAIN


def test_a_key_that_ends_is_told_thirty_days_ahead() -> None:
    """Which key, until when, and what to do: 30 days before its end and not earlier, and after."""
    vendor, ours = lasting(100), lasting(200)
    keys = PrintKeys(ours.secret, vendor.certificate)
    end = Certificate.read(vendor.certificate, name="v").expires_at
    assert end is not None
    assert keys.expiring(end - 30 * DAY - timedelta(seconds=1)) == []
    (warning,) = keys.expiring(end - 30 * DAY)
    fingerprint = Certificate.read(vendor.certificate, name="v").fingerprint
    assert warning.subject == f"VENDOR_CERTIFICATE {fingerprint}"
    assert f"expires on {end:%Y-%m-%d}: ask the vendor" in warning.detail
    late = keys.expiring(end + 90 * DAY)
    assert [each.variable for each in late] == ["VENDOR_CERTIFICATE", "PRINT_SIGNING_KEY"]
    assert [each.ended for each in late] == [True, False]
    assert "expired on" in late[0].detail
    assert keys.expiring(end - 40 * DAY, within=50 * DAY) != []


def test_an_expired_vendor_key_says_what_to_do() -> None:
    """Nothing is encrypted to it, and the words say that nothing was lost."""
    vendor = lasting(10)
    keys = PrintKeys(sample_keys().signer.secret, vendor.certificate)
    end = Certificate.read(vendor.certificate, name="v").expires_at
    assert end is not None
    assert keys.recipient(end - timedelta(seconds=1)).expires_at == end
    with pytest.raises(
        KeyUnusableError, match=r"VENDOR_CERTIFICATE: the key .* expired on"
    ) as told:
        keys.seal(PLAIN, end)
    assert "nothing is lost" in str(told.value)
    assert "close the batch again" in str(told.value)


def test_a_file_without_a_key_is_named() -> None:
    """Rubbish, nothing, or half a key in the vendor's place."""
    good = sample_keys().vendor.certificate
    for rubbish in ("", "rubbish", good[: len(good) // 2]):
        with pytest.raises(KeyUnusableError, match="VENDOR_CERTIFICATE"):
            PrintKeys(sample_keys().signer.secret, rubbish).recipient(NOW)


@pytest.mark.needs("gpg")
def test_gnupg_signs_what_we_open(gpg: GnuPG, keys: PrintKeys) -> None:
    """`gpg --sign`, with and without `--armor`, compressed or not, and with `--encrypt` to the
    certificate that we hand out."""
    certificate = gpg.make_key("Vendor <print@vendor.example>")
    keys = PrintKeys(keys.signing_key, certificate)
    ours = sample_keys().signer.certificate.encode()
    gpg.run("--import", plain=ours)
    to_us = ("--encrypt", "--recipient", Certificate.read(ours, name="ours").fingerprint)
    for how in ((), ("--armor",), ("--compress-algo", "none"), to_us, ("--armor", *to_us)):
        message = gpg.sign("print@vendor.example", PLAIN, *how)
        assert keys.open_inbound(message, NOW) == PLAIN
    with pytest.raises(UnopenedError):
        keys.open_inbound(gpg.run("--clear-sign", plain=PLAIN), NOW)
    compressed = gpg.sign("print@vendor.example", PLAIN, "--compress-algo", "zip", *to_us)
    with pytest.raises(UnopenedError, match="--compress-algo none"):
        keys.open_inbound(compressed, NOW)


@pytest.mark.needs("gpg")
def test_gnupg_opens_what_we_seal(gpg: GnuPG, keys: PrintKeys) -> None:
    """With a key it made, `gpg --decrypt` gives the plaintext and calls our signature good."""
    keys = PrintKeys(keys.signing_key, gpg.make_key("Vendor <print@vendor.example>"))
    gpg.run("--import", plain=sample_keys().signer.certificate.encode())
    opened = gpg.run("--status-fd", "1", "--decrypt", plain=keys.seal(PLAIN, NOW))
    assert PLAIN in opened
    assert b"[GNUPG:] GOODSIG" in opened


@pytest.mark.needs("gpg")
def test_a_key_of_ours_that_only_signs_will_do(gpg: GnuPG) -> None:
    """A signing key made without a subkey to encrypt to still reads what the vendor signs."""
    certificate = gpg.make_key("Vendor <print@vendor.example>")
    gpg.run("--quick-generate-key", "Agency <print@agency.example>", "ed25519", "sign", "never")
    ours = gpg.run("--export-secret-keys", "--armor", "print@agency.example").decode()
    keys = PrintKeys(ours, certificate)
    assert keys.open_inbound(gpg.sign("print@vendor.example", PLAIN), NOW) == PLAIN
    for refused in (gpg.sign("print@agency.example", PLAIN), gpg.run("--clear-sign", plain=PLAIN)):
        with pytest.raises(UnopenedError):
            keys.open_inbound(refused, NOW)


@pytest.mark.needs("gpg")
def test_the_vendors_keys_roll_over(gpg: GnuPG, keys: PrintKeys) -> None:
    """With both in the file we encrypt to the newer, and accept the older one's signature until
    30 days after the newer was made; then the error says which key it was."""
    old, new = "old@vendor.example", "new@vendor.example"
    made = NOW - 20 * DAY
    gpg.make_key(f"Vendor <{old}>", at=NOW - 700 * DAY)
    gpg.make_key(f"Vendor <{new}>", at=made)
    by_old, by_new = gpg.sign(old, PLAIN), gpg.sign(new, PLAIN)
    blocks = [gpg.certificate(old), gpg.certificate(new)]
    for certificates in ("\n".join(blocks), "".join(reversed(blocks)), gpg.certificate(old, new)):
        both = PrintKeys(keys.signing_key, certificates)
        fingerprint = Certificate.read(blocks[1], name="new").fingerprint
        assert both.recipient(NOW).fingerprint == fingerprint
        for message in (by_old, by_new):
            assert both.open_inbound(message, made + 30 * DAY - timedelta(seconds=1)) == PLAIN
        assert both.open_inbound(by_new, made + 30 * DAY) == PLAIN
        with pytest.raises(UnopenedError, match="no longer accepted"):
            both.open_inbound(by_old, made + 30 * DAY)


@pytest.mark.needs("gpg")
def test_an_expired_newer_key_leaves_the_older(gpg: GnuPG, keys: PrintKeys) -> None:
    """The newest that can still be encrypted to is taken."""
    old, new = "old@vendor.example", "new@vendor.example"
    gpg.make_key(f"Vendor <{old}>", at=NOW - 700 * DAY)
    gpg.make_key(f"Vendor <{new}>", at=NOW - 20 * DAY, ends="10d")
    both = PrintKeys(keys.signing_key, gpg.certificate(old, new))
    fingerprint = Certificate.read(gpg.certificate(old), name="old").fingerprint
    assert both.recipient(NOW).fingerprint == fingerprint
    assert both.expiring(NOW)[0].ended


@pytest.mark.needs("gpg")
def test_the_end_of_a_subkey_counts(gpg: GnuPG, keys: PrintKeys) -> None:
    """The primary key lasts, the one to encrypt to does not: that is when we can send no more. A
    certificate sent again with a later end takes its place."""
    name = "print@vendor.example"
    gpg.run("--quick-generate-key", f"Vendor <{name}>", "ed25519", "sign", "2y", at=NOW - DAY)
    fingerprint = Certificate.read(gpg.certificate(name), name="v").fingerprint.upper()
    none_yet = PrintKeys(keys.signing_key, gpg.certificate(name))
    with pytest.raises(KeyUnusableError, match="not for encryption"):
        none_yet.recipient(NOW)
    gpg.run("--quick-add-key", fingerprint, "cv25519", "encrypt", "10d", at=NOW - DAY)
    earlier = gpg.certificate(name)
    short = PrintKeys(keys.signing_key, earlier)
    assert [each.ends_at for each in short.expiring(NOW)] == [NOW + 9 * DAY]
    with pytest.raises(KeyUnusableError, match="expired on"):
        short.recipient(NOW + 9 * DAY)
    gpg.run("--quick-set-expire", fingerprint, "1y", "*")
    longer = PrintKeys(keys.signing_key, earlier + gpg.certificate(name))
    assert longer.expiring(NOW) == []
    assert longer.recipient(NOW + 9 * DAY).fingerprint.upper() == fingerprint


@pytest.mark.needs("gpg")
def test_a_late_answer_of_an_expired_key_is_read(gpg: GnuPG, keys: PrintKeys) -> None:
    """What was signed before the key ended is read for 30 days more."""
    name = "print@vendor.example"
    gpg.make_key(f"Vendor <{name}>", at=NOW - 40 * DAY, ends="20d")
    message = gpg.sign(name, PLAIN, at=NOW - 30 * DAY)
    late = PrintKeys(keys.signing_key, gpg.certificate(name))
    assert late.open_inbound(message, NOW) == PLAIN
    with pytest.raises(UnopenedError, match="no longer accepted"):
        late.open_inbound(message, NOW + 11 * DAY)


def test_demonstration_keys_are_made_once_and_kept_close(tmp_path: Path) -> None:
    """Every later call reads the same ones; nobody else on the machine can."""
    settings = load_settings(data_dir=tmp_path)
    made = load_print_keys(settings)
    assert load_print_keys(settings) == made
    assert "PRIVATE" not in repr(made)
    assert made.expiring(NOW) == []
    secrets = list((tmp_path / "print").rglob("*-secret.asc"))
    assert [stat.S_IMODE(path.stat().st_mode) for path in secrets] == [0o600, 0o600]


def test_keys_come_from_settings_both_or_neither(tmp_path: Path) -> None:
    """One without the other, or a path to nothing, names its variable."""
    path = tmp_path / "key.asc"
    path.write_text(sample_keys().vendor.certificate)
    with pytest.raises(SettingsError, match="both or neither"):
        load_print_keys(load_settings(vendor_certificate=path))
    with pytest.raises(SettingsError, match="PRINT_SIGNING_KEY: no ASCII-armoured key"):
        load_print_keys(
            load_settings(vendor_certificate=path, print_signing_key=tmp_path / "missing")
        )
