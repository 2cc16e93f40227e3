"""Numbers that were given out since the backup are not given out again."""

from collections.abc import Mapping
from typing import Any, Final

LEAP: Final = 1_000_000
"""How far every number leaps: more than were ever given out between a backup and its restore, and
nothing of the 9,223,372,036,854,775,807 there are. The logs may not name all that were."""

_SEQUENCES: Final = """
SELECT format('%I.%I', schemaname, sequencename) AS name, coalesce(last_value, 0) AS last,
       sequencename
FROM pg_sequences WHERE schemaname = current_schema() ORDER BY sequencename
"""
_SKIP_SERIALS: Final = """
INSERT INTO imb_range (mailer_id, first_number, last_number, taken_at)
SELECT mailer_id, max(last_number) + 1, max(last_number) + $1, $2 FROM imb_range
GROUP BY mailer_id
"""


# Whoever has read beyond the backup's end reads on, and misses nothing of what comes.
_FEED: Final = "UPDATE feed_head SET position = position + $1"


async def leap(driver: Any, seen: Mapping[str, int]) -> None:
    """Move every sequence on, those of `seen` (table → highest number seen) beyond it at least, and
    the places of the feed, in the caller's transaction."""
    for row in await driver.fetch(_SEQUENCES):
        table = row["sequencename"].removesuffix("_id_seq")
        highest = max(row["last"], seen.get(table, 0))
        # Where setval would stay though the transaction is rolled back, this does not.
        await driver.execute(f"ALTER SEQUENCE {row['name']} RESTART WITH {highest + LEAP}")
    await driver.execute(_FEED, LEAP)


async def skip_serials(driver: Any, letters: int, now: Any) -> None:
    """Leave out so many serial numbers of our own barcodes, for each mailer id that has any."""
    if letters:
        await driver.execute(_SKIP_SERIALS, letters, now)
