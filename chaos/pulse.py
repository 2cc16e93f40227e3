"""The pulse of a run: how many outcomes there are, several times a second, by the machine's own
clock, which no scenario moves."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.database import driver_connection

_EVERY_SECONDS: Final = 0.2
_OUTCOMES: Final = (
    *("accepted", "refused", "gathered", "held", "exhausted", "handed_over", "mailed"),
    *("returned", "rejected", "bounced"),
)
_LOOK: Final = """
SELECT (SELECT count(*) FROM delivery_event WHERE event = ANY($1::text[])) AS outcomes,
       (SELECT count(*) FROM delivery WHERE state = ANY($2::text[]))
       + (SELECT count(*) FROM pin_request WHERE settled_at IS NULL) AS left
"""


@dataclass(frozen=True, slots=True)
class Beat:
    """Seconds by the machine's clock; outcomes so far; and what was still to be done."""

    at: float
    outcomes: int
    left: int


@dataclass(slots=True)
class Span:
    """How long something was broken, how many outcomes there were and how much was still to be done
    when it was mended, and how soon after that the next outcome was seen: None while none was."""

    what: str
    began: float
    ended: float = 0.0
    outcomes: int | None = None
    left: int = 0
    recovered: float | None = None


@dataclass(slots=True)
class Pulse:
    """Feels the pulse until it is let go, and times each recovery."""

    engine: AsyncEngine
    moving: tuple[str, ...] = ("owed", "sending")
    """The states of what the workers, or later the vendor, have still to do."""
    beats: list[Beat] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    @asynccontextmanager
    async def felt(self) -> AsyncIterator[None]:
        """Look for as long as the context lasts."""
        task = asyncio.create_task(self._feel())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @asynccontextmanager
    async def broken(self, what: str) -> AsyncIterator[None]:
        """Something is broken inside, and is mended at the end of the context."""
        span = Span(what, time.monotonic())
        try:
            yield
        finally:
            span.ended = time.monotonic()
            self.spans.append(span)

    async def look(self) -> Beat | None:
        """One look; None where the database does not answer."""
        try:
            async with asyncio.timeout(5), self.engine.connect() as connection:
                driver = await driver_connection(connection)
                row: Any = await driver.fetchrow(_LOOK, list(_OUTCOMES), list(self.moving))
        except Exception:  # noqa: BLE001  it is what is being broken; whatever it says, it is away
            return None
        return Beat(time.monotonic(), row["outcomes"], row["left"])

    async def _feel(self) -> None:
        while True:
            beat = await self.look()
            if beat is not None:
                self.note(beat)
            await asyncio.sleep(_EVERY_SECONDS)

    def note(self, beat: Beat) -> None:
        """Take a look down, and time what recovered by it."""
        for span in self.spans:
            if span.outcomes is None:
                span.outcomes, span.left = beat.outcomes, beat.left
            elif span.recovered is None and beat.outcomes > span.outcomes:
                span.recovered = beat.at - span.ended
        self.beats.append(beat)

    @property
    def slowest(self) -> float | None:
        """The longest recovery of any span after which something was still to be done; infinite
        where one never came."""
        taken = [
            float("inf") if span.recovered is None else span.recovered
            for span in self.spans
            if span.left
        ]
        return max(taken, default=None)
