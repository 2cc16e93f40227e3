"""What a participant reports about the other party, for the caseworker's eyes alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload import personal
from engine.clock import Clock
from engine.database import driver_connection
from engine.security.sealed_columns import box_of, clear_of, key_of

FIELDS: Final = ("address", "phone", "email", "employer", "other")
FIELD_MOST: Final = 1_000

_REPORT: Final = f"""
INSERT INTO other_party_report (participant_id, case_id, sealed_facts, facts_key_id, reported_at,
                                facts)
SELECT $1, case_id, {box_of("$3::json")}, {key_of("$3::json")}, $4,
       {clear_of("$3::json")}::jsonb FROM case_party
WHERE case_id = $2 AND participant_id = $1 RETURNING id
"""  # noqa: S608  joined from constants of ours


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
            _REPORT,
            participant_id,
            case_id,
            personal.report(participant_id, case_id, facts),
            self.clock(),
        )
        return kept is not None
