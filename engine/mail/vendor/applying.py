"""Applies one file from the vendor: all of it, in one transaction, or none of it.

What it knows already changes nothing, so a file may come twice, late, and in any order.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.communications.outcomes import Outcome, Outcomes
from engine.communications.owed import Owed
from engine.communications.ports import Recipients
from engine.communications.rerouting import allow_email
from engine.communications.states import Event
from engine.database import driver_connection
from engine.errors import ConnectError
from engine.mail.vendor.answers import NOT_DELIVERABLE, Ack, FinalReport, StatusRow
from engine.mail.vendor.inbound import (
    FileName,
    RefusedFileError,
    read_ack,
    read_final,
    read_statuses,
    shortened,
)

log: Final = structlog.get_logger()

_BATCH: Final = """
SELECT id, name, state, sha256, pieces FROM print_batch
WHERE name = $1 AND state IN ('stored', 'handed_over') FOR UPDATE
"""
_ANSWER: Final = "SELECT content::text FROM print_answer WHERE batch_id = $1 AND kind = $2"
_SAVE_ANSWER: Final = """
INSERT INTO print_answer (batch_id, kind, content, received_at) VALUES ($1, $2, $3::jsonb, $4)
ON CONFLICT (batch_id, kind) DO UPDATE SET content = excluded.content
"""
_PIECES: Final = """
SELECT print_piece.id, piece_id::text, sheets, delivery_id, contact_point, superseded,
       (SELECT count(*) FROM ordered_piece JOIN print_order ON print_order.id = order_id
        WHERE piece = print_piece.id AND action = 'cancel') AS cancels,
       (SELECT count(*) FROM ordered_piece JOIN print_order ON print_order.id = order_id
        WHERE piece = print_piece.id AND action = 'reprint') AS reprints
FROM print_piece WHERE batch_id = $1 AND piece_id = ANY($2::uuid[])
"""
_KNOWN: Final = """
SELECT event_id, piece_id::text, piece_event.status, at, coalesce(reason, '') AS reason,
       coalesce(piece_event.sheets::text, '') AS sheets, coalesce(reprint_of, '') AS reprint_of,
       coalesce(ncoa_code, '') AS ncoa_code
FROM piece_event JOIN print_piece ON print_piece.id = piece
WHERE event_id = ANY($1::text[]) OR piece = ANY($2::bigint[])
"""
_APPEND: Final = """
INSERT INTO piece_event (event_id, piece, status, at, reason, sheets, reprint_of, ncoa_code,
                         file_id)
SELECT event_id, piece, status, at, nullif(reason, ''), nullif(sheets, '')::int,
       nullif(reprint_of, ''), nullif(ncoa_code, ''), $9
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::timestamptz[], $5::text[], $6::text[],
            $7::text[], $8::text[])
     AS told (event_id, piece, status, at, reason, sheets, reprint_of, ncoa_code)
"""
_STAND: Final = """
UPDATE print_piece SET status = stands.status
FROM unnest($1::bigint[], $2::text[]) AS stands (id, status) WHERE print_piece.id = stands.id
"""

_ENDS: Final = ("mailed", "rejected", "cancelled")
_RANK: Final = {
    status: rank
    for rank, status in enumerate(
        ("accepted", "held", "printed", "spoiled", "reprinted", *_ENDS, "returned")
    )
}
# In this order, so that a piece whose mailing and return come in one file makes both moves.
_OUTCOMES: Final = {
    "mailed": Event.MAILED,
    "returned": Event.RETURNED,
    "rejected": Event.REJECTED,
    "cancelled": Event.WITHDRAWN,
}


class NotYetRecordedError(ConnectError):
    """The vendor tells of letters whose handover we were kept from writing down: the file stays
    where it is until the next run has done so."""


@dataclass(frozen=True, slots=True)
class Applying:
    """Turns what the vendor says into events and outcomes."""

    outcomes: Outcomes
    recipients: Recipients

    async def apply(
        self,
        connection: AsyncConnection,
        name: FileName,
        content: bytes,
        file_id: int,
        now: datetime,
    ) -> list[Owed]:
        """Apply a file whose signature was checked; what it made owed anew.

        Raises RefusedFileError, and then `connection` must be rolled back.
        """
        driver = await driver_connection(connection)
        batch = await driver.fetchrow(_BATCH, name.batch)
        if batch is None:
            raise RefusedFileError("no such batch was handed over")
        if name.kind == "status":
            if batch["state"] == "stored":
                raise NotYetRecordedError(f"{name.batch}: its handover is not on record yet")
            return await self._statuses(connection, batch, read_statuses(content), file_id, now)
        answer = read_ack(content) if name.kind == "ack" else read_final(content)
        if answer.batch_id != name.batch:
            raise RefusedFileError("batch_id: is not the batch in the file's name")
        known = await driver.fetchval(_ANSWER, batch["id"], name.kind)
        if isinstance(answer, Ack):
            _check_ack(answer, batch["sha256"], known)
        else:
            _check_final(answer, known)
        await driver.execute(_SAVE_ANSWER, batch["id"], name.kind, answer.model_dump_json(), now)
        return []

    async def _statuses(
        self,
        connection: AsyncConnection,
        batch: Any,
        rows: Sequence[StatusRow],
        file_id: int,
        now: datetime,
    ) -> list[Owed]:
        driver = await driver_connection(connection)
        ids = sorted({row.piece_id for row in rows})
        pieces = {
            piece["piece_id"]: piece for piece in await driver.fetch(_PIECES, batch["id"], ids)
        }
        _refuse(rows, lambda row: row.piece_id not in pieces, "piece_id: not a piece of the batch")
        known = await driver.fetch(
            _KNOWN, [row.event_id for row in rows], [piece["id"] for piece in pieces.values()]
        )
        new = _new(rows, {event["event_id"]: dict(event) for event in known})
        routes: dict[str, list[str]] = defaultdict(list)
        for event in known:
            if event["piece_id"] in pieces:
                routes[event["piece_id"]].append(event["status"])
        for row in new:
            routes[row.piece_id].append(row.status)
        _check_rows(new, pieces, routes)
        await driver.execute(
            _APPEND,
            [row.event_id for row in new],
            [pieces[row.piece_id]["id"] for row in new],
            [row.status for row in new],
            [row.at for row in new],
            [row.reason for row in new],
            [row.sheets for row in new],
            [row.reprint_of for row in new],
            [row.ncoa_code for row in new],
            file_id,
        )
        await driver.execute(
            _STAND,
            [pieces[piece]["id"] for piece in routes],
            [max(route, key=_RANK.__getitem__) for route in routes.values()],
        )
        return await self._tell(connection, new, pieces, now)

    async def _tell(
        self, connection: AsyncConnection, rows: Sequence[StatusRow], pieces: Any, now: datetime
    ) -> list[Owed]:
        """Bring the deliveries in step with the routes of their pieces."""
        owed: list[Owed] = []
        for status, event in _OUTCOMES.items():
            told = [(row, pieces[row.piece_id]) for row in rows if row.status == status]
            outcomes = [
                Outcome(piece["delivery_id"], event, row.reason.lower() or None, at=row.at)
                for row, piece in told
                if piece["delivery_id"] is not None
            ]
            if event in {Event.RETURNED, Event.REJECTED}:
                await self._do_not_post_again(connection, told, now)
                lost = [outcome.delivery_id for outcome in outcomes]
                await allow_email(connection, self.recipients, lost)
            recorded = await self.outcomes.record(connection, outcomes)
            owed += recorded.owed
        return owed

    async def _do_not_post_again(
        self, connection: AsyncConnection, told: Iterable[tuple[StatusRow, Any]], now: datetime
    ) -> None:
        """Flag the addresses at fault. A rejection for the vendor's own reasons is not one."""
        faulty = {
            piece["contact_point"]
            for row, piece in told
            if row.status == "returned" or row.reason in NOT_DELIVERABLE
        }
        await self.recipients.returned(connection, faulty - {None}, now)


