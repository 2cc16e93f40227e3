"""The ordinary end of an email in one statement: its server took it, and what it was for is met.

Nearly every outcome is this one. Where any of those told together is not as plain (a secret, a step
of several channels, a lease that another holds, an obligation that was cancelled), all are left to
the state table and to what follows from it: deliveries are locked once, all in one order.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from engine.communications.states import TABLE, Event, State

SENT: Final = TABLE[State.SENDING, Event.ACCEPTED]

_MET_AT_ONCE: Final = f"""
WITH told AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS told (id, sent_to, reason)
), plain AS MATERIALIZED (
    SELECT told.*
    FROM told JOIN delivery USING (id)
    JOIN communication ON communication.id = communication_id
    WHERE secret_key_id IS NULL AND meets_obligation AND communication.state = 'owed'
          AND delivery.step = communication.step
          AND jsonb_array_length(route -> delivery.step) = 1
), locked AS (
    SELECT plain.*
    FROM plain JOIN delivery USING (id)
    WHERE lease_token = $4 AND state = '{State.SENDING}'
          AND (SELECT count(*) FROM plain) = cardinality($1)
    ORDER BY id FOR UPDATE OF delivery
), moved AS (
    UPDATE delivery SET state = '{SENT}', reason = locked.reason, lease_token = NULL,
           leased_until = NULL, sent_to = coalesce(locked.sent_to, delivery.sent_to), final_at = $5
    FROM locked WHERE delivery.id = locked.id
    RETURNING delivery.id, communication_id, delivery.reason
), logged AS (
    INSERT INTO delivery_event (delivery_id, event, state, changed, reason)
    SELECT id, '{Event.ACCEPTED}', '{SENT}', true, reason FROM moved
), met AS (
    UPDATE communication SET state = 'met', met_at = $5, given_to = NULL
    FROM moved WHERE communication.id = communication_id
)
SELECT id FROM moved
"""  # noqa: S608  joined from the state table


async def meet_at_once(
    driver: Any,
    accepted: Sequence[tuple[int, int | None, str | None]],
    lease_token: UUID,
    now: datetime,
) -> set[int]:
    """Record that these were accepted `now`, by delivery, contact point and reason, if that is all
    there is to record of every one; which were recorded."""
    ids, contact_points, reasons = zip(*sorted(accepted), strict=True)
    rows = await driver.fetch(
        _MET_AT_ONCE, list(ids), list(contact_points), list(reasons), lease_token, now
    )
    return {row["id"] for row in rows}
