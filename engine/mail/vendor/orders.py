"""Orders to the vendor about letters it has: take them out, or make them again.

A letter that carries a PIN is never made again: its reader gets a new PIN in a new letter, and the
old one stops working.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.clock import Clock, pacific_date
from engine.communications.catalogue import CATALOGUE, Channel
from engine.communications.claims import facts_from
from engine.communications.frozen_facts import FACTS
from engine.communications.outbox import Obligation, Outbox, Transaction
from engine.communications.routing import in_order
from engine.database import driver_connection
from engine.errors import InputError
from engine.mail.acts import Signed, log_act
from engine.mail.contract import Action, Order, OrderedPiece, OrderReason, sha256
from engine.mail.filing import Outgoing, write_whole
from engine.mail.keys import PrintKeys

_RANGE: Final = re.compile(r"(?P<first>[0-9]{1,6})(-(?P<last>[0-9]{1,6}))?")
_SHOWN: Final = 10

_BATCH: Final = """
SELECT id, name, pieces, purge_by FROM print_batch
WHERE name = $1 AND state = 'handed_over' FOR UPDATE
"""
_PIECES: Final = f"""
SELECT print_piece.id, piece_id::text, seq, print_piece.status, superseded, delivery_id,
       notice, participant_id, language, {FACTS} AS facts,
       (SELECT count(*) FROM piece_event WHERE piece = print_piece.id
        AND piece_event.status = 'mailed') AS mailed,
       (SELECT count(*) FROM ordered_piece JOIN print_order ON print_order.id = order_id
        WHERE piece = print_piece.id AND action = 'reprint') AS reprints,
       (SELECT count(*) FROM ordered_piece JOIN print_order ON print_order.id = order_id
        WHERE piece = print_piece.id AND action = 'cancel') AS cancels
