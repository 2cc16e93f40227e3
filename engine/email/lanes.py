"""Who may send next: so many at once, and never so much bulk that urgent mail waits for it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Lanes:
    """As many lanes as `capacity` says at the moment; a quarter of them, and at least one of two,
    is kept for urgent mail. On a single lane urgent mail goes before whatever else waits."""

    capacity: Callable[[], int]
    _urgent: int = 0
    _bulk: int = 0
    _waiting_urgent: deque[asyncio.Future[None]] = field(default_factory=deque)
    _waiting_bulk: deque[asyncio.Future[None]] = field(default_factory=deque)

    @asynccontextmanager
    async def lane(self, *, urgent: bool) -> AsyncIterator[None]:
        """Hold a lane; waits for one in order of urgency, then of asking."""
        await self._take(urgent)
        try:
            yield
        finally:
            self._leave(urgent)

    @property
    def urgent_waits(self) -> bool:
        """Whether urgent mail waits for a lane."""
        return bool(self._waiting_urgent)

    async def _take(self, urgent: bool) -> None:
        waiting = self._waiting_urgent if urgent else self._waiting_bulk
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        self._let_go_on()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(urgent)
            elif turn in waiting:
                waiting.remove(turn)
            raise

    def _leave(self, urgent: bool) -> None:
        if urgent:
            self._urgent -= 1
        else:
            self._bulk -= 1
        self._let_go_on()

    def _let_go_on(self) -> None:
        """Give the free lanes to those who wait, urgent ones first."""
        capacity = max(1, self.capacity())
        for_bulk = max(1, capacity - max(1, capacity // 4))
        while self._waiting_urgent and self._urgent + self._bulk < capacity:
            self._urgent += _granted(self._waiting_urgent)
        while self._waiting_bulk and self._urgent + self._bulk < capacity and self._bulk < for_bulk:
            self._bulk += _granted(self._waiting_bulk)


def _granted(waiting: deque[asyncio.Future[None]]) -> int:
    """Let the first go on; 0 if it has been cancelled meanwhile."""
    turn = waiting.popleft()
    if turn.done():
        return 0
    turn.set_result(None)
    return 1