def _check_ack(ack: Ack, sha256: str, known: str | None) -> None:
    if ack.result == "received" and ack.sha256 != sha256:
        raise RefusedFileError("sha256: is not that of the batch, and yet it was received")
    if known is not None and Ack.model_validate_json(known) != ack:
        raise RefusedFileError("another ack of this batch was applied already")


def _check_final(final: FinalReport, known: str | None) -> None:
    if known is None:
        return
    before = FinalReport.model_validate_json(known)
    if final.without_destruction() != before.without_destruction():
        raise RefusedFileError("another final of this batch was applied already")
    if before.destroyed_at not in {None, final.destroyed_at}:
        raise RefusedFileError("destroyed_at: is not what it was")


def _new(rows: Sequence[StatusRow], known: dict[str, dict[str, Any]]) -> list[StatusRow]:
    """The rows that say something new; RefusedFileError if an id stands for two events."""
    said: dict[str, dict[str, Any]] = dict(known)
    new, lines = [], []
    for line, row in enumerate(rows, 2):
        told = row.model_dump()
        if row.event_id not in said:
            said[row.event_id] = told
            new.append(row)
        elif said[row.event_id] != told:
            lines.append(line)
    if lines:
        raise RefusedFileError(_at(lines, "event_id: stands for another event already"))
    return new


def _check_rows(
    rows: Sequence[StatusRow], pieces: dict[str, Any], routes: dict[str, list[str]]
) -> None:
    """What no row shows by itself: what the piece is, and what else was said of it."""

    def wrong_sheets(row: StatusRow) -> bool:
        whole = int(pieces[row.piece_id]["sheets"])
        if row.status in {"printed", "mailed"}:
            return int(row.sheets) != whole
        return bool(row.sheets) and int(row.sheets) > whole

    def contradicts(row: StatusRow) -> bool:
        route = set(routes[row.piece_id])
        ends = route.intersection(_ENDS)
        return len(ends) > 1 or ("returned" in route and bool(ends - {"mailed"}))

    def mailed_again(row: StatusRow) -> bool:
        often = Counter(routes[row.piece_id])["mailed"]
        return row.status == "mailed" and often > 1 + pieces[row.piece_id]["reprints"]

    _refuse(rows, lambda row: pieces[row.piece_id]["superseded"], "the batch was rejected")
    _refuse(rows, wrong_sheets, "sheets: not those of the piece")
    _refuse(
        rows,
        lambda row: row.status == "cancelled" and not pieces[row.piece_id]["cancels"],
        "status: cancelled, and nobody ordered it",
    )
    _refuse(rows, contradicts, "status: contradicts how the piece ended")
    _refuse(rows, mailed_again, "status: mailed before, and no reprint was ordered")


def _refuse(rows: Sequence[StatusRow], wrong: Callable[[StatusRow], bool], said: str) -> None:
    lines = [row.event_id for row in rows if wrong(row)]
    if lines:
        raise RefusedFileError(shortened([f"event {event}: {said}" for event in lines]))


def _at(lines: Sequence[int], said: str) -> str:
    return shortened([f"line {line}: {said}" for line in lines])
