"""Where things stand at the print drop: batches, one batch, the route of one piece."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.database import driver_connection
from engine.errors import InputError
from engine.mail.acts import unnamed
from engine.mail.contract import Done, piece_ids_sha256, sha256
from engine.mail.filing import Outgoing
from engine.mail.vendor.reconciling import Reconciliation, reconcile

_SELECT: Final = """
SELECT id, coalesce(name, state) AS name, job, state, sequence, closed_at, mail_by, purge_by,
       handed_over_at, pieces, pages, sheets, bytes, sha256, piece_ids_sha256, held_at, trouble,
       supersedes,
       (SELECT content->>'result' FROM print_answer WHERE batch_id = print_batch.id
        AND kind = 'ack') AS ack,
       (SELECT content->>'at' FROM print_answer WHERE batch_id = print_batch.id
        AND kind = 'final') AS final_at,
       (SELECT count(*) FROM print_piece WHERE batch_id = print_batch.id) AS gathered
FROM print_batch
"""
_LATEST: Final = f"{_SELECT} ORDER BY coalesce(closed_at, 'infinity') DESC, id DESC LIMIT $1"
_NAMED: Final = f"{_SELECT} WHERE name = $1 OR (name IS NULL AND state = $1) ORDER BY id LIMIT 1"
_ACTS: Final = """
SELECT at, who, act, why FROM operator_act WHERE subject = ANY($1::text[]) ORDER BY id
"""
_FILES: Final = """
SELECT name, received_at, result, reason FROM print_file WHERE batch_id = $1 ORDER BY id
"""
_ORDERS: Final = """
SELECT number, action, reason, ordered_at, sent_at, sha256, count(piece) AS pieces
FROM print_order LEFT JOIN ordered_piece ON order_id = print_order.id
WHERE batch_id = $1 GROUP BY print_order.id ORDER BY number
"""
_PIECES: Final = """
SELECT print_piece.id, piece_id::text, seq, print_piece.sheets,
       coalesce(print_piece.status, 'sent') AS status,
       superseded, delivery_id
FROM print_piece JOIN print_batch ON print_batch.id = batch_id
WHERE name = $1 AND seq IS NOT NULL ORDER BY seq
"""
_PIECE: Final = """
SELECT 1 FROM print_piece JOIN print_batch ON print_batch.id = batch_id
WHERE name = $1 AND (seq::text = $2 OR piece_id::text = $2)
"""
_ROUTE: Final = """
SELECT event_id, piece_event.status, at, reason, piece_event.sheets, reprint_of, ncoa_code
FROM piece_event JOIN print_piece ON print_piece.id = piece
JOIN print_batch ON print_batch.id = batch_id
WHERE name = $1 AND (seq::text = $2 OR piece_id::text = $2)
ORDER BY at, piece_event.id
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """One batch at a glance. The one that gathers is called `open`."""

    id: int
    name: str
    job: str
    state: str
    sequence: int | None
    closed_at: datetime | None
    mail_by: date | None
    purge_by: date | None
    handed_over_at: datetime | None
    pieces: int | None
    pages: int | None
    sheets: int | None
    bytes: int | None
    sha256: str | None
    piece_ids_sha256: str | None
    held_at: datetime | None
    trouble: str | None
    supersedes: str | None
    ack: str | None
    final_at: str | None
    gathered: int


@dataclass(frozen=True, slots=True)
class Detail:
    """All that is known of one batch."""

    standing: Standing
    reconciliation: Reconciliation | None
    files: Sequence[Any]
    orders: Sequence[Any]
    acts: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that `verify` looked at."""

    what: str
    right: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """Reads; it changes nothing."""

    engine: AsyncEngine
    outgoing: Outgoing

    async def batches(self, most: int) -> list[Standing]:
        """The latest batches, the open one first."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            return [Standing(**dict(row)) for row in await driver.fetch(_LATEST, most)]

    async def batch(self, name: str) -> Detail:
        """One batch by its name, or `open`. Raises InputError."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            row = await driver.fetchrow(_NAMED, name)
            if row is None:
                raise InputError(f"no such batch: {name[:80]!r}; see: connect batch list")
            standing = Standing(**dict(row))
            reconciled = await reconcile(connection, [standing.id])
            return Detail(
                standing,
                reconciled[0] if reconciled else None,
                await driver.fetch(_FILES, standing.id),
                await driver.fetch(_ORDERS, standing.id),
                await driver.fetch(_ACTS, [standing.name, unnamed(standing.id)]),
            )

    async def route(self, batch: str, piece: str) -> Sequence[Any]:
        """The stops of one piece, by its number in the batch or its id, in the order of time.

        Raises InputError.
        """
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            if await driver.fetchval(_PIECE, batch, piece.lower()) is None:
                raise InputError(
                    f"no such piece: {piece[:40]!r} of {batch[:80]!r}; see: connect batch list"
                )
            rows: Sequence[Any] = await driver.fetch(_ROUTE, batch, piece.lower())
        return rows

    async def verify(self, name: str) -> list[Check]:
        """Whether our copy of a batch, the database and each other agree. Raises InputError."""
        standing = (await self.batch(name)).standing
        if standing.sha256 is None:
            raise InputError(f"{name} has not been closed: there is nothing to verify yet")
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            pieces = await driver.fetch(_PIECES, name)
            orders = await driver.fetch(_ORDERS, standing.id)
        ids = [piece["piece_id"] for piece in pieces]
        return [
            Check("the ciphertext in outgoing/ has the recorded SHA-256",
                  self.outgoing.hash_of(name) == standing.sha256),
            Check("pieces are numbered 1, 2, 3 … and are as many as recorded",
                  [piece["seq"] for piece in pieces] == list(range(1, (standing.pieces or 0) + 1))),
            Check("the sheets of the pieces add up to those of the batch",
                  sum(piece["sheets"] for piece in pieces) == standing.sheets),
            Check("the piece ids have the recorded SHA-256",
                  piece_ids_sha256(ids) == standing.piece_ids_sha256),
            Check("the .sha256 and the .done in outgoing/ say what was handed over",
                  standing.state != "handed_over" or self._announced(standing)),
            *(Check(f"order {order['number']:03d} in outgoing/ has the recorded SHA-256",
                    self._is_filed(name, order))
              for order in orders if order["sha256"] is not None),
        ]  # fmt: skip

    def _announced(self, standing: Standing) -> bool:
        """Whether both files beside the ciphertext are what the vendor was given."""
        done = Done(
            batch_id=standing.name,
            bytes=standing.bytes or 0,
            sha256=standing.sha256 or "",
            pieces=standing.pieces or 0,
            sheets=standing.sheets or 0,
        )
        line = f"{standing.sha256}  {standing.name}.zip.pgp\n".encode()
        return [_content(path) for path in self.outgoing.files(standing.name)[1:]] == [
            line,
            done.to_json(),
        ]

    def _is_filed(self, name: str, order: Any) -> bool:
        content = _content(self.outgoing.order_path(name, order["number"]))
        return content is not None and sha256(content) == order["sha256"]


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
