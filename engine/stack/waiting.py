"""Waiting for a demonstration: until everything is delivered, and until the vendor is done."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from rich.progress import Progress

from engine.bootstrap import Application
from engine.errors import ConnectError
from engine.mail.drops.port import DropUnavailableError
from engine.stack import print_run, tally
from engine.stack.supervisor import Supervisor

PATIENCE_SECONDS: Final = 600.0
"""Without any progress for so long, the demonstration gives up and says what is missing."""

_LOOK_EVERY_SECONDS: Final = 0.25

Seen = TypeVar("Seen")


class DemoError(ConnectError):
    """The demonstration did not deliver what it owed."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A running demonstration, the processes it needs, and the bars that show how far it is."""

    application: Application
    supervisor: Supervisor
    bar: Progress

    async def until_settled(self, what: str) -> None:
        """Wait while the workers work; letters rest in the open batch until it is closed."""
        step = self.bar.add_task(what, total=None)

        def over(now: tally.Progress) -> bool:
            done = now.final + now.batched
            self.bar.update(step, total=now.communications, completed=done)
            moving = now.unsettled or now.waiting or now.coming_back
            return not moving and done >= now.communications

        await self._until(over, lambda: tally.progress(self.application.engine))

    async def until_mailed(self) -> None:
        """Hand the closed batches over and pick up the answers, as the workers' clock does every
        minute, until every piece has ended and the vendor has destroyed its data."""
        step = self.bar.add_task("the vendor prints and mails", total=None)

        def over(now: print_run.Progress) -> bool:
            self.bar.update(step, total=now.pieces, completed=now.ended)
            return not now.unfinished and now.ended == now.pieces

        await self._until(over, self._exchange)

    async def _exchange(self) -> print_run.Progress:
        await self.application.handover.run()
        # A vendor that died is brought back, at the same port.
        with suppress(DropUnavailableError):
            for file in await self.application.pickup.run():
                if file.reason is not None:
                    raise DemoError(f"{file.name} was quarantined: {file.reason}")
        now = await print_run.progress(self.application.engine)
        if now.refused:
            raise DemoError("the vendor rejected the batch: see connect batch list")
        return now

    async def _until(
        self, over: Callable[[Seen], bool], look: Callable[[], Awaitable[Seen]]
    ) -> None:
        last, since = None, time.monotonic()
        while True:
            self.supervisor.check()
            now = await look()
            if over(now):
                return
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > PATIENCE_SECONDS:
                raise DemoError(f"nothing moved for {PATIENCE_SECONDS:.0f} s: {now}")
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
