"""The worker of the cron table, for a clock that is put back or forward: by an hour in autumn and
in spring, by a person, or by a time server.

arq waits for the moment that it has worked out. When the wall's clock goes back, that is an hour
too far, and until then nothing would run; when it goes forward, every minute that never was would
be a job of its own, and what is due now would wait behind them all.
"""

from datetime import datetime, timedelta
from typing import Final

import structlog
from arq.worker import Worker

log: Final = structlog.get_logger()

_BEHIND: Final = timedelta(minutes=1)


class ClockWorker(Worker):
    """An arq worker that works its cron table out anew whenever the clock was put back, and makes
    up for what it missed once."""

    _looked: datetime | None = None

    async def run_cron(self, n: datetime, delay: float, num_windows: int = 2) -> None:
        """Enqueue what is due at `n`, which is Pacific time: datetimes of one zone are compared as
        they stand on the wall."""
        if self._looked is not None and n < self._looked:
            log.warning("clock_put_back")
            for job in self.cron_jobs:
                job.next_run = None
        self._looked = n
        for job in self.cron_jobs:
            if job.next_run is not None and job.next_run < n - _BEHIND:
                job.next_run = n
        await super().run_cron(n, delay, num_windows)
