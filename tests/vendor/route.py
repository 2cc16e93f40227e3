"""The whole way of a batch through the shop, at once: which piece meets which fate is by seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tests.vendor.answers import ADDRESS_CODES, PRODUCTION_CODES, Kind, Status, StatusRow
from tests.vendor.counting import Piece, TakenIn
from tests.vendor.manners import Manners, Mischief

if TYPE_CHECKING:
    from tests.vendor.shop import Vendor

NCOA_MATCH = "A"


@dataclass(frozen=True)
class Fates:
    """The ids of the pieces that something happens to, each in one of these only."""

    rejected: frozenset[str]
    held: frozenset[str]
    spoiled: frozenset[str]
    moved: frozenset[str]
    returned: tuple[str, ...]


def chance(seed: str) -> Random:
    """The same turns for the same seed."""
    return Random(seed)  # noqa: S311  it deals out misfortune, and guards nothing


def fates(batch_id: str, pieces: Sequence[Piece], manners: Manners) -> Fates:
    """Chosen by the seed and the batch's name; a small batch runs out of pieces."""
    left = list(pieces)
    chance(f"{manners.seed}:{batch_id}").shuffle(left)

    def take(number: int, *, confidential: bool = True) -> list[str]:
        fit = [piece for piece in left if confidential or not piece.confidential][:number]
        for piece in fit:
            left.remove(piece)
        return [piece.piece_id for piece in fit]

    return Fates(
        rejected=frozenset(take(manners.rejected)),
        held=frozenset(take(manners.held)),
        spoiled=frozenset(take(manners.spoiled)),
        moved=frozenset(take(manners.moved, confidential=False)),
        returned=tuple(take(manners.returned)),
    )


async def go(vendor: "Vendor", batch_id: str) -> TakenIn:
    """Everything from the taking in to what comes back, as the vendor's manners have it."""
    taken = await vendor.take_in(batch_id)
    job = vendor.job(batch_id)
    if taken is not job.taken:
        vendor.refuse(taken)
        vendor.log(f"{batch_id}: refused, it came before with other bytes")
        return taken
    if any(prank.mischief is Mischief.OUT_OF_ORDER for prank in vendor.manners.pranks):
        vendor.tray.keep_back()
    _acknowledge(vendor, taken)
    refused = Mischief.REJECTS in vendor.manners.of(Kind.ACK)
    if taken.good and not refused and not job.files:
        _make(vendor, batch_id, fates(batch_id, job.pieces, vendor.manners))
    vendor.tray.let_go()
    return taken


def _acknowledge(vendor: "Vendor", taken: TakenIn) -> None:
    batch_id = taken.batch_id
    vendor.ack(batch_id)
    counted = f"{taken.counted.pieces} pieces" if taken.counted else "not counted"
    result = "received" if taken.good else "rejected"
    codes = sorted({fault.code for fault in taken.faults})
    vendor.log(": ".join([batch_id, ", ".join([f"ack {result}", counted, *codes])]))
    if vendor.manners.removes:
        vendor.drop.forget(batch_id)


def _make(vendor: "Vendor", batch_id: str, chosen: Fates) -> None:
    job = vendor.job(batch_id)
    vendor.status(batch_id, _accepted(vendor, batch_id, chosen))
    vendor.log(f"{batch_id}: {len(job.told(Status.ACCEPTED))} accepted")
    vendor.status(batch_id, _printed(vendor, batch_id, chosen))
    spoiled = len(job.told(Status.SPOILED))
    vendor.log(f"{batch_id}: {len(job.told(Status.PRINTED))} printed, {spoiled} spoiled")
    vendor.mail(batch_id)
    vendor.log(f"{batch_id}: {len(job.told(Status.MAILED))} mailed")
    vendor.finish(batch_id)
    tally = job.tally()
    paper = f"{tally.pages} pages, {tally.sheets} sheets"
    vendor.log(f"{batch_id}: final, {tally.mailed} mailed, {tally.rejected} rejected, {paper}")
    if chosen.returned:
        vendor.status(batch_id, _returned(vendor, batch_id, chosen))
        vendor.log(f"{batch_id}: {len(chosen.returned)} returned")
    if vendor.manners.destroys:
        vendor.destroy(batch_id)
        vendor.log(f"{batch_id}: data destroyed")


def _accepted(vendor: "Vendor", batch_id: str, chosen: Fates) -> list[StatusRow]:
    rows = []
    for piece in vendor.job(batch_id).pieces:
        name = piece.piece_id
        if name in chosen.rejected:
            row = vendor.event(batch_id, name, Status.REJECTED, reason="CASS_FAILED")
        elif name in chosen.held:
            row = vendor.event(batch_id, name, Status.HELD, reason="STOCK")
        else:
            code = NCOA_MATCH if name in chosen.moved else ""
            row = vendor.event(batch_id, name, Status.ACCEPTED, ncoa_code=code)
        rows.append(row)
    return rows


def _printed(vendor: "Vendor", batch_id: str, chosen: Fates) -> list[StatusRow]:
    rows = []
    for piece in vendor.job(batch_id).open_pieces():
        name = piece.piece_id
        if name in chosen.held:
            rows.append(vendor.event(batch_id, name, Status.ACCEPTED))
        rows.append(vendor.event(batch_id, name, Status.PRINTED))
        if name in chosen.spoiled:
            reason = chance(name).choice(PRODUCTION_CODES[3:6])
            lost = vendor.event(batch_id, name, Status.SPOILED, reason=reason, sheets=1)
            again = vendor.event(
                batch_id, name, Status.REPRINTED, sheets=1, reprint_of=lost.event_id
            )
            rows += [lost, again]
    return rows


def _returned(vendor: "Vendor", batch_id: str, chosen: Fates) -> list[StatusRow]:
    return [
        vendor.event(
            batch_id, name, Status.RETURNED, reason=chance(name).choice(ADDRESS_CODES[:-1])
        )
        for name in chosen.returned
    ]
