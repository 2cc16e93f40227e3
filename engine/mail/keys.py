"""The OpenPGP keys of the print drop: ours to sign with, the vendor's to encrypt to.

From settings in production. On a machine for trying out, a demonstration vendor's key pair is made
under `print/vendor-key/`, so that anyone can play the vendor.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import SettingsError
from engine.mail.openpgp import generate_key_pair
from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class PrintKeys:
    """Both keys, ASCII-armoured: our signing key pair, and the vendor's certificate."""

    signing_key: str = field(repr=False)
    vendor_certificate: str


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


def _read(variable: str, path: Path) -> str:
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
