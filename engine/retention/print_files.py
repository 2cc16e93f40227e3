"""Our copies of print batches, and of what the vendor answered: files, which no row tells of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from engine.clock import pacific_date
from engine.retention.standing import Standing

PRINT_FILES: Final = "print_files"

# Until the vendor was to destroy its own data, a reprint may be ordered, and a letter may be asked
# after; until it has told of every piece, and said that this is all, the batch is owed.
_BATCHES: Final = """
SELECT name, bool_or(coalesce(holding, false)) AS held, bool_or(
    coalesce(owing, false)
    OR NOT EXISTS (SELECT FROM print_answer WHERE batch_id = pieces.id AND kind = 'final')
) AS owed
FROM (
    SELECT print_batch.id, name,
           participant_id IN (SELECT participant_id FROM held_participant) AS holding,
           communication.state IN ('owed', 'held')
           OR delivery.state IN ('batched', 'handed_over') AS owing
    FROM print_batch
         LEFT JOIN print_piece ON batch_id = print_batch.id AND NOT superseded
         LEFT JOIN delivery ON delivery.id = delivery_id
         LEFT JOIN communication ON communication.id = communication_id
    WHERE print_batch.state = 'handed_over' AND handed_over_at < $1 AND purge_by < $2
) AS pieces GROUP BY pieces.id, name ORDER BY pieces.id
"""


@dataclass(frozen=True, slots=True)
class PrintFiles:
    """The folders `outgoing` and `incoming`, of which every file begins with its batch's name, or
    with a part of a hash before it."""

    folder: Path
    kept_for: timedelta

    def before(self, now: datetime) -> datetime:
        """Files of batches handed over before then may go."""
        return now - self.kept_for

    async def standing(self, driver: Any, now: datetime) -> Standing:
        """How many batches there are files of."""
        rows = [row for row in await self._rows(driver, now) if self._files(row["name"])]
        owed = sum(row["owed"] for row in rows)
        held = sum(row["held"] and not row["owed"] for row in rows)
        removable = len(rows) - owed - held
        return Standing(PRINT_FILES, self.before(now), removable, owed, held)

    async def remove(self, driver: Any, now: datetime) -> int:
        """Remove the files of the batches that may go; how many batches."""
        batches = 0
        for row in await self._rows(driver, now):
            files = self._files(row["name"])
            if files and not row["owed"] and not row["held"]:
                for path in files:
                    path.unlink(missing_ok=True)
                batches += 1
        return batches

    async def _rows(self, driver: Any, now: datetime) -> list[Any]:
        rows: list[Any] = await driver.fetch(_BATCHES, self.before(now), pacific_date(now))
        return rows

    def _files(self, name: str) -> list[Path]:
        folders = ("outgoing", "incoming", "incoming/quarantine")
        return sorted(path for each in folders for path in (self.folder / each).glob(f"*{name}.*"))
