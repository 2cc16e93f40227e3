"""A Postfix of the test's own: it delivers to a Maildir, and its bounces come back to us.

It listens on the loopback alone, keeps everything in a folder of its own, and looks up no names.
"""

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

DOMAIN: Final = "mail.example"
"""Whose mail it delivers: `readers` have a Maildir there, and everyone else is unknown."""

_MASTER: Final = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
_MAIN: Final = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = /dev/stdout
myhostname = relay.example
mydestination =
alias_maps =
local_recipient_maps =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
# Accepted, and bounced later: as a mail server does that asks nobody first.
smtpd_reject_unlisted_recipient = no
smtpd_relay_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = inline:{{ {readers} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
transport_maps = inline:{{ {{ {bounce_domain} = smtp:[127.0.0.1]:{bounce_port} }} }}
"""


@dataclass(frozen=True, slots=True)
class Postfix:
    """A Postfix that is serving."""

    url: str
    folder: Path

    def delivered(self, reader: str) -> list[bytes]:
        """The messages in a reader's Maildir."""
        new = self.folder / "mail" / reader / "new"
        return [path.read_bytes() for path in new.iterdir()] if new.is_dir() else []

    async def wait_for(self, reader: str, number: int = 1, seconds: float = 60) -> list[bytes]:
        """The reader's messages once there are so many; TimeoutError if there never are."""
        async with asyncio.timeout(seconds):
            while len(found := self.delivered(reader)) < number:  # noqa: ASYNC110  a Maildir rings no bell
                await asyncio.sleep(0.05)
        return found


@asynccontextmanager
async def postfix_server(
    bounce_port: int,
    readers: Sequence[str] = ("reader",),
    bounce_domain: str = "bounces.connect.example",
) -> AsyncIterator[Postfix]:
    """Serve on a free port; mail to `bounce_domain` goes on to `bounce_port` of the loopback."""
    if os.geteuid() != 0:
        pytest.skip("Postfix can be started by root alone")
    folder = Path(tempfile.mkdtemp(prefix="connect-postfix-"))
    port = _free_port()
    _lay_out(folder, port, bounce_port, bounce_domain, readers)
    log = (folder / "log").open("wb")
    command = ("postfix", "-c", str(folder / "etc"))
    try:
        serving = await asyncio.create_subprocess_exec(
            *command, "start-fg", stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        try:
            await _answers(port, serving, folder / "log")
            yield Postfix(f"smtp://127.0.0.1:{port}", folder)
        finally:
            stop = await asyncio.create_subprocess_exec(*command, "stop", stdout=log, stderr=log)
            await stop.wait()
            await serving.wait()
    finally:
        log.close()
        shutil.rmtree(folder)


def _lay_out(
    folder: Path, port: int, bounce_port: int, bounce_domain: str, readers: Sequence[str]
) -> None:
    owner = pwd.getpwnam("postfix")
    folder.chmod(0o755)
    for name in ("etc", "queue", "data", "mail"):
        (folder / name).mkdir()
    for name in ("data", "mail"):
        os.chown(folder / name, owner.pw_uid, owner.pw_gid)
    (folder / "etc" / "master.cf").write_text(_MASTER.format(port=port))
    (folder / "etc" / "main.cf").write_text(
        _MAIN.format(
            folder=folder,
            domain=DOMAIN,
            readers=", ".join(f"{{ {reader}@{DOMAIN} = {reader}/ }}" for reader in readers),
            uid=owner.pw_uid,
            gid=owner.pw_gid,
            bounce_domain=bounce_domain,
            bounce_port=bounce_port,
        )
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _words(log: Path) -> str:
    return log.read_text()


async def _answers(port: int, serving: asyncio.subprocess.Process, log: Path) -> None:
    """Return once it greets; fail with its own words when it ends instead."""
    async with asyncio.timeout(30):
        while True:
            if serving.returncode is not None:
                pytest.fail(f"Postfix did not start:\n{_words(log)}")
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    if (await reader.readline()).startswith(b"220"):
                        return
                finally:
                    writer.close()
            # Between two looks: what a program apart does, no event of ours tells.
            await asyncio.sleep(0.05)
