"""A terminal on a machine that has an application's settings: it runs the real command."""

import asyncio
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from engine.bootstrap import Application
from engine.cli.main import main
from engine.migrations.grants import OPERATOR, WORKER
from engine.settings import Settings
from tests.acting import as_role, opened_in_parts

T = TypeVar("T")

_COMMANDS: Final = multiprocessing.get_context("forkserver")
"""Forks each command from one process that has imported what they all import, and done nothing
else: to import it takes far longer than most commands do."""
_COMMANDS.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit status."""

    status: int
    out: str
    error: str


@dataclass(frozen=True)
class Terminal:
    """Where `connect` is typed, and where a test prepares what it is to find."""

    settings: Settings
    role: str | None = OPERATOR
    """Whose login commands have; None for the owner's, as `connect recover` needs it."""

    def connect(self, *arguments: str) -> Said:
        """Run `connect` with these arguments, in a process of its own."""
        settings = self.settings
        if self.role is not None and settings.database_url is not None:
            settings = as_role(settings, self.role)
        urls = {
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "SMTP_URL": settings.smtp_url,
        }
        return run_connect(
            arguments,
            {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
            | {name: url.get_secret_value() for name, url in urls.items() if url is not None}
            | {"DATA_DIR": str(settings.data_dir), "PROFILE": "development"},
        )

    def prepare(self, act: Callable[[Application], Awaitable[T]], acting: str = WORKER) -> T:
        """Do something with the application that the commands will meet, as one of a role."""

        async def run() -> T:
            async with opened_in_parts(self.settings, acting=acting) as application:
                return await act(application)

        return asyncio.run(run())


def run_connect(arguments: tuple[str, ...], environment: Mapping[str, str]) -> Said:
    """Run `connect` with these arguments, in a process of its own that has this environment."""
    with tempfile.TemporaryDirectory(prefix="connect-terminal-") as folder:
        out, error = Path(folder) / "out", Path(folder) / "error"
        process = _COMMANDS.Process(target=_command, args=(arguments, environment, out, error))
        process.start()
        process.join()
        status = process.exitcode
        process.close()
        assert status is not None
        return Said(status, out.read_text("utf-8"), error.read_text("utf-8"))


def _command(
    arguments: tuple[str, ...], environment: Mapping[str, str], out: Path, error: Path
) -> None:
    """What the process does: be `connect`, in this environment, and write there."""
    for path, stream in ((out, 1), (error, 2)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(opened, stream)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = ["connect", *arguments]
    try:
        main()
    except Exception as fault:  # noqa: BLE001  what the interpreter would do with it
        sys.excepthook(type(fault), fault, fault.__traceback__)
        sys.exit(1)
