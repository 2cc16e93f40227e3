"""A batch that the vendor rejected: its letters go, each once, into a new one that replaces it."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.clock import Clock
from engine.communications.catalogue import CATALOGUE
from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.owed import seal_into
from engine.communications.ports import Secrets
from engine.communications.states import Event, State
from engine.database import driver_connection
from engine.errors import InputError
from engine.mail.acts import Signed, log_act

_REJECTED: Final = """
SELECT print_batch.id, job, env, content->>'result' AS result,
       NOT EXISTS (SELECT FROM print_piece
                   WHERE batch_id = print_batch.id AND delivery_id IS NOT NULL) AS proof,
       EXISTS (SELECT FROM print_batch later WHERE later.supersedes = print_batch.name) AS replaced
FROM print_batch LEFT JOIN print_answer ON batch_id = print_batch.id AND kind = 'ack'
WHERE name = $1 AND state = 'handed_over' FOR UPDATE OF print_batch
"""
_DELIVERIES: Final = """
SELECT delivery_id FROM print_piece
WHERE batch_id = $1 AND NOT superseded AND delivery_id IS NOT NULL ORDER BY id
"""
_SET_ASIDE: Final = "UPDATE print_piece SET superseded = true WHERE batch_id = $1"
_REPLACE: Final = """
INSERT INTO print_batch (job, env, state, supersedes, opened_at)
VALUES ($1, $2, 'replacing', $3, $4)
RETURNING id
"""
_MOVE: Final = """
INSERT INTO print_piece (batch_id, delivery_id)
SELECT $1, id FROM unnest($2::bigint[]) AS moved (id) ORDER BY id
"""
_SECRETS: Final = """
SELECT delivery.id, notice, participant_id
FROM delivery JOIN communication ON communication.id = communication_id
WHERE delivery.id = ANY($1::bigint[]) ORDER BY delivery.id
"""


@dataclass(frozen=True, slots=True)
class Superseding:
    """Replaces rejected batches. Their pieces keep their place on record, and are never printed."""

    engine: AsyncEngine
    outcomes: Outcomes
    secrets: Secrets
    clock: Clock

    async def replace(self, batch: str, signed: Signed) -> int:
        """Gather the letters of a rejected batch into one that supersedes it; how many.

        The next close finishes it. What was shredded at the first handover is issued anew: a PIN
        is never printed twice. Raises InputError where the vendor did not reject the batch, or it
        was replaced already.
        """
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            row = await driver.fetchrow(_REJECTED, batch)
            _require_rejected(row, batch)
            rows = await driver.fetch(_DELIVERIES, row["id"])
            recorded = await self.outcomes.record(
                connection, await self._called_back(connection, [r["delivery_id"] for r in rows])
            )
            moved = [id_ for id_, state in recorded.moved.items() if state is State.BATCHED]
            await driver.execute(_SET_ASIDE, row["id"])
            new_id = await driver.fetchval(_REPLACE, row["job"], row["env"], batch, self.clock())
            await driver.execute(_MOVE, new_id, moved)
            await self._issue_anew(connection, moved)
            await log_act(driver, signed, "supersede", batch, self.clock())
        return len(moved)

    async def _called_back(
        self, connection: AsyncConnection, deliveries: list[int]
    ) -> list[Outcome]:
        """What the rejection means for each letter. A PIN that was used since, or replaced, is not
        printed again: a new one in its letter would end the one that its owner has."""
        moot = await self.secrets.moot(connection, deliveries)
        return [
            Outcome(id_, Event.REJECTED, "batch") if id_ in moot else Outcome(id_, Event.RECALLED)
            for id_ in deliveries
        ]

    async def _issue_anew(self, connection: AsyncConnection, deliveries: list[int]) -> None:
        driver = await driver_connection(connection)
        for row in await driver.fetch(_SECRETS, deliveries):
            if CATALOGUE[row["notice"]].carries_secret:
                await seal_into(connection, self.secrets, row["participant_id"], row["id"])


def _require_rejected(row: Any, batch: str) -> None:
    if row is None:
        raise InputError(f"no batch of that name was handed over: {batch[:80]!r}")
    if row["result"] != "rejected":
        raise InputError(
            f"{batch} was not rejected by the vendor; for single letters: connect batch reprint"
        )
    if row["proof"]:
        raise InputError(f"{batch} is a proof: the next one replaces it: connect batch proof")
    if row["replaced"]:
        raise InputError(f"{batch} has been replaced already")
