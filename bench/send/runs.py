"""One contestant's run, and what it took: of the clock, of the processors, of the memory."""

import statistics
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import psutil

_EVERY_SECONDS: Final = 0.1
_MEBIBYTE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Run:
    """`seconds` from the first message to the last of so many; `processor` are the seconds that the
    workers' processes had of the processors meanwhile, `memory` the mebibytes of the largest of
    them, each tenth of a second. `beside` are the processor's seconds of the servers by name, and
    `logged` the bytes that PostgreSQL wrote to its log, where it was ours."""

    messages: int
    seconds: float
    processor: float = 0.0
    memory: Sequence[float] = ()
    beside: Mapping[str, float] = field(default_factory=dict)
    logged: int = 0

    @property
    def per_second(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


@dataclass(slots=True)
class Contestant:
    """What it did with so many workers, run by run; a `fault` says why it could not be run."""

    key: str
    title: str
    workers: int
    runs: list[Run] = field(default_factory=list)
    fault: str = ""

    @property
    def per_second(self) -> float:
        """Messages a second, the median of its runs."""
        return statistics.median(run.per_second for run in self.runs)

    @property
    def processor_each(self) -> float:
        """Seconds of the processors for each message, the median of its runs."""
        return statistics.median(run.processor / run.messages for run in self.runs)

    @property
    def memory(self) -> float:
        """The most that one of its processes held, in mebibytes."""
        return max((max(run.memory, default=0.0) for run in self.runs), default=0.0)


@dataclass(slots=True)
class Watched:
    """What processes and their children have used so far."""

    processes: Sequence[psutil.Process]
    memory: list[float] = field(default_factory=list)

    def processor(self) -> float:
        """Seconds of the processors, of all of them together and of what they waited for."""
        taken = 0.0
        for process in self._all():
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            taken += times.user + times.system + times.children_user + times.children_system
        return taken

    def look(self) -> None:
        """Note the memory of the largest."""
        sizes = [0]
        for process in self._all():
            try:
                sizes.append(process.memory_info().rss)
            except psutil.Error:
                continue
        self.memory.append(max(sizes) / _MEBIBYTE)

    def _all(self) -> Iterator[psutil.Process]:
        for process in self.processes:
            yield process
            try:
                yield from process.children(recursive=True)
            except psutil.Error:
                continue


@contextmanager
def watched(processes: Sequence[subprocess.Popen[bytes]]) -> Iterator[Watched]:
    """Watch these while work goes on."""
    watching = Watched([psutil.Process(one.pid) for one in processes])
    done = threading.Event()

    def keep_looking() -> None:
        while not done.wait(_EVERY_SECONDS):
            watching.look()

    thread = threading.Thread(target=keep_looking, daemon=True)
    thread.start()
    try:
        yield watching
    finally:
        done.set()
        thread.join()
