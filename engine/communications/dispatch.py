"""Dispatch: claim the named deliveries, hand each to its channel, put back what was not begun."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.clock import Clock
from engine.communications.catalogue import Channel, Urgency
from engine.communications.claims import Claimed, Lease, claim, passed_over
from engine.communications.doorbell import Doorbell
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.owed import Owed
from engine.communications.ports import ChannelPort
from engine.communications.quiet_hours import QuietHours
from engine.communications.states import Event
from engine.database import driver_connection

_SOON: Final = timedelta(seconds=2)
_UNDER_LEASE = "SELECT id FROM delivery WHERE lease_token = $1 AND id = ANY($2::bigint[])"


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Delivers what it is named, once, whoever else was named the same."""

    engine: AsyncEngine
    channels: Mapping[Channel, ChannelPort]
    outcomes: Outcomes
    doorbell: Doorbell
    lease_seconds: float
    quiet: QuietHours | None
    clock: Clock

    async def deliver(self, delivery_ids: Sequence[int]) -> int:
        """Deliver those of `delivery_ids` that are due and free; how many were taken.

        However it ends, cancelled by a stopping worker included, nothing stays claimed that was
        not begun. What a killed worker held is taken again when its lease has run out.
        """
        passed: dict[int, str] = {}
        async with self.engine.begin() as connection:
            lease, claimed = await claim(connection, delivery_ids, self.lease_seconds)
            if len(claimed) < len(delivery_ids):
                passed = await passed_over(connection, delivery_ids)
        # Whoever has them locked may only be writing down what became of another channel.
        await self.doorbell.ring(Owed(id_, urgency, _SOON) for id_, urgency in passed.items())
        wait = self.quiet.left(self.clock()) if self.quiet else timedelta()
        by_channel: dict[Channel, list[Claimed]] = defaultdict(list)
        asleep: list[Claimed] = []
        for item in claimed:
            (asleep if wait and _keeps_quiet(item) else by_channel[item.channel]).append(item)
        try:
            await self._let_sleep(asleep, wait, lease)
            for channel, items in by_channel.items():
                await self.channels[channel].deliver(items, lease)
        finally:
            if claimed:
                await asyncio.shield(self._put_back(claimed, lease))
        return len(claimed)

    async def _let_sleep(self, claimed: Sequence[Claimed], wait: timedelta, lease: Lease) -> None:
        """Put these off until the morning, which is held against none of them."""
        if not claimed:
            return
        async with self.engine.begin() as connection:
            await self.outcomes.record(
                connection,
                [
                    Outcome(item.delivery_id, Event.DEFERRED, "quiet_hours", wait, counted=False)
                    for item in claimed
                ],
                lease.token,
            )
        await self.doorbell.ring(Owed(item.delivery_id, item.urgency, wait) for item in claimed)

    async def _put_back(self, claimed: Sequence[Claimed], lease: Lease) -> None:
        """What is still under this lease was not begun: it is owed again, at once."""
        urgency = {item.delivery_id: item.urgency for item in claimed}
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            rows = await driver.fetch(_UNDER_LEASE, lease.token, list(urgency))
            unbegun = [row["id"] for row in rows]
            await self.outcomes.record(
                connection, [Outcome(id_, Event.PUT_BACK) for id_ in unbegun], lease.token
            )
        await self.doorbell.ring(Owed(id_, urgency[id_]) for id_ in unbegun)


def _keeps_quiet(item: Claimed) -> bool:
    email = item.channel is Channel.EMAIL
    return email and item.notice.quiet_hours and item.urgency != Urgency.URGENT
