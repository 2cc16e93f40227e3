"""SSH keys for a machine that holds no real data: ours, and those of the demonstration vendor's
SFTP server."""

import os
from dataclasses import dataclass
from pathlib import Path

import asyncssh


@dataclass(frozen=True, slots=True)
class DemonstrationSftp:
    """Four files. The first two are ours, the last two the vendor's."""

    client_key: Path
    """PRINT_SFTP_KEY: the private key with which we sign in."""
    host_keys: Path
    """PRINT_SFTP_HOST_KEYS: the server's key, pinned for 127.0.0.1 at any port."""
    server_key: Path
    """The private key of the server."""
    authorized_keys: Path
    """Whom the server lets in, in the format of OpenSSH."""


def demonstration_sftp(folder: Path) -> DemonstrationSftp:
    """The key files under `folder`; made once, and the same ones ever after."""
    ours, vendors = folder / "our-key", folder / "vendor-key"
    made = DemonstrationSftp(
        client_key=ours / "sftp-client",
        host_keys=ours / "sftp-host-keys",
        server_key=vendors / "sftp-server",
        authorized_keys=vendors / "sftp-authorized-keys",
    )
    if not made.client_key.exists():
        client = asyncssh.generate_private_key("ssh-ed25519", comment="demonstration agency")
        server = asyncssh.generate_private_key("ssh-ed25519", comment="demonstration vendor")
        _write(made.server_key, server.export_private_key())
        _write(made.authorized_keys, client.export_public_key())
        _write(made.host_keys, b"127.0.0.1 " + server.export_public_key())
        _write(made.client_key, client.export_private_key())
    return made


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
