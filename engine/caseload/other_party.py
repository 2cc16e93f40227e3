"""What a participant reports about the other party, for the caseworker's eyes alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.clock import Clock
from engine.database import driver_connection

FIELDS: Final = ("address", "phone", "email", "employer", "other")
FIELD_MOST: Final = 1_000

_REPORT: Final = """
INSERT INTO other_party_report (participant_id, case_id, facts, reported_at)
SELECT $1, case_id, $3::jsonb, $4 FROM case_party
WHERE case_id = $2 AND participant_id = $1 RETURNING id
"""


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
