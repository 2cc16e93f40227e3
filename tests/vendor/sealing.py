"""Keys, and OpenPGP messages opened and made; with GnuPG in place of Sequoia when asked."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import pysequoia

from tests.vendor.manners import Mischief
from tests.vendor.verify_batch import (
    NotDecryptedError,
    Opener,
    open_with_gpg,
    open_with_pysequoia,
)

OPENERS = {"gpg": open_with_gpg, "pysequoia": open_with_pysequoia}
TOO_MUCH = 64 * 1024 * 1024 + 1


@dataclass(frozen=True)
class Keys:
    """The vendor's secret key and the agency's certificates, as armoured files."""

    secret: Path
    agency: Path
    older: tuple[Path, ...] = ()
    """Secret keys that are rolling over: they still open, and no longer sign."""
    program: Literal["pysequoia", "gpg"] = "pysequoia"

    @classmethod
    def write(cls, folder: Path, *, secret: str, agency: str) -> "Keys":
        """Keep armoured keys in `folder` as vendor-secret.asc and signing-public.asc."""
        folder.mkdir(parents=True, exist_ok=True)
        keys = cls(folder / "vendor-secret.asc", folder / "signing-public.asc")
        keys.secret.write_text(secret)
        keys.agency.write_text(agency)
        return keys

    def open(self, sealed: Path) -> bytes:
        """Decrypt and verify with whichever key it was made for.

        NotDecryptedError or BadSignatureError with its reason.
        """
        reason = NotDecryptedError("there is no key to open it with")
        for opener in self._openers:
            try:
                return opener(sealed)
            except NotDecryptedError as error:
                reason = error
        raise reason

    @cached_property
    def _openers(self) -> tuple[Opener, ...]:
        make = OPENERS[self.program]
        return tuple(make(key, self.agency) for key in (self.secret, *self.older))

    def signer(self) -> pysequoia.PySigner:
        """What the vendor signs with."""
        return pysequoia.Tsk.from_file(str(self.secret)).signer()

    def recipients(self) -> list[pysequoia.Cert]:
        """Whom an answer may be encrypted to."""
        return pysequoia.Cert.split_file(str(self.agency))


def new_key_pair(user_id: str) -> tuple[str, str]:
    """A new secret key and its certificate, armoured, without a passphrase."""
    key = pysequoia.Tsk.generate(user_id)
    return str(key), str(key.extract_certificate())


def seal(
    content: bytes,
    keys: Keys,
    mischief: frozenset[Mischief] = frozenset(),
    *,
    encrypted: bool = False,
    armoured: bool = False,
) -> bytes:
    """One signed message; or what the mischief makes of it."""
    if Mischief.HUGE in mischief:
        content = content.ljust(TOO_MUCH)
    if Mischief.IN_THE_CLEAR in mischief:
        return content
    if Mischief.UNSIGNED in mischief:
        return pysequoia.encrypt(content, recipients=keys.recipients(), armor=armoured)
    signer = keys.signer()
    if Mischief.ANOTHER_KEY in mischief:
        signer = pysequoia.Tsk.generate("A stranger <print@elsewhere.example>").signer()
    if Mischief.CLEAR_SIGNED in mischief:
        return pysequoia.sign(signer, content, mode=pysequoia.SignatureMode.CLEAR)
    if encrypted:
        recipients = keys.recipients()
        return pysequoia.encrypt(content, recipients=recipients, signer=signer, armor=armoured)
    return pysequoia.sign(signer, content, armor=armoured)
