"""The mail channel: a delivery by post is gathered into the print batch that is open."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.communications.claims import Claimed, Lease
from engine.communications.doorbell import Doorbell
from engine.communications.locking import lock_abreast
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.ports import Recipients, Unreachable
from engine.communications.states import Event
from engine.database import driver_connection

log: Final = structlog.get_logger()

_OPEN = """
INSERT INTO print_batch (job) VALUES ($1) ON CONFLICT (job) WHERE state = 'open' DO NOTHING
"""
# Shared with other gatherers; whoever closes the batch waits for them.
_HOLD_OPEN = "SELECT id FROM print_batch WHERE job = $1 AND state = 'open' FOR SHARE"
_UNDER_LEASE = """
SELECT id FROM delivery
WHERE id = ANY($1::bigint[]) AND lease_token = $2 AND state = 'sending'
"""
_GATHER = """
INSERT INTO print_piece (batch_id, delivery_id)
SELECT $1, id FROM unnest($2::bigint[]) AS gathered (id)
ON CONFLICT (delivery_id) WHERE NOT superseded DO UPDATE SET batch_id = excluded.batch_id
WHERE print_piece.seq IS NULL
"""


@dataclass(frozen=True, slots=True)
class MailChannel:
    """Gathers claimed letters; those with no address that may be used are held for a person."""

    engine: AsyncEngine
    outcomes: Outcomes
    doorbell: Doorbell
    recipients: Recipients
    job: str

    async def deliver(self, claimed: Sequence[Claimed], lease: Lease) -> None:
        """Gather all of `claimed` in one transaction: pieces, events and states together."""
        async with self.engine.begin() as connection:
            claimed = await self._still_held(connection, claimed, lease)
            addresses = await self.recipients.mail(connection, {item.reader for item in claimed})
            outcomes, gathered = [], []
            for item in claimed:
                address = addresses[item.reader]
                if isinstance(address, Unreachable):
                    # What was for one contact alone is nobody's task where that must not be used.
                    event = Event.HELD if item.contact_point is None else Event.CANCELLED
                    outcomes.append(Outcome(item.delivery_id, event, address.reason))
                else:
                    outcomes.append(Outcome(item.delivery_id, Event.GATHERED))
                    gathered.append(item.delivery_id)
            if gathered:
                await self._gather(connection, gathered)
            recorded = await self.outcomes.record(connection, outcomes, lease.token)
        await self.doorbell.ring(recorded.owed)
        log.info("letters_gathered", gathered=len(gathered), held=len(claimed) - len(gathered))

    async def _still_held(
        self, connection: AsyncConnection, claimed: Sequence[Claimed], lease: Lease
    ) -> list[Claimed]:
        """Those whose lease is still ours, locked: a late worker must not move a printed letter."""
        ids = [item.delivery_id for item in claimed]
        await lock_abreast(connection, ids)
        driver = await driver_connection(connection)
        rows = await driver.fetch(_UNDER_LEASE, ids, lease.token)
        held = {row["id"] for row in rows}
        return [item for item in claimed if item.delivery_id in held]

    async def _gather(self, connection: AsyncConnection, delivery_ids: Sequence[int]) -> None:
        driver = await driver_connection(connection)
        batch_id = None
        while batch_id is None:
            # A batch that is closed between the two statements leaves none open: open the next.
            await driver.execute(_OPEN, self.job)
            batch_id = await driver.fetchval(_HOLD_OPEN, self.job)
        await driver.execute(_GATHER, batch_id, delivery_ids)
