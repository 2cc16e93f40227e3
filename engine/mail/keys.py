"""The OpenPGP keys of the print drop: ours to sign with, the vendor's to encrypt to.

From settings in production. On a machine for trying out, a demonstration vendor's key pair is made
under `print/vendor-key/`, so that anyone can play the vendor.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from engine.clock import require_aware
from engine.errors import SettingsError
from engine.mail.key_lifetimes import Purpose, ends_at, made_at, serves
from engine.mail.opening import open_inbound
from engine.mail.openpgp import (
    Certificate,
    KeyUnusableError,
    SecretKey,
    UnopenedError,
    generate_key_pair,
    read_certificates,
    seal,
)
from engine.settings import Settings

ROLL_OVER: Final = timedelta(days=30)
"""How long an older key of the vendor is accepted beside the newer one, from the day on which that
was made; and an expired one, for what was signed before it expired (contract, section 1)."""

WARN_WITHIN: Final = timedelta(days=30)

Variable = Literal["VENDOR_CERTIFICATE", "PRINT_SIGNING_KEY"]

_REMEDY: Final = {
    "VENDOR_CERTIFICATE": "ask the vendor for their new certificate and add it to that file",
    "PRINT_SIGNING_KEY": "make a new key, send the vendor its certificate, and put the key there",
}


@dataclass(frozen=True, slots=True)
class KeyWarning:
    """A key that ends soon, or has ended."""

    variable: Variable
    fingerprint: str
    ends_at: datetime
    ended: bool

    @property
    def subject(self) -> str:
        """Which key: the same for as long as it is that key."""
        return f"{self.variable} {self.fingerprint}"

    @property
    def detail(self) -> str:
        """Until when, and what to do."""
        when = f"{'expired' if self.ended else 'expires'} on {self.ends_at:%Y-%m-%d}"
        return f"the key {self.fingerprint} {when}: {_REMEDY[self.variable]}"


@dataclass(frozen=True, slots=True)
class PrintKeys:
    """Both sides' keys, ASCII-armoured: our signing key pair, and the vendor's certificate, or
    several while the vendor's keys roll over."""

    signing_key: str = field(repr=False)
    vendor_certificate: str

    def signer(self) -> SecretKey:
        """Our key. Raises KeyUnusableError."""
        return SecretKey.read(self.signing_key, name="PRINT_SIGNING_KEY")

    def recipient(self, now: datetime) -> Certificate:
        """The newest of the vendor's certificates that can be encrypted to.

        Raises KeyUnusableError, which says what is wrong with each, and what to do.
        """
        require_aware(now)
        faults = []
        for certificate in self._vendors():
            if (fault := _fault(certificate, now)) is None:
                return certificate
            faults.append(fault)
        raise KeyUnusableError(
            f"VENDOR_CERTIFICATE: {'; '.join(faults)}. Nothing was sent and nothing is lost: "
            f"{_REMEDY['VENDOR_CERTIFICATE']}, then close the batch again"
        )

    def seal(self, plaintext: bytes, now: datetime) -> bytes:
        """Sign by us and encrypt to the vendor; see `engine.mail.openpgp.seal`."""
        return seal(plaintext, signer=self.signer(), recipient=self.recipient(now), now=now)

    def open_inbound(self, content: bytes, now: datetime) -> bytes:
        """What the vendor signed, whether they encrypted it to us or not. Raises UnopenedError."""
        ours, accepted = self.signer(), self.accepted(now)
        try:
            return open_inbound(content, key=ours, signers=accepted)
        except UnopenedError:
            self._tell_if_retired(content, ours, accepted)
            raise

    def accepted(self, now: datetime) -> list[Certificate]:
        """The vendor's certificates whose signatures count, the newest first."""
        require_aware(now)
        vendors = self._vendors()
        newer = [None, *vendors]
        return [
            certificate
            for certificate, successor in zip(vendors, newer, strict=False)
            if not certificate.cert.is_revoked
            and (successor is None or now < made_at(successor) + ROLL_OVER)
            and (certificate.expires_at is None or now < certificate.expires_at + ROLL_OVER)
        ]

    def expiring(self, now: datetime, within: timedelta = WARN_WITHIN) -> list[KeyWarning]:
        """The keys in use that end within that time, or have ended. Raises KeyUnusableError."""
        require_aware(now)
        return list(self._ending(now, now + within))

    def _ending(self, now: datetime, by: datetime) -> Iterator[KeyWarning]:
        in_use = next((each for each in self._vendors() if not each.cert.is_revoked), None)
        theirs = in_use or self.recipient(now)
        ours = self.signer().certificate
        keys: list[tuple[Variable, Certificate, Purpose]] = [
            ("VENDOR_CERTIFICATE", theirs, "encryption"),
            ("PRINT_SIGNING_KEY", ours, "signing"),
        ]
        for variable, certificate, purpose in keys:
            end = ends_at(certificate, purpose)
            if end is not None and end <= by:
                yield KeyWarning(variable, certificate.fingerprint, end, end <= now)

    def _vendors(self) -> list[Certificate]:
        """The vendor's certificates, the newest first."""
        found = read_certificates(self.vendor_certificate, name="VENDOR_CERTIFICATE")
        return sorted(found, key=made_at, reverse=True)

    def _tell_if_retired(
        self, content: bytes, ours: SecretKey, accepted: list[Certificate]
    ) -> None:
        """Say so where the signature is good, but of a certificate that no longer counts."""
        fingerprints = {certificate.fingerprint for certificate in accepted}
        for certificate in self._vendors():
            if certificate.fingerprint in fingerprints:
                continue
            try:
                open_inbound(content, key=ours, signers=[certificate])
            except UnopenedError:
                continue
            raise UnopenedError(
                f"signed by {certificate.fingerprint}, a key of the vendor's that is no longer "
                "accepted: the vendor signs it again with the newer one"
            )


