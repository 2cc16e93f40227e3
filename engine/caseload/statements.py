"""The monthly statement run: each enrolled parent's payments of a month that is over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from engine.calendar.business_days import add_business_days
from engine.caseload.audience import ENROLLED, NAME_FACTS, ROUTE, routes
from engine.clock import Clock, pacific_date
from engine.communications.bulk_recording import Bulk, Recording
from engine.communications.catalogue import MONTHLY_STATEMENT
from engine.database import driver_connection
from engine.errors import InputError

# A statement is for whoever has an open case, though no money moved, or was paid in the month.
_STAGE: Final = f"""
INSERT INTO asked_in_bulk (key, participant_id, language, facts, sealed_name, name_key_id,
                           route)
SELECT 'statement:' || participant.id || ':' || $6::text, participant.id, participant.language,
       {NAME_FACTS} || jsonb_build_object(
           'month', $4::date,
           'lines', coalesce(paid.lines, '[]'::jsonb),
           'made_cents', coalesce(paid.made, 0), 'sent_cents', coalesce(paid.sent, 0)),
       participant.sealed_name, participant.name_key_id, {ROUTE}
FROM participant LEFT JOIN (
    SELECT participant_id,
           jsonb_agg(jsonb_build_object(
               'paid_on', paid_on, 'direction', direction, 'amount_cents', amount_cents,
               'case_number', support_case.external_id) ORDER BY paid_on, payment.id) AS lines,
           sum(amount_cents) FILTER (WHERE direction = 'made') AS made,
           sum(amount_cents) FILTER (WHERE direction = 'sent') AS sent
    FROM payment JOIN support_case ON support_case.id = case_id
    WHERE paid_on >= $4::date AND paid_on < $5::date
    GROUP BY participant_id
) AS paid ON paid.participant_id = participant.id
WHERE ($7 OR {ENROLLED})
  AND (paid.participant_id IS NOT NULL OR EXISTS (
      SELECT FROM case_party JOIN support_case ON support_case.id = case_party.case_id
      WHERE case_party.participant_id = participant.id AND support_case.status = 'open'))
ORDER BY participant.id
"""  # noqa: S608  joined from constants
_RECORDED: Final = "SELECT EXISTS (SELECT FROM campaign WHERE name = $1)"


def campaign_of(month: date) -> str:
    """The name of a month's run."""
    return f"statements-{month:%Y-%m}"


def month_before(day: date) -> date:
    """The first day of the month before that of `day`."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


@dataclass(frozen=True, slots=True)
class StatementRun:
    """Records a `monthly_statement` for each participant; recording a month twice tells once."""

    bulk: Bulk
    clock: Clock

    @asynccontextmanager
    async def recording(
        self, month: date, *, everyone: bool = False, keep: bool = True
    ) -> AsyncIterator[Recording]:
        """The month's run, staged and still to be written: of those who are enrolled, or of
        `everyone`, and then the others get letters.

        `month` is any day of it. Raises InputError for one that is not over in Pacific time.
        """
        first = month.replace(day=1)
        end = (first + timedelta(days=31)).replace(day=1)
        if pacific_date(self.clock()) < end:
            raise InputError(f"{first:%Y-%m} is not over: its statements can be made from {end} on")
        async with self.bulk.recording(
            campaign_of(first), MONTHLY_STATEMENT, keep=keep
        ) as recording:
            await recording.driver.execute(
                _STAGE, *routes(), first, end, f"{first:%Y-%m}", everyone
            )
            yield recording

    async def record_when_due(self) -> int:
        """From the first business day of a month on, the statements of the month before, if nobody
        has recorded them; how many."""
        today = pacific_date(self.clock())
        if today < add_business_days(today.replace(day=1), 0):
            return 0
        month = month_before(today)
        if await self._recorded(month):
            return 0
        async with self.recording(month) as recording:
            await recording.write()
        return recording.recorded

    async def _recorded(self, month: date) -> bool:
        async with self.bulk.engine.connect() as connection:
            driver = await driver_connection(connection)
            return bool(await driver.fetchval(_RECORDED, campaign_of(month)))
