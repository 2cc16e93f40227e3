"""The mail server that everybody sends to: `smtp-sink` of Postfix, which throws mail away as fast
as it comes, or aiosmtpd where it cannot be had; and when it had taken how many messages."""

import asyncio
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from aiosmtpd.smtp import SMTP

_SESSIONS: Final = "512"
_COUNTED: Final = re.compile(rb"mesg=(\d+)\r")
_READ: Final = 65_536


@dataclass(slots=True)
class Sink:
    """A running sink, and the moment of the monotonic clock at which it had taken each message."""

    port: int
    pid: int
    _counts: list[int] = field(default_factory=list)
    _moments: list[float] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """How many messages it has taken so far."""
        return self._counts[-1] if self._counts else 0

    def moment_of(self, count: int) -> float:
        """When it had taken the message of that number, counted from 1."""
        return self._moments[bisect_left(self._counts, count)]

    def listen(self, said: IO[bytes]) -> None:
        """Note what it counts, until it ends."""
        rest = b""
        while chunk := os.read(said.fileno(), _READ):
            counts = _COUNTED.findall(rest + chunk)
            rest = chunk.rpartition(b"\r")[2] if b"\r" in chunk else rest + chunk
            if counts and int(counts[-1]) > self.taken:
                self._moments.append(time.monotonic())
                self._counts.append(int(counts[-1]))


@contextlib.contextmanager
def sink() -> Iterator[Sink]:
    """A sink of one's own on a free port of the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    running = subprocess.Popen(_command(port), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert running.stdout is not None  # noqa: S101  it was asked for
    opened = Sink(port, running.pid)
    thread = threading.Thread(target=opened.listen, args=(running.stdout,), daemon=True)
    thread.start()
    try:
        _wait_for(port)
        yield opened
    finally:
        running.terminate()
        running.wait()
        thread.join()
        running.stdout.close()


def path_of(program: str) -> Path | None:
    """Where a program of Postfix is, which lies outside an ordinary account's PATH."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    return Path(found) if found else None


def sink_name() -> str:
    """What the sink is."""
    return "smtp-sink" if path_of("smtp-sink") else "aiosmtpd"


def _command(port: int) -> list[str]:
    program = path_of("smtp-sink")
    if program is None:
        return [sys.executable, "-m", "bench.send.sink", str(port)]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    return [str(program), "-c", *user, "-m", _SESSIONS, f"127.0.0.1:{port}", _SESSIONS]


def _wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as client:
            client.recv(512)
            client.sendall(b"QUIT\r\n")
            return
        if time.monotonic() > until:
            raise SystemExit("the mail sink did not start")
        time.sleep(0.05)


class _Counting:
    """aiosmtpd's handler: a count for each message, as smtp-sink writes it."""

    def __init__(self) -> None:
        self._taken = 0

    async def handle_DATA(self, *_: Any) -> str:  # noqa: N802  the name that aiosmtpd calls
        self._taken += 1
        sys.stdout.write(f"mesg={self._taken}\r")
        sys.stdout.flush()
        return "250 2.0.0 Ok"


async def _serve(port: int) -> None:
    handler = _Counting()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(handler), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
