"""SSH keys for trying out."""

import stat
from pathlib import Path

import asyncssh

from engine.mail.drops.demonstration import demonstration_sftp


def test_keys_are_made_once_and_kept_close(tmp_path: Path) -> None:
    """The four files fit each other, nobody else can read them, and a second call changes none."""
    made = demonstration_sftp(tmp_path)
    files = [made.client_key, made.host_keys, made.server_key, made.authorized_keys]
    before = [path.read_bytes() for path in files]
    assert demonstration_sftp(tmp_path) == made
    assert [path.read_bytes() for path in files] == before
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    client = asyncssh.import_private_key(before[0]).export_public_key()
    server = asyncssh.import_private_key(before[2]).export_public_key()
    assert before[1] == b"127.0.0.1 " + server
    assert before[3] == client
    assert b"ssh-ed25519" in client
