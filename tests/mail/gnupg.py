"""GnuPG as a vendor uses it: a keyring of its own, and a clock that can be set back."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory


@dataclass(frozen=True, slots=True)
class GnuPG:
    """One keyring."""

    home: Path

    def run(self, *arguments: str, plain: bytes = b"", at: datetime | None = None) -> bytes:
        """Run `gpg`, as if it were `at`; what it wrote."""
        clock = ["--faked-system-time", f"{at:%Y%m%dT%H%M%S}"] if at else []
        base = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--trust-model", "always"]
        unlocked = ["--pinentry-mode", "loopback", "--passphrase", ""]
        done = subprocess.run(
            [*base, *unlocked, *clock, *arguments], input=plain, check=True, capture_output=True
        )
        return done.stdout

    def make_key(self, name: str, *, ends: str = "never", at: datetime | None = None) -> str:
        """A key that signs, with a subkey to encrypt to; its certificate in ASCII armour."""
        self.run("--quick-generate-key", name, "ed25519", "sign", ends, at=at)
        listed = self.run("--list-keys", "--with-colons", name).decode().splitlines()
        fingerprint = next(line.split(":")[9] for line in listed if line.startswith("fpr"))
        self.run("--quick-add-key", fingerprint, "cv25519", "encrypt", ends, at=at)
        return self.certificate(name)

    def certificate(self, *names: str) -> str:
        """Certificates in one block of ASCII armour."""
        return self.run("--export", "--armor", *names).decode()

    def sign(self, name: str, plain: bytes, *how: str, at: datetime | None = None) -> bytes:
        """`gpg --sign` by the key of that name."""
        return self.run("--local-user", name, *how, "--sign", plain=plain, at=at)


@contextmanager
def gnupg() -> Iterator[GnuPG]:
    """A keyring; its path is short, because sockets live there."""
    with TemporaryDirectory() as home:
        yield GnuPG(Path(home))
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)
