"""Writing down what became of emails, some at a time, while others are being sent."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.communications.claims import Claimed, Lease
from engine.communications.doorbell import Doorbell
from engine.communications.outcomes import Outcome, Outcomes, Recorded
from engine.communications.owed import Owed
from engine.communications.states import Event

log: Final = structlog.get_logger()

RECORD_EVERY: Final = 250
"""Outcomes recorded at a time: so many messages of a job at most, and as many more as are sent
while these are written down, are sent again after a `kill -9`."""
RECORD_WITHIN: Final = 0.2
"""Seconds: with a server that takes its time, no more is unknown after a `kill -9` than that."""
_RETRY_AFTER: Final = (0.1, 0.5, 2.0, 4.0, *(8.0,) * 15)
"""For two minutes: as long as a database is restarted, or its disk given room."""


@dataclass(slots=True)
class Recorder:
    """Gathers the outcomes of one lease, and rings for what they made owed."""

    engine: AsyncEngine
    outcomes: Outcomes
    doorbell: Doorbell
    lease: Lease
    items: Mapping[int, Claimed]
    _waiting: list[Outcome] = field(default_factory=list)
    _since: float = 0.0
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def note(self, outcome: Outcome) -> "asyncio.Task[None] | None":
        """Take an outcome; the task that records it with others, once there are enough."""
        now = time.monotonic()
        if not self._waiting:
            self._since = now
        self._waiting.append(outcome)
        enough = len(self._waiting) >= RECORD_EVERY or now - self._since > RECORD_WITHIN
        return self._start() if enough else None

    async def drain(self) -> None:
        """Record what is left, and wait for what was begun before a cancellation."""
        if self._waiting:
            self._start()
        await asyncio.gather(*self._under_way)

    def _start(self) -> asyncio.Task[None]:
        taken, self._waiting = self._waiting, []
        task = asyncio.create_task(self._record(taken))
        self._under_way.add(task)
        return task

    async def _record(self, taken: Sequence[Outcome]) -> None:
        recorded = await self._recorded(taken)
        again = [
            Owed(outcome.delivery_id, self.items[outcome.delivery_id].urgency, outcome.delay)
            for outcome in taken
            if outcome.delay > timedelta()
        ]
        await self.doorbell.ring([*recorded.owed, *again])
        log.info("emails_attempted", **Counter(outcome.event.value for outcome in taken))
        for outcome in taken:
            if outcome.event is not Event.ACCEPTED:
                log.info(
                    "email_not_accepted",
                    delivery=outcome.delivery_id,
                    communication=self.items[outcome.delivery_id].communication_id,
                    outcome=outcome.event.value,
                    reason=outcome.reason,
                )

    async def _recorded(self, taken: Sequence[Outcome]) -> Recorded:
        """Record, and try again when the database stumbles: these messages have been sent."""
        for wait in _RETRY_AFTER:
            try:
                return await self._record_once(taken)
            except Exception:
                # Whatever it was, these messages have been sent: not to say so sends them again.
                log.exception("outcomes_not_recorded", outcomes=len(taken), retry_in=wait)
                await asyncio.sleep(wait)
        return await self._record_once(taken)

    async def _record_once(self, taken: Sequence[Outcome]) -> Recorded:
        async with self.engine.begin() as connection:
            return await self.outcomes.record(connection, taken, self.lease.token)
