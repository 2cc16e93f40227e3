"""Processes: started apart from the terminal, brought back when they die, stopped in order.

Only processes that this supervisor started are ever signalled.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from engine.errors import ConnectError

log: Final = structlog.get_logger()

STOP_SECONDS: Final = 12.0
"""Ten seconds are promised for a clean stop; a process that takes longer is killed."""


class ProcessDiedError(ConnectError):
    """A process that everything else needs has ended; its log says why."""


@dataclass(slots=True)
class Process:
    """One supervised process. A `vital` one is not restarted: without it there is no stack."""

    name: str
    arguments: Sequence[str]
    vital: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    popen: "subprocess.Popen[bytes] | None" = None
    restarts: int = 0
    restart_at: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Starts Python processes of this program, with logs under `logs`, and watches over them."""

    logs: Path
    environment: Mapping[str, str]
    processes: list[Process] = field(default_factory=list)

    def start(
        self,
        name: str,
        *arguments: str,
        vital: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> Process:
        """Start `python ARGUMENTS…` in a session of its own, so that Ctrl-C reaches only us.

        `environment` goes over that of all processes, for this one.
        """
        process = Process(name, arguments, vital, environment or {})
        self.processes.append(process)
        self._launch(process)
        return process

    def _launch(self, process: Process) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{process.name}.log").open("ab") as output:
            process.popen = subprocess.Popen(  # noqa: S603  our own interpreter and modules  # nosec B603
                [sys.executable, "-W", "ignore", *process.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, **self.environment, **process.environment},
            )
        log.info("process_started", name=process.name, pid=process.popen.pid)

    def check(self) -> None:
        """Bring back what died, later each time; raise ProcessDiedError for a vital one."""
        for process in self.processes:
            if process.popen is None or process.popen.poll() is None:
                continue
            if process.vital:
                raise ProcessDiedError(
                    f"{process.name} ended with status {process.popen.returncode}: "
                    f"see {self.logs / f'{process.name}.log'}"
                )
            now = time.monotonic()
            if not process.restart_at:
                process.restart_at = now + min(0.5 * 2 ** min(process.restarts, 5), 15.0)
                log.warning("process_died", name=process.name, status=process.popen.returncode)
            elif now >= process.restart_at:
                process.restarts, process.restart_at = process.restarts + 1, 0.0
                self._launch(process)

    def stop(self) -> list[str]:
        """Stop everything, last started first; the names of those that had to be killed."""
        killed = []
        for vital in (False, True):
            group = [p for p in reversed(self.processes) if p.vital is vital and p.popen]
            for process in group:
                _terminate(process)
            deadline = time.monotonic() + STOP_SECONDS
            killed += [p.name for p in group if not _ended_by(p, deadline)]
        self.processes.clear()
        return killed


def _terminate(process: Process) -> None:
    if process.popen is not None and process.popen.poll() is None:
        process.popen.terminate()


def _ended_by(process: Process, deadline: float) -> bool:
    assert process.popen is not None  # noqa: S101  only started processes are asked
    try:
        process.popen.wait(max(deadline - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        process.popen.kill()
        process.popen.wait()
        return False
    return True