FROM print_piece
LEFT JOIN delivery ON delivery.id = delivery_id
LEFT JOIN communication ON communication.id = communication_id
WHERE batch_id = $1 AND (seq = ANY($2::int[]) OR piece_id = ANY($3::uuid[])) ORDER BY seq
"""  # noqa: S608  joined from constants of ours
_RECORD: Final = """
INSERT INTO print_order (batch_id, number, action, reason, ordered_at)
SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4 FROM print_order WHERE batch_id = $1
RETURNING id, number
"""
_NAME: Final = """
INSERT INTO ordered_piece (order_id, piece) SELECT $1, unnest($2::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Ordered:
    """What an order came to: its id (none if no piece was left for it), its pieces, and the
    letters that were issued anew instead."""

    order_id: str | None
    pieces: int
    reissued: int = 0


@dataclass(frozen=True, slots=True)
class Orders:
    """Writes orders, sealed, into the outgoing folder; the next handover sends them."""

    engine: AsyncEngine
    outbox: Outbox
    keys: Callable[[], PrintKeys]
    outgoing: Outgoing
    clock: Clock

    async def reprint(
        self, batch: str, selection: str, reason: OrderReason, signed: Signed
    ) -> Ordered:
        """Have letters made again that were mailed. Raises InputError, and then nothing is done."""
        async with self.outbox.transaction() as transaction:
            row, pieces = await self._selected(transaction.connection, batch, selection)
            _refuse(pieces, _not_mailed, "can be made again only when it has been mailed")
            _refuse(pieces, _on_its_way, "is being made again already")
            secret = [piece for piece in pieces if _carries_secret(piece)]
            for piece in secret:
                await self._issue_anew(transaction, piece)
            plain = [piece for piece in pieces if not _carries_secret(piece)]
            order_id = await self._order(
                transaction.connection, row, "reprint", plain, reason, signed
            )
        return Ordered(order_id, len(plain), len(secret))

    async def cancel(
        self, batch: str, selection: str, reason: OrderReason, signed: Signed
    ) -> Ordered:
        """Have letters taken out that were not mailed. Raises InputError, and nothing is done."""
        async with self.engine.begin() as connection:
            row, pieces = await self._selected(connection, batch, selection)
            _refuse(pieces, _ended, "has been mailed, or taken out, already")
            _refuse(pieces, lambda piece: piece["cancels"] > 0, "is being taken out already")
            order_id = await self._order(connection, row, "cancel", pieces, reason, signed)
        return Ordered(order_id, len(pieces))

    async def _selected(
        self, connection: AsyncConnection, batch: str, selection: str
    ) -> tuple[Any, Sequence[Any]]:
        driver = await driver_connection(connection)
        row = await driver.fetchrow(_BATCH, batch)
        if row is None:
            raise InputError(f"no batch of that name is with the vendor: {batch[:80]!r}")
        if pacific_date(self.clock()) > row["purge_by"]:
            raise InputError(f"the vendor was to destroy {batch} by {row['purge_by']}")
        numbers, ids = _read_selection(selection, row["pieces"])
        pieces = await driver.fetch(_PIECES, row["id"], numbers, ids)
        if len(pieces) < len(set(numbers)) or not pieces:
            raise InputError(f"{batch} has no such piece: its pieces are 1 to {row['pieces']}")
        if len(ids) > len([piece for piece in pieces if piece["piece_id"] in ids]):
            raise InputError(f"{batch} does not hold a piece of that id")
        _refuse(pieces, lambda piece: piece["superseded"], "is in the batch that replaced this one")
        return row, pieces

    async def _order(  # noqa: PLR0917  what an order holds, in its order
        self,
        connection: AsyncConnection,
        batch: Any,
        action: Action,
        pieces: Sequence[Any],
        reason: OrderReason,
        signed: Signed,
    ) -> str | None:
        driver = await driver_connection(connection)
        now = self.clock()
        await log_act(driver, signed, action, batch["name"], now)
        if not pieces:
            return None
        recorded = await driver.fetchrow(_RECORD, batch["id"], action, reason, now)
        await driver.execute(_NAME, recorded["id"], [piece["id"] for piece in pieces])
        order = Order(
            order_id=f"{batch['name']}.order.{recorded['number']:03d}",
            batch_id=batch["name"],
            ordered_at=now,
            action=action,
            pieces=tuple(
                OrderedPiece(piece_id=piece["piece_id"], seq=piece["seq"]) for piece in pieces
            ),
            reason=reason,
        )
        sealed = self.keys().seal(order.to_json(), now)
        write_whole(self.outgoing.order_path(batch["name"], recorded["number"]), sealed)
        await driver.execute(
            "UPDATE print_order SET sha256 = $2 WHERE id = $1", recorded["id"], sha256(sealed)
        )
        return order.order_id

    async def _issue_anew(self, transaction: Transaction, piece: Any) -> None:
        notice = CATALOGUE[piece["notice"]]
        recorded = await transaction.record(
            Obligation(
                key=f"reissued:{piece['piece_id']}:{piece['mailed']}",
                notice=notice,
                participant_id=piece["participant_id"],
                language=piece["language"],
                facts=facts_from(piece["notice"], piece["facts"]),
                route=in_order(Channel.MAIL),
                requested_at=self.clock(),
            )
        )
        if recorded is None:
            raise InputError(f"piece {piece['seq']} was issued anew already; nothing was ordered")


def _read_selection(selection: str, pieces: int) -> tuple[list[int], list[str]]:
    """The numbers and the ids in `3,7-12`, `all` or a list of ids."""
    if selection.strip().lower() == "all":
        return list(range(1, pieces + 1)), []
    numbers: list[int] = []
    ids = []
    for part in (part.strip() for part in selection.split(",")):
        if match := _RANGE.fullmatch(part):
            first = int(match["first"])
            last = int(match["last"] or first)
            if not 1 <= first <= last <= pieces:
                raise InputError(f"{part}: the pieces are 1 to {pieces}")
            numbers += range(first, last + 1)
        else:
            ids.append(_piece_id(part))
    return sorted(set(numbers)), ids


def _piece_id(part: str) -> str:
    try:
        return str(UUID(part))
    except ValueError:
        raise InputError(
            f"{part[:60]!r}: neither a number, nor a range like 7-12, nor a piece id"
        ) from None


def _carries_secret(piece: Any) -> bool:
    return piece["notice"] is not None and CATALOGUE[piece["notice"]].carries_secret


def _not_mailed(piece: Any) -> bool:
    return (
        bool(piece["status"] != "mailed" and piece["mailed"] == 0) or piece["status"] == "returned"
    )


def _on_its_way(piece: Any) -> bool:
    return bool(piece["reprints"] >= piece["mailed"])


def _ended(piece: Any) -> bool:
    return piece["status"] in {"mailed", "rejected", "cancelled", "returned"}


def _refuse(pieces: Sequence[Any], wrong: Callable[[Any], bool], said: str) -> None:
    faulty = [str(piece["seq"]) for piece in pieces if wrong(piece)]
    if faulty:
        more = f" and {len(faulty) - _SHOWN} more" if len(faulty) > _SHOWN else ""
        raise InputError(f"piece {', '.join(faulty[:_SHOWN])}{more} {said}; nothing was ordered")
