"""The inbox channel: a notice becomes a PDF that waits in its reader's *My Documents*."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.clock import Clock, pacific_date
from engine.communications.catalogue import Urgency
from engine.communications.claims import Claimed, Lease
from engine.communications.courtesy import Courtesy
from engine.communications.doorbell import Doorbell
from engine.communications.locking import lock_abreast
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.rendering import Renderer
from engine.communications.states import Event
from engine.database import driver_connection
from engine.errors import ConnectError
from engine.inbox.drawing import Drawn, draw
from engine.inbox.readers import InboxReaders
from engine.inbox.store import DocumentStore

log: Final = structlog.get_logger()

_UNDER_LEASE: Final = """
SELECT id FROM delivery WHERE id = $1 AND lease_token = $2 AND state = 'sending'
"""
_POST: Final = """
INSERT INTO document (participant_id, delivery_id, notice, language, template_version, sha256,
                      bytes, pages, posted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (delivery_id) DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class InboxChannel:
    """Posts claimed documents. The bytes are stored first: what a killed worker left of them is
    found again under the same name, and the document is posted once, with its outcome. To who has
    withdrawn consent nothing is posted: the notice goes by its next channel."""

    engine: AsyncEngine
    outcomes: Outcomes
    doorbell: Doorbell
    renderer: Renderer
    store: DocumentStore
    readers: InboxReaders
    return_address: tuple[str, ...]
    clock: Clock
    courtesy: Courtesy

    async def deliver(self, claimed: Sequence[Claimed], lease: Lease) -> None:
        """Post `claimed` while `lease` holds; what is not begun in time is left under it. Bulk
        steps aside for what is urgent."""
        for item in claimed:
            if item.urgency == Urgency.BULK:
                await self.courtesy.step_aside()
            if not lease.holds():
                return
            await self._deliver(item, lease)

    async def _deliver(self, item: Claimed, lease: Lease) -> None:
        today = pacific_date(self.clock())
        drawn: Drawn | None = None
        outcome = Outcome(item.delivery_id, Event.ACCEPTED)
        try:
            drawn = await asyncio.to_thread(self._drawn, item, today)
            sha256 = await self.store.put(drawn.pdf)
        except ConnectError as error:
            # A letter that cannot be drawn goes by the next channel, where a person sees to it.
            log.exception("document_not_drawn", delivery=item.delivery_id)
            outcome = Outcome(item.delivery_id, Event.REFUSED, type(error).__name__)
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            await lock_abreast(connection, [item.delivery_id])
            if not await driver.fetchval(_UNDER_LEASE, item.delivery_id, lease.token):
                return
            if not await self.readers.among(connection, [item.participant_id]):
                outcome = Outcome(item.delivery_id, Event.REFUSED, "not_enrolled")
            if drawn is not None and outcome.event is Event.ACCEPTED:
                await self._post(driver, item, drawn, sha256)
            recorded = await self.outcomes.record(connection, [outcome], lease.token)
        await self.doorbell.ring(recorded.owed)
        log.info("document_posted", delivery=item.delivery_id, outcome=outcome.event.value)

    async def _post(self, driver: Any, item: Claimed, drawn: Drawn, sha256: str) -> None:
        await driver.execute(
            _POST,
            item.participant_id,
            item.delivery_id,
            item.notice.key,
            item.language,
            self.renderer.version(item.notice),
            sha256,
            len(drawn.pdf),
            drawn.pages,
            self.clock(),
        )

    def _drawn(self, item: Claimed, day: date) -> Drawn:
        return draw(self.renderer, item, self.return_address, day)
