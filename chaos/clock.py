"""The clock of a scenario that moves it: what the workers and PostgreSQL take for the time of day.

It is libfaketime's doing; what measures a duration goes on as ever.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

_LIBRARIES: Final = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
LACKS: Final = None if _LIBRARIES else "Debian's faketime"
"""What would have to be installed for it."""


@dataclass(slots=True)
class MovableClock:
    """So many seconds ahead of the machine's clock, or behind it; `file` says so to all others."""

    file: Path
    ahead: float = 0.0

    def __call__(self) -> datetime:
        """The moment that it is, for what runs in this process."""
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def time(self) -> float:
        """The same, in seconds since 1970."""
        return time.time() + self.ahead

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process must be started with."""
        return {
            "LD_PRELOAD": str(_LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }

    def move(self, seconds: float) -> None:
        """Step it."""
        self._set(self.ahead + seconds)

    def put_right(self) -> None:
        """As the machine has it."""
        self._set(0.0)

    def start_at(self, moment: datetime) -> None:
        """Let it be this moment now."""
        self._set((moment - datetime.now(UTC)).total_seconds())

    def _set(self, ahead: float) -> None:
        self.ahead = ahead
        draft = self.file.with_suffix(".part")
        draft.write_text(f"{ahead:+.3f}\n")
        draft.chmod(0o644)
        draft.rename(self.file)
