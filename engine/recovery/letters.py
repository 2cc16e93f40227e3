"""Letters that left since the backup: their batches are put back as they were, and no letter of
them goes into another.

A batch may have left from the moment its roster stood (`engine.mail.rosters`); one without was
never beyond our own folder, and its letters are simply owed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.states import Event, State
from engine.database import driver_connection
from engine.mail.rosters import Roster, RosterLetter, in_order
from engine.recovery.lost_deliveries import LostDeliveries

_BATCH: Final = "SELECT id, state, sha256 FROM print_batch WHERE name = $1 FOR UPDATE"
_INSERT: Final = """
INSERT INTO print_batch (job, state, name, sequence, previous_name, env, supersedes, opened_at,
                         closed_at, document_date, mail_by, purge_by, pieces, pages, sheets, bytes,
                         sha256, piece_ids_sha256)
VALUES ($1, 'stored', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (name) DO UPDATE SET
    state = 'stored', pieces = excluded.pieces, pages = excluded.pages, sheets = excluded.sheets,
    bytes = excluded.bytes, sha256 = excluded.sha256, trouble = NULL,
    piece_ids_sha256 = excluded.piece_ids_sha256
RETURNING id
"""
_SEQUENCE_TAKEN: Final = """
SELECT name FROM print_batch WHERE job = $1 AND env = $2 AND sequence = $3 AND name <> $4
"""
# What was gathered, or printed in a batch that this one took the place of, counts no more.
_SET_FREE: Final = """
WITH gathered AS (
    DELETE FROM print_piece WHERE delivery_id = ANY($1::bigint[]) AND piece_id <> ALL($2::uuid[])
           AND seq IS NULL AND NOT superseded
)
UPDATE print_piece SET superseded = true
WHERE delivery_id = ANY($1::bigint[]) AND piece_id <> ALL($2::uuid[]) AND seq IS NOT NULL
      AND NOT superseded
"""
_PIECES: Final = """
INSERT INTO print_piece (batch_id, piece_id, delivery_id, seq, pages, sheets, contact_point,
                         confidential)
SELECT $1, told.piece_id, told.delivery_id, told.seq, told.pages, told.sheets, told.contact_point,
       coalesce(participant.confidential, false)
FROM unnest($2::uuid[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::bigint[])
     AS told (piece_id, delivery_id, seq, pages, sheets, contact_point)
LEFT JOIN delivery ON delivery.id = told.delivery_id
LEFT JOIN communication ON communication.id = communication_id
LEFT JOIN participant ON participant.id = participant_id
ON CONFLICT (piece_id) DO UPDATE SET
    batch_id = excluded.batch_id, seq = excluded.seq, pages = excluded.pages,
    sheets = excluded.sheets, contact_point = excluded.contact_point,
    confidential = excluded.confidential
"""
_STATES: Final = "SELECT id, state FROM delivery WHERE id = ANY($1::bigint[])"
_WITH_THE_VENDOR: Final = """
UPDATE print_batch SET state = 'handed_over', handed_over_at = $2, held_at = NULL, trouble = NULL
WHERE name = ANY($1::text[]) AND state = 'stored' RETURNING id, name
"""
_LETTERS: Final = """
SELECT delivery_id FROM print_piece
WHERE batch_id = $1 AND seq IS NOT NULL AND delivery_id IS NOT NULL AND NOT superseded
"""
_TO_BATCHED: Final = {
    State.HELD: (Event.RELEASED, Event.CLAIMED, Event.GATHERED),
    State.OWED: (Event.CLAIMED, Event.GATHERED),
    State.SENDING: (Event.CLAIMED, Event.GATHERED),
}
FOUND: Final = "found_in_roster"
"""The reason of an event that a recovery recorded."""


@dataclass(slots=True)
class LetterFindings:
    """What the rosters and the vendor's files say, against what the database says."""

    known: int = 0
    """Batches that are as they were."""
    rebuilt: list[str] = field(default_factory=list)
    """Batches that the database had lost, or had not yet closed."""
    with_the_vendor: list[str] = field(default_factory=list)
    """Batches that the vendor has answered, and whose handover was lost."""
    conflicts: list[str] = field(default_factory=list)
    """What must not be: a person has to look before any work goes on."""
    printed: list[int] = field(default_factory=list)
    """Deliveries that were owed, and stand in a batch again."""
    brought_back: list[int] = field(default_factory=list)
    """Deliveries that the database had lost, of communications that it knows."""
    pins_lost: list[int] = field(default_factory=list)
    """Communications whose letter holds a PIN that works no more: a person's task."""
    unknown: int = 0
    """Letters of communications that the database has lost."""


@dataclass(frozen=True, slots=True)
class Letters:
    """Puts batches back, in the caller's transaction."""

    outcomes: Outcomes

    async def rebuild(
        self, connection: AsyncConnection, rosters: Sequence[Roster]
    ) -> LetterFindings:
        """Bring batches, pieces and deliveries in step with `rosters`."""
        found = LetterFindings()
        for roster in in_order(rosters):
            await self._rebuild(connection, roster, found)
        return found

    async def _rebuild(
        self, connection: AsyncConnection, roster: Roster, found: LetterFindings
    ) -> None:
        driver = await driver_connection(connection)
        head, letters = roster.head, roster.letters
        batch = await driver.fetchrow(_BATCH, head.name)
        if batch is not None and batch["sha256"] == head.sha256:
            found.known += 1
            return
        taken = await driver.fetchval(_SEQUENCE_TAKEN, head.job, head.env, head.sequence, head.name)
        if taken is not None or (batch is not None and batch["sha256"] is not None):
            found.conflicts.append(
                f"{head.name}: the database has another batch under its "
                f"{'name' if taken is None else f'number, {taken}'}"
            )
            return
        batch_id = await driver.fetchval(_INSERT, *_columns(roster))
        found.rebuilt.append(head.name)
        await self._put_back(connection, batch_id, letters, found)

    async def _put_back(
        self,
        connection: AsyncConnection,
        batch_id: int,
        letters: Sequence[RosterLetter],
        found: LetterFindings,
    ) -> None:
        driver = await driver_connection(connection)
        lost = LostDeliveries(self.outcomes)
        known = await lost.bring_back(connection, letters, found.brought_back, found.pins_lost)
        found.unknown += sum(
            one.delivery_id is not None and one.delivery_id not in known for one in letters
        )
        pieces = [one.piece_id for one in letters]
        await driver.execute(_SET_FREE, sorted(known), pieces)
        await driver.execute(
            _PIECES,
            batch_id,
            pieces,
            [one.delivery_id if one.delivery_id in known else None for one in letters],
            [one.seq for one in letters],
            [one.pages for one in letters],
            [one.sheets for one in letters],
            [one.contact_point for one in letters],
        )
        await self._into_the_batch(connection, sorted(known), found)

    async def _into_the_batch(
        self, connection: AsyncConnection, deliveries: Sequence[int], found: LetterFindings
    ) -> None:
        """Take each delivery the way that its letter went."""
        driver = await driver_connection(connection)
        rows = await driver.fetch(_STATES, deliveries)
        ways = {row["id"]: _TO_BATCHED.get(State(row["state"]), ()) for row in rows}
        for event in (Event.RELEASED, Event.CLAIMED, Event.GATHERED):
            # Nobody holds a lease once the first of these is recorded.
            going = [id_ for id_, way in ways.items() if event in way]
            await self.outcomes.record(connection, [Outcome(id_, event, FOUND) for id_ in going])
        found.printed += [id_ for id_, way in ways.items() if way]

    async def hand_over(
        self,
        connection: AsyncConnection,
        answered: Collection[str],
        found: LetterFindings,
        now: datetime,
    ) -> None:
        """What the vendor has answered is with the vendor: it is recorded, and not sent again."""
        driver = await driver_connection(connection)
        for batch in await driver.fetch(_WITH_THE_VENDOR, sorted(answered), now):
            found.with_the_vendor.append(batch["name"])
            letters = await driver.fetch(_LETTERS, batch["id"])
            await self.outcomes.record(
                connection,
                [Outcome(row["delivery_id"], Event.HANDED_OVER, FOUND) for row in letters],
            )


def _columns(roster: Roster) -> tuple[Any, ...]:
    head = roster.head
    return (
        head.job,
        head.name,
        head.sequence,
        head.previous_name,
        head.env,
        head.supersedes,
        head.opened_at,
        head.closed_at,
        head.document_date,
        head.mail_by,
        head.purge_by,
        head.pieces,
        head.pages,
        head.sheets,
        head.bytes,
        head.sha256,
        head.piece_ids_sha256,
    )
