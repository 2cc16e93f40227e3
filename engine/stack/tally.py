"""What became of everything: the figures of a run, read from the database."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.caseload.personal import FIELDS
from engine.database import driver_connection
from engine.stack.bouncing import BOUNCING_DOMAINS

_PROGRESS = """
SELECT count(*) AS communications,
       count(*) FILTER (WHERE state = 'met') AS met,
       count(*) FILTER (WHERE state = 'held') AS held,
       count(*) FILTER (WHERE state = 'cancelled') AS cancelled,
       (SELECT count(*) FROM pin_request WHERE settled_at IS NULL) AS unsettled,
       (SELECT count(*) FROM delivery WHERE state = 'batched') AS batched,
       (SELECT count(*) FROM delivery WHERE state IN ('owed', 'sending')) AS waiting
FROM communication
"""
_SENT_TO = f"""
SELECT {FIELDS} AS fields FROM delivery JOIN contact_point ON contact_point.id = sent_to
WHERE delivery.state = 'sent'
"""  # noqa: S608  joined from a constant of ours
_ROWS = """
SELECT notice, channel, language,
       count(*) AS deliveries,
       count(*) FILTER (WHERE delivery.state IN ('sent', 'mailed')) AS met,
       count(*) FILTER (
           WHERE delivery.state IN ('held', 'failed', 'returned')
             AND communication.state = 'held' AND delivery.step = communication.step
       ) AS held,
       count(*) FILTER (
           WHERE delivery.state IN ('failed', 'returned') AND delivery.step < communication.step
       ) AS failed,
       count(*) FILTER (WHERE delivery.state = 'returned') AS returned,
       count(*) FILTER (WHERE delivery.state = 'cancelled') AS cancelled,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY waited) AS median,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY waited) AS p99,
       count(*) FILTER (
           WHERE delivery.state IN ('sent', 'mailed')
             AND (final_at AT TIME ZONE 'America/Los_Angeles')::date <= delivery.due_by
       ) AS in_time,
       min(delivery.due_by) AS first_due, max(delivery.due_by) AS last_due
FROM delivery
JOIN communication ON communication.id = communication_id
LEFT JOIN LATERAL (
    SELECT extract(epoch FROM final_at - requested_at) AS waited
    WHERE delivery.state IN ('sent', 'mailed')
) AS delivered ON true
GROUP BY notice, channel, language ORDER BY notice, channel, language
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of communications by state, and of what still moves: `coming_back` are emails to
    addresses of which the demonstration's mailbox sends a report, counted once nothing waits."""

    communications: int
    met: int
    held: int
    cancelled: int
    unsettled: int
    batched: int
    waiting: int
    coming_back: int

    @property
    def final(self) -> int:
        """Communications of which nothing more is to come without a person."""
        return self.met + self.held + self.cancelled

    @property
    def undelivered(self) -> int:
        """What is owed and neither delivered nor reported as held."""
        return self.communications - self.final


@dataclass(frozen=True, slots=True)
class Row:
    """One notice on one channel in one language; times in seconds from the request.

    What is `returned` was mailed and came back: it is among the `held` or the `failed`.
    """

    notice: str
    channel: str
    language: str
    deliveries: int
    met: int
    held: int
    failed: int
    returned: int
    cancelled: int
    median: float | None
    p99: float | None
    in_time: int
    due: str


async def progress(engine: AsyncEngine) -> Progress:
    """How far everything has come."""
    async with engine.connect() as connection:
        # Of one moment: what comes back between two looks would be in neither.
        await connection.execution_options(isolation_level="REPEATABLE READ")
        driver = await driver_connection(connection)
        counts = await driver.fetchrow(_PROGRESS)
        # Every address has to be opened for it: not as long as nothing depends on it.
        moving = counts["waiting"] or counts["unsettled"]
        sent_to = [] if moving else await driver.fetch(_SENT_TO)
    coming_back = sum(
        row["fields"]["email"].rpartition("@")[2] in BOUNCING_DOMAINS for row in sent_to
    )
    return Progress(**counts, coming_back=coming_back)


async def rows(engine: AsyncEngine) -> list[Row]:
    """The closing table."""
    async with engine.connect() as connection:
        driver = await driver_connection(connection)
        found = [dict(row) for row in await driver.fetch(_ROWS)]
    return [Row(**_shown(row)) for row in found]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    first, last = row.pop("first_due"), row.pop("last_due")
    return {**row, "due": str(first) if first == last else f"{first} … {last}"}
