"""Bulk work steps aside, in one worker process, while urgent work of it is under way.

A process has one event loop and its share of the cores: drawing documents as fast as it can, it
would make every step of a PIN wait its turn.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

MOST_SECONDS: Final = 1.0
"""How long one piece of bulk work steps aside: it goes on, slowly, however much is urgent."""


@dataclass(slots=True)
class Courtesy:
    """Who is urgent now, and who waits for them."""

    _urgent: int = 0
    _nobody: asyncio.Event = field(default_factory=asyncio.Event)

    @contextmanager
    def urgent(self) -> Iterator[None]:
        """Urgent work, from its beginning to its end."""
        self._urgent += 1
        self._nobody.clear()
        try:
            yield
        finally:
            self._urgent -= 1
            if not self._urgent:
                self._nobody.set()

    async def step_aside(self) -> None:
        """Wait while urgent work is under way, for so long at the most."""
        if self._urgent:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._nobody.wait(), MOST_SECONDS)
