"""Orders to cancel or to reprint pieces: read, checked against the batch, and answered."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from tests.vendor.answers import Status, StatusRow
from tests.vendor.jobs import Job
from tests.vendor.schemas import Schemas

ENDING = ".json.pgp"


class RefusedOrderError(Exception):
    """The order cannot be carried out as it stands; nothing of it is."""


class MakeEvent(Protocol):
    """What makes a new event of a piece."""

    def __call__(
        self, batch_id: str, piece_id: str, status: Status, *, reprint_of: str = ""
    ) -> StatusRow: ...


@dataclass(frozen=True)
class Order:
    """An order that may be carried out."""

    order_id: str
    batch_id: str
    action: Literal["cancel", "reprint"]
    piece_ids: tuple[str, ...]
    reason: str


def read_order(name: str, content: bytes, jobs: Mapping[str, Job], schemas: Schemas) -> Order:
    """An order by its file's name and its decrypted content. RefusedOrderError with the reason."""
    try:
        said = json.loads(content)
    except ValueError:
        raise RefusedOrderError(f"{name} is not JSON") from None
    faults = schemas.faults("order", said)
    if faults:
        raise RefusedOrderError(f"{name}: {faults[0]}")
    batch_id, order_id = said["batch_id"], said["order_id"]
    if f"{order_id}{ENDING}" != name or not order_id.startswith(f"{batch_id}.order."):
        raise RefusedOrderError(f"{name} holds the order {order_id}")
    if batch_id not in jobs or not jobs[batch_id].taken.good:
        raise RefusedOrderError(f"{name}: no such batch is here")
    known = {piece.piece_id: piece.seq for piece in jobs[batch_id].pieces}
    ids = tuple(piece["piece_id"] for piece in said["pieces"])
    if any(known.get(piece["piece_id"]) != piece["seq"] for piece in said["pieces"]):
        raise RefusedOrderError(f"{name} names a piece that the batch does not hold")
    return Order(order_id, batch_id, said["action"], ids, said["reason"])


def answer_rows(order: Order, job: Job, event: MakeEvent) -> list[StatusRow]:
    """What became of each piece that an order names.

    Where it is too late, the event that ended the piece is told again with the id that it had.
    """
    rows = []
    for piece_id in order.piece_ids:
        end = job.end_of(piece_id)
        if order.action == "cancel":
            rows.append(end or event(order.batch_id, piece_id, Status.CANCELLED))
        elif end is not None and end.status != Status.MAILED:
            rows.append(end)
        else:
            made = event(order.batch_id, piece_id, Status.REPRINTED, reprint_of=order.order_id)
            rows += [made, event(order.batch_id, piece_id, Status.MAILED)]
    return rows
