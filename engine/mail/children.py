"""Processes of our own that take work through a pipe: letters and keys never stand in an argument,
an environment or a file."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, Final

_ROOT: Final = Path(__file__).parents[2]
_CALL: Final = "import importlib, sys; importlib.import_module(sys.argv[1]).serve(int(sys.argv[2]))"


@dataclass(frozen=True, slots=True)
class Child:
    """A process, and our end of the pipe between us. It ends by itself when our end is closed."""

    process: subprocess.Popen[bytes]
    connection: Connection

    @property
    def standard_input(self) -> IO[bytes]:
        """Where it reads what is streamed to it."""
        return _open(self.process.stdin)

    @property
    def standard_output(self) -> IO[bytes]:
        """Where it streams to."""
        return _open(self.process.stdout)

    def kill(self) -> None:
        """End it at once, and what it started, whatever they are doing."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it, and wait until it has ended."""
        self.connection.close()
        self.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def start_child(module: str, *, streams: bool = False, **environment: str) -> Child:
    """Run `serve(descriptor)` of `module` in a new interpreter, at the other end of a pipe.

    Multiprocessing would import the program's main module there, with all that hangs on it. An
    interrupt at the terminal does not reach it: its parent decides when it ends.
    """
    ours, theirs = multiprocessing.Pipe()
    stream = subprocess.PIPE if streams else subprocess.DEVNULL
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    with theirs:
        process = subprocess.Popen(  # noqa: S603  our own interpreter and our own module  # nosec B603
            [sys.executable, "-P", "-c", _CALL, module, str(theirs.fileno())],
            stdin=stream,
            stdout=stream,
            pass_fds=(theirs.fileno(),),
            env=os.environ | {"PYTHONPATH": path} | environment,
            start_new_session=True,
        )
    return Child(process, ours)


@contextmanager
def orders(descriptor: int) -> Iterator[Connection]:
    """In the child: its end of the pipe, until the other end is closed."""
    with Connection(descriptor) as connection, suppress(EOFError, ConnectionError):
        yield connection


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("this process was started without streams")
    return stream
