"""A terminal on a machine that has an application's settings: it runs the real command."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from engine.bootstrap import Application
from engine.migrations.grants import OPERATOR, WORKER
from engine.settings import Settings
from tests.acting import as_role, opened_in_parts

T = TypeVar("T")


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
        ran = subprocess.run(
            [sys.executable, "-m", "engine.cli", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
            | {name: url.get_secret_value() for name, url in urls.items() if url is not None}
            | {"DATA_DIR": str(settings.data_dir), "PROFILE": "development"},
        )
        return Said(ran.returncode, ran.stdout, ran.stderr)

    def prepare(self, act: Callable[[Application], Awaitable[T]], acting: str = WORKER) -> T:
        """Do something with the application that the commands will meet, as one of a role."""

        async def run() -> T:
            async with opened_in_parts(self.settings, acting=acting) as application:
                return await act(application)

        return asyncio.run(run())
