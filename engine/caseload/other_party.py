"""What a participant reports about the other party, for the caseworker's eyes alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.clock import Clock
from engine.database import driver_connection
from engine.errors import InputError

FIELDS: Final = ("address", "phone", "email", "employer", "other")
FIELD_MOST: Final = 1_000

_REPORT: Final = """
INSERT INTO other_party_report (participant_id, case_id, facts, reported_at)
SELECT $1, case_id, $3::jsonb, $4 FROM case_party
WHERE case_id = $2 AND participant_id = $1 RETURNING id
"""
_UNREAD: Final = """
SELECT other_party_report.id, support_case.external_id AS case_number, county, reported_at
FROM other_party_report JOIN support_case ON support_case.id = case_id
WHERE read_at IS NULL ORDER BY other_party_report.id LIMIT $1
"""
_ONE: Final = """
SELECT other_party_report.id, support_case.external_id AS case_number, county, reported_at,
       facts::text AS facts, other_party_report.participant_id, role, read_at, read_by
FROM other_party_report JOIN support_case ON support_case.id = other_party_report.case_id
JOIN case_party ON case_party.case_id = support_case.id
     AND case_party.participant_id = other_party_report.participant_id
WHERE other_party_report.id = $1
"""
_READ: Final = """
UPDATE other_party_report SET read_at = $2, read_by = $3 WHERE id = $1 AND read_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class UnreadReport:
    """A report that no caseworker has read."""

    id: int
    case_number: str
    county: str
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class OtherPartyReports:
    """Takes reports down; nothing that is known of the other party ever comes back."""

    clock: Clock

    async def report(
        self,
        connection: AsyncConnection,
        participant_id: int,
        case_id: int,
        facts: Mapping[str, str],
    ) -> bool:
        """Keep a report about the other party of a case; whether the participant has that case."""
        driver = await driver_connection(connection)
        kept = await driver.fetchval(
            _REPORT, participant_id, case_id, json.dumps(dict(facts)), self.clock()
        )
        return kept is not None

    async def unread(self, connection: AsyncConnection, limit: int = 200) -> list[UnreadReport]:
        """Reports that wait for a caseworker, oldest first."""
        driver = await driver_connection(connection)
        return [UnreadReport(*row.values()) for row in await driver.fetch(_UNREAD, limit)]

    async def read(self, connection: AsyncConnection, report_id: int, staff: str) -> Any:
        """One report, which `staff` has now read. Raises InputError where there is none."""
        driver = await driver_connection(connection)
        row = await driver.fetchrow(_ONE, report_id)
        if row is None:
            raise InputError(f"there is no report {report_id}")
        await driver.execute(_READ, report_id, self.clock(), staff)
        return row
