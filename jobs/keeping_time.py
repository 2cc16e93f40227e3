"""The worker of the cron table, for a clock that is put back: by an hour in autumn, by a person, or
by a time server.

arq waits for the hour that it has worked out; when the wall's clock goes back, that is an hour too
far, and until then nothing would run.
"""

from datetime import datetime

import structlog
from arq.worker import Worker

log = structlog.get_logger()


class ClockWorker(Worker):
    """An arq worker that works its cron table out anew whenever the clock was put back."""

    _looked: datetime | None = None

    async def run_cron(self, n: datetime, delay: float, num_windows: int = 2) -> None:
        """Enqueue what is due at `n`, which is Pacific time: datetimes of one zone are compared as
        they stand on the wall."""
        if self._looked is not None and n < self._looked:
            log.warning("clock_put_back")
            for job in self.cron_jobs:
                job.next_run = None
        self._looked = n
        await super().run_cron(n, delay, num_windows)
