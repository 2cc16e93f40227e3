"""The most memory that a process and each of its children held, sampled while work goes on."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

_EVERY_SECONDS = 0.2
_MEBIBYTE = 1 << 20


@dataclass(slots=True)
class Peaks:
    """Resident mebibytes, by what the process does."""

    of: dict[str, float] = field(default_factory=dict)

    def note(self, role: str, rss: int) -> None:
        """Keep the highest."""
        self.of[role] = max(self.of.get(role, 0.0), rss / _MEBIBYTE)


@contextmanager
def sampled_memory(roles: dict[str, str]) -> Iterator[Peaks]:
    """Sample this process as `parent`, and its children as the role whose word is in their
    command line; other children (servers) are left out."""
    peaks, done = Peaks(), threading.Event()

    def sample() -> None:
        me = psutil.Process()
        while True:
            peaks.note("parent", me.memory_info().rss)
            for child in me.children(recursive=True):
                try:
                    line = " ".join(child.cmdline())
                    for word, role in roles.items():
                        if word in line:
                            peaks.note(role, child.memory_info().rss)
                except psutil.Error:
                    continue
            if done.wait(_EVERY_SECONDS):
                return

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        done.set()
        thread.join()
