"""Whether a participant's notices go into the inbox: who is enrolled in eCommunications."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.caseload.personal import NAME
from engine.database import driver_connection
from engine.inbox.readers import InboxReader

_ENROLLED: Final = "SELECT paperless FROM participant WHERE id = $1"
_AMONG: Final = f"""
SELECT id, language, {NAME} AS name
FROM participant WHERE paperless AND id = ANY($1::bigint[])
"""  # noqa: S608  joined from constants of ours


async def is_enrolled(connection: AsyncConnection, participant_id: int) -> bool:
    """Whether the participant chose to be without paper."""
    driver = await driver_connection(connection)
    return bool(await driver.fetchval(_ENROLLED, participant_id))


class PaperlessReaders:
    """Answers the inbox from the participants."""

    async def among(
        self, connection: AsyncConnection, participant_ids: Collection[int]
    ) -> Mapping[int, InboxReader]:
        """Those of them who are enrolled now."""
        driver = await driver_connection(connection)
        rows = await driver.fetch(_AMONG, list(participant_ids))
        return {row["id"]: InboxReader(row["name"], row["language"]) for row in rows}
