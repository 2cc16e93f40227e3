"""What waits in *My Documents*, and what was opened; nobody is shown another's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.clock import Clock
from engine.database import driver_connection
from engine.inbox.store import DocumentStore

_LIST: Final = """
SELECT id, notice, language, posted_at, opened_at, count(*) OVER () AS total
FROM document WHERE participant_id = $1 ORDER BY posted_at DESC, id DESC LIMIT $2 OFFSET $3
"""
_OPEN: Final = "SELECT sha256 FROM document WHERE id = $1 AND participant_id = $2"
_OPENED: Final = """
UPDATE document SET opened_at = $3 WHERE id = $1 AND participant_id = $2 AND opened_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list. `notice` is the key of what it is."""

    id: int
    notice: str
    language: str
    posted_at: datetime
    opened_at: datetime | None


@dataclass(frozen=True, slots=True)
class Documents:
    """Lists and opens them."""

    store: DocumentStore
    clock: Clock

    async def of(
        self, connection: AsyncConnection, participant_id: int, *, limit: int, offset: int
    ) -> tuple[list[Listed], int]:
        """The participant's documents, newest first, and how many there are in all."""
        driver = await driver_connection(connection)
        rows = await driver.fetch(_LIST, participant_id, limit, offset)
        listed = [
            Listed(row["id"], row["notice"], row["language"], row["posted_at"], row["opened_at"])
            for row in rows
        ]
        return listed, rows[0]["total"] if rows else 0

    async def open(
        self, connection: AsyncConnection, participant_id: int, document_id: int
    ) -> bytes | None:
        """The bytes as they were sent, which are now read; None where the participant has no such
        document. Raises DocumentDamagedError."""
        driver = await driver_connection(connection)
        sha256 = await driver.fetchval(_OPEN, document_id, participant_id)
        if sha256 is None:
            return None
        content = await self.store.get(sha256)
        await driver.execute(_OPENED, document_id, participant_id, self.clock())
        return content
