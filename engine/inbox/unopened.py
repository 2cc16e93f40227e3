"""Documents that nobody opened: their reader is reminded once, and then they go by mail too."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.calendar.business_days import add_business_days, is_business_day
from engine.calendar.deadlines import OFFICE_CLOSES
from engine.clock import PACIFIC, Clock, pacific_date
from engine.communications.catalogue import CATALOGUE, INBOX_REMINDER, Channel, InboxReminderFacts
from engine.communications.claims import Reader
from engine.communications.outbox import Obligation, Outbox, Transaction
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.ports import EmailAddress, Recipients
from engine.communications.routing import in_order
from engine.communications.states import Event
from engine.database import driver_connection
from engine.inbox.readers import InboxReader, InboxReaders

log: Final = structlog.get_logger()

_AT_ONCE: Final = 1_000

# What moved on to another channel, or is owed no longer, is nobody's to open any more.
_STANDS: Final = """
document.opened_at IS NULL AND delivery.id = document.delivery_id AND delivery.state = 'sent'
AND communication.id = delivery.communication_id AND communication.step = delivery.step
AND communication.state IN ('owed', 'met')
"""
_WHO_WAITS: Final = f"""
SELECT DISTINCT document.participant_id FROM document, delivery, communication
WHERE {_STANDS} AND reminded_at IS NULL AND posted_at <= $1 AND document.participant_id > $2
      AND NOT EXISTS (SELECT FROM document AS told
                      WHERE told.participant_id = document.participant_id
                            AND told.reminded_at >= $4)
ORDER BY document.participant_id LIMIT $3
"""  # noqa: S608  joined from constants of this module
_REMIND: Final = f"""
UPDATE document SET reminded_at = $3 FROM delivery, communication
WHERE {_STANDS} AND reminded_at IS NULL AND posted_at <= $1
      AND document.participant_id = ANY($2::bigint[])
RETURNING document.participant_id, posted_at
"""  # noqa: S608  likewise
# Of an appointment that is past no letter need tell.
_TO_PAPER: Final = f"""
SELECT document.delivery_id FROM document, delivery, communication
WHERE {_STANDS} AND posted_at <= $1 AND document.notice = ANY($2::text[])
      AND coalesce((facts->>'starts_at')::timestamptz > $3, true)
ORDER BY document.delivery_id LIMIT $4 FOR UPDATE OF document SKIP LOCKED
"""  # noqa: S608  likewise


@dataclass(frozen=True, slots=True)
class Unopened:
    """Looks for them, once a day; days are business days from when a document was posted."""

    outbox: Outbox
    outcomes: Outcomes
    recipients: Recipients
    readers: InboxReaders
    clock: Clock
    reminder_days: int
    paper_days: int

    async def run(self) -> None:
        """Remind, and send by mail what has waited for too long."""
        reminded = await self.remind()
        log.info("inbox_unopened", reminded=reminded, to_paper=await self.to_paper())

    async def remind(self) -> int:
        """One email to each reader for all that waits, at most one a day, and never again for the
        same document; how many. Who is not enrolled any more, or has no email address that may be
        used, is left alone."""
        today = pacific_date(self.clock())
        posted_by = _posted_by(today, self.reminder_days)
        midnight = datetime.combine(today, time(), PACIFIC)
        recorded, last = 0, 0
        while True:
            async with self.outbox.transaction() as transaction:
                driver = await driver_connection(transaction.connection)
                rows = await driver.fetch(_WHO_WAITS, posted_by, last, _AT_ONCE, midnight)
                waiting = [row["participant_id"] for row in rows]
                recorded += await self._remind(transaction, waiting, posted_by)
            if len(waiting) < _AT_ONCE:
                return recorded
            last = waiting[-1]

    async def to_paper(self) -> int:
        """Tell the outcomes of each document whose notice asks for paper; how many.

        The next channel of its route takes over, with a deadline that counts from when it was first
        owed. Where the route has none, as a protected reader's, it is a caseworker's task.
        """
        posted_by = _posted_by(pacific_date(self.clock()), self.paper_days)
        notices = [notice.key for notice in CATALOGUE.values() if notice.paper_if_unopened]
        moved = 0
        while True:
            async with self.outbox.transaction() as transaction:
                driver = await driver_connection(transaction.connection)
                rows = await driver.fetch(_TO_PAPER, posted_by, notices, self.clock(), _AT_ONCE)
                outcomes = [Outcome(row["delivery_id"], Event.UNOPENED, "unopened") for row in rows]
                recorded = await self.outcomes.record(transaction.connection, outcomes)
                transaction.owed.extend(recorded.owed)
            moved += len(recorded.moved)
            if len(rows) < _AT_ONCE:
                return moved

    async def _remind(
        self, transaction: Transaction, waiting: list[int], posted_by: datetime
    ) -> int:
        now = self.clock()
        reachable = await self._reachable(transaction.connection, waiting)
        driver = await driver_connection(transaction.connection)
        since: dict[int, list[date]] = defaultdict(list)
        for row in await driver.fetch(_REMIND, posted_by, list(reachable), now):
            since[row["participant_id"]].append(pacific_date(row["posted_at"]))
        reminders = [
            Obligation(
                key=f"inbox_reminder:{participant_id}:{pacific_date(now)}",
                notice=INBOX_REMINDER,
                participant_id=participant_id,
                language=reachable[participant_id].language,
                facts=InboxReminderFacts(
                    name=reachable[participant_id].name, waiting_since=min(days)
                ),
                route=in_order(Channel.EMAIL),
                requested_at=now,
            )
            for participant_id, days in since.items()
        ]
        return len(await transaction.record_all(reminders))

    async def _reachable(
        self, connection: AsyncConnection, waiting: list[int]
    ) -> Mapping[int, InboxReader]:
        """Those who may be reminded by email."""
        enrolled = await self.readers.among(connection, waiting)
        addresses = await self.recipients.email(connection, [Reader(id_) for id_ in enrolled])
        return {
            reader.participant_id: enrolled[reader.participant_id]
            for reader, address in addresses.items()
            if isinstance(address, EmailAddress)
        }


def _posted_by(today: date, days: int) -> datetime:
    """The last moment from which `days` business days are over on `today`; see `deadlines`."""
    day = today
    while not (is_business_day(day) and add_business_days(day, days) <= today):
        day -= timedelta(days=1)
    return datetime.combine(day, OFFICE_CLOSES, PACIFIC)
