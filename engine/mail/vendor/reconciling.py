"""Three-way reconciliation: what was sent, what the vendor acknowledged, and what was mailed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from engine.database import driver_connection
from engine.mail.vendor.answers import Ack, FinalReport

_BATCHES: Final = """
SELECT print_batch.id, name, sequence, job, pieces, pages, sheets, piece_ids_sha256,
       handed_over_at, purge_by, supersedes,
       (SELECT name FROM print_batch later WHERE later.supersedes = print_batch.name)
           AS superseded_by,
       EXISTS (SELECT FROM print_batch later WHERE later.supersedes = print_batch.name)
           OR EXISTS (SELECT FROM print_piece WHERE batch_id = print_batch.id AND superseded)
           AS superseded,
       (SELECT content::text FROM print_answer WHERE batch_id = print_batch.id AND kind = 'ack')
           AS ack,
       (SELECT content::text FROM print_answer WHERE batch_id = print_batch.id AND kind = 'final')
           AS final
FROM print_batch WHERE state = 'handed_over' AND id = ANY($1::bigint[]) ORDER BY id
"""
_BY_STATUS: Final = """
SELECT batch_id, coalesce(status, 'none') AS status, count(*) AS pieces, sum(pages) AS pages,
       sum(sheets) AS sheets
FROM print_piece WHERE batch_id = ANY($1::bigint[]) AND seq IS NOT NULL
GROUP BY batch_id, status
"""


@dataclass(frozen=True, slots=True)
class Totals:
    """Of one side."""

    pieces: int
    pages: int
    sheets: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One batch, side by side."""

    batch_id: int
    name: str
    sent: Totals
    acknowledged: Totals | None
    mailed: Totals
    """By the status files, pieces that came back among them."""
    final: Totals | None
    by_status: Mapping[str, int]
    disagreements: tuple[str, ...]
    rejected: bool
    """Whether the vendor refused the whole batch."""
    superseded: bool
    """Whether its letters were taken out of it, to go in another."""
    superseded_by: str | None
    """The batch that replaced it, once that one is closed and has a name."""

    @property
    def blocks(self) -> bool:
        """Whether the next batch has to wait for this one's disagreement."""
        return bool(self.disagreements) and not self.superseded


async def reconcile(connection: AsyncConnection, batch_ids: Sequence[int]) -> list[Reconciliation]:
    """The batches of `batch_ids` that were handed over, in order."""
    driver = await driver_connection(connection)
    counts: dict[int, dict[str, Any]] = {}
    for row in await driver.fetch(_BY_STATUS, list(batch_ids)):
        counts.setdefault(row["batch_id"], {})[row["status"]] = row
    batches = await driver.fetch(_BATCHES, list(batch_ids))
    return [_reconciled(batch, counts.get(batch["id"], {})) for batch in batches]


def _reconciled(batch: Any, counts: Mapping[str, Any]) -> Reconciliation:
    ack = Ack.model_validate_json(batch["ack"]) if batch["ack"] else None
    final = FinalReport.model_validate_json(batch["final"]) if batch["final"] else None
    sent = Totals(batch["pieces"], batch["pages"], batch["sheets"])
    # A letter that came back was mailed.
    mailed = _sum(counts[status] for status in ("mailed", "returned") if status in counts)
    by_status = {status: row["pieces"] for status, row in counts.items()}
    return Reconciliation(
        batch_id=batch["id"],
        name=batch["name"],
        sent=sent,
        acknowledged=_counted(ack),
        mailed=mailed,
        final=_final_totals(final) if final else None,
        by_status=by_status,
        disagreements=(
            *_about_the_ack(ack, sent, batch["piece_ids_sha256"]),
            *_about_the_final(final, sent, mailed, by_status),
        ),
        rejected=ack is not None and ack.result == "rejected",
        superseded=batch["superseded"],
        superseded_by=batch["superseded_by"],
    )


def _counted(ack: Ack | None) -> Totals | None:
    if ack is None or ack.counted is None:
        return None
    return Totals(ack.counted.pieces, ack.counted.pages, ack.counted.sheets)


def _about_the_ack(ack: Ack | None, sent: Totals, piece_ids_sha256: str) -> Iterable[str]:
    if ack is None:
        return
    if ack.result == "rejected":
        codes = ", ".join(dict.fromkeys(error.code for error in ack.errors))
        yield f"the vendor rejected the batch: {codes}"
        return
    assert ack.counted is not None  # noqa: S101  a received batch has been counted
    yield from _different("acknowledged", sent, _counted(ack))
    if ack.counted.piece_ids_sha256 != piece_ids_sha256:
        yield "acknowledged piece ids are not those that were sent"


def _about_the_final(
    final: FinalReport | None, sent: Totals, mailed: Totals, by_status: Mapping[str, int]
) -> Iterable[str]:
    if final is None:
        return
    if final.pieces != sent.pieces:
        yield f"final pieces: {final.pieces}, sent {sent.pieces}"
    yield from _different("mailed by the final", mailed, _final_totals(final), "by the statuses")
    for status, said in (("rejected", final.rejected), ("cancelled", final.cancelled)):
        told = by_status.get(status, 0)
        if said != told:
            yield f"{status}: {said} by the final, {told} by the statuses"


def _final_totals(final: FinalReport) -> Totals:
    return Totals(final.mailed, final.pages, final.sheets)


def _different(what: str, ours: Totals, theirs: Totals | None, side: str = "sent") -> Iterable[str]:
    if theirs is None:
        return
    for name in ("pieces", "pages", "sheets"):
        if getattr(ours, name) != getattr(theirs, name):
            yield f"{what} {name}: {getattr(theirs, name)}, {side} {getattr(ours, name)}"


def _sum(rows: Iterable[Any]) -> Totals:
    found = list(rows)
    return Totals(*(sum(row[name] for row in found) for name in ("pieces", "pages", "sheets")))
