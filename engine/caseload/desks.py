"""Whose task it is when a machine cannot go on: the local agency of the participant's case."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.database import driver_connection

WITHOUT_CASE: Final = "customer service"
"""Where the task of a participant goes who has no open case."""

_COUNTIES = """
SELECT DISTINCT ON (participant_id) participant_id, county
FROM case_party JOIN support_case ON support_case.id = case_id
WHERE participant_id = ANY($1::bigint[]) AND status = 'open'
ORDER BY participant_id, opened_on, case_id
"""


async def counties_of(
    connection: AsyncConnection, participants: Collection[int]
) -> Mapping[int, str]:
    """The county of each participant's oldest open case, for those who have one."""
    driver = await driver_connection(connection)
    rows = await driver.fetch(_COUNTIES, list(participants))
    return {row["participant_id"]: row["county"] for row in rows}


class LocalAgencies:
    """The local agency of a participant's oldest open case."""

    async def of(
        self, connection: AsyncConnection, participants: Collection[int]
    ) -> Mapping[int, str]:
        """The desk that takes each participant's tasks."""
        counties = await counties_of(connection, participants)
        return {
            id_: f"local agency: {counties[id_]}" if id_ in counties else WITHOUT_CASE
            for id_ in participants
        }