def load_print_keys(settings: Settings) -> PrintKeys:
    """The keys that the settings name, or those of the demonstration vendor."""
    if settings.vendor_certificate is not None and settings.print_signing_key is not None:
        return PrintKeys(
            _read("PRINT_SIGNING_KEY", settings.print_signing_key),
            _read("VENDOR_CERTIFICATE", settings.vendor_certificate),
        )
    if settings.vendor_certificate is not None or settings.print_signing_key is not None:
        raise SettingsError("VENDOR_CERTIFICATE and PRINT_SIGNING_KEY: set both or neither")
    if settings.profile == "production":
        raise SettingsError("VENDOR_CERTIFICATE and PRINT_SIGNING_KEY must be set in production")
    return _demonstration_keys(settings.data_dir / "print")


def _fault(certificate: Certificate, now: datetime) -> str | None:
    """Why nothing can be encrypted to a certificate; None where something can."""
    if certificate.cert.is_revoked:
        return f"the key {certificate.fingerprint} was revoked"
    if not serves(certificate, "encryption"):
        return f"the key {certificate.fingerprint} is not for encryption"
    end = ends_at(certificate, "encryption")
    if end is not None and end <= now:
        return f"the key {certificate.fingerprint} expired on {end:%Y-%m-%d}"
    return None


def _read(variable: Variable, path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{variable}: no ASCII-armoured key can be read there ({type(error).__name__})"
        ) from None


def _demonstration_keys(folder: Path) -> PrintKeys:
    """Keys made once for this data folder; every later call reads the same ones."""
    ours, vendors = folder / "our-key", folder / "vendor-key"
    if not (ours / "signing-secret.asc").exists():
        ours.mkdir(parents=True, exist_ok=True)
        vendors.mkdir(parents=True, exist_ok=True)
        signing = generate_key_pair("Demonstration agency <print@agency.example>")
        vendor = generate_key_pair("Demonstration vendor <print@vendor.example>")
        _write(vendors / "vendor-secret.asc", vendor.secret)
        _write(vendors / "vendor-public.asc", vendor.certificate)
        _write(vendors / "signing-public.asc", signing.certificate)
        _write(ours / "signing-secret.asc", signing.secret)
    return PrintKeys(
        (ours / "signing-secret.asc").read_text(),
        (vendors / "vendor-public.asc").read_text(),
    )


def _write(path: Path, armoured: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(armoured)
