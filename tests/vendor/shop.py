"""A print vendor, step by step, over the two folders of a drop.

    keys = Keys.write(tmp_path / "keys", secret=secret_armour, agency=certificate_armour)
    vendor = Vendor(tmp_path / "drop", keys, clock=lambda: now)   # drop/to-vendor, drop/from-vendor

    taken = await vendor.take_in(batch)      # TakenIn: decrypted, counted, marks decoded
    taken.good, taken.counted, taken.faults
    vendor.ack(batch)                        # B.ack.json.pgp
    vendor.accept(batch)                     # B.status.001.csv.pgp: every piece accepted
    vendor.produce(batch)                    # B.status.002.csv.pgp: every open piece printed
    vendor.mail(batch)                       # B.status.003.csv.pgp: every open piece mailed
    vendor.finish(batch)                     # B.final.json.pgp
    vendor.bring_back(batch, [piece_id])     # B.status.004.csv.pgp: returned
    vendor.destroy(batch)                    # B.final.json.pgp again, with destroyed_at
    vendor.answer_order(name)                # B.order.nnn.json.pgp, in the next status file

Any rows, under any number, in any order:

    row = vendor.event(batch, piece_id, Status.SPOILED, reason="JAM", sheets=1)
    vendor.status(batch, [row], number=3)

Every step that writes takes mischief for that one file, and returns the path it has, or would have:

    vendor.ack(batch, Mischief.WRONG_TOTALS)
    vendor.mail(batch, Mischief.TRUNCATED)
    vendor.send_again(path.name)             # the corrected file, or the same once more
    vendor.put(f"{batch}.ack.json.pgp", b"anything at all")

`await vendor.work(batch)` goes the whole way at once, as its `Manners` have it.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.vendor.answers import (
    COUNTS_SHEETS,
    Kind,
    Status,
    StatusRow,
    ack_document,
    answer_name,
    final_document,
    moment,
    to_csv,
    to_json,
)
from tests.vendor.counting import Piece, TakenIn, take_in
from tests.vendor.drop import Drop
from tests.vendor.jobs import Job
from tests.vendor.manners import Manners, Mischief
from tests.vendor.marks import Sampling
from tests.vendor.orders import Order, answer_rows, read_order
from tests.vendor.outtray import OutTray
from tests.vendor.pranks import twist_batch, twist_csv, twist_document, twist_rows
from tests.vendor.route import go
from tests.vendor.schemas import Schemas
from tests.vendor.sealing import Keys
from tests.vendor.sequences import Sequences, other_bytes

Clock = Callable[[], datetime]
Log = Callable[[str], None]


def utc_now() -> datetime:
    """The clock on the shop's wall."""
    return datetime.now(UTC)


class NotTakenInError(Exception):
    """The vendor does not know this batch: take it in first."""


class Vendor:
    """One account of one environment. Not for several tasks at once."""

    def __init__(
        self,
        root: Path,
        keys: Keys,
        *,
        manners: Manners | None = None,
        clock: Clock = utc_now,
        env: str = "test",
        sampling: Sampling | None = None,
        schemas: Schemas | None = None,
        log: Log = lambda _line: None,
    ) -> None:
        self.drop = Drop(root)
        self.drop.make()
        self.keys = keys
        self.manners = manners or Manners()
        self.clock = clock
        self.env = env
        self.sampling = sampling or Sampling()
        self.schemas = schemas or Schemas()
        self.log = log
        self.jobs: dict[str, Job] = {}
        self.tray = OutTray(self.drop, keys, self.manners)
        self._sequences = Sequences()
        self._last = datetime.min.replace(tzinfo=UTC)

    # Taking in and answering

    async def take_in(self, batch_id: str) -> TakenIn:
        """Open, count and check a batch, and remember it. The same batch again is not opened.

        The same name with other bytes is found to be bad, and leaves what is remembered as it was.
        """
        known = self.jobs.get(batch_id)
        if known is not None and known.taken.sha256 == self.drop.sha256(batch_id):
            return known.taken
        taken = await asyncio.to_thread(
            take_in,
            self.drop.done_file(batch_id),
            self.keys,
            env=self.env,
            sampling=self.sampling,
            schemas=self.schemas,
        )
        if known is not None:
            return other_bytes(taken)
        taken = self._sequences.check(taken)
        self.jobs[batch_id] = Job(taken)
        return taken

    def job(self, batch_id: str) -> Job:
        """What is remembered of a batch. NotTakenInError if nothing is."""
        if batch_id not in self.jobs:
            raise NotTakenInError(batch_id)
        return self.jobs[batch_id]

    def ack(self, batch_id: str, *mischief: Mischief) -> Path:
        """Acknowledge; a batch that comes again gets the ack that it had."""
        job = self.job(batch_id)
        if job.ack is None:
            job.ack = self.ack_of(job.taken)
        return self._answer(Kind.ACK, job.ack, mischief)

    def refuse(self, taken: TakenIn, *mischief: Mischief) -> Path:
        """Reject what came under the name of a batch that is already known."""
        return self._answer(Kind.ACK, self.ack_of(taken), mischief)

    def ack_of(self, taken: TakenIn) -> dict[str, Any]:
        """The ack that a batch deserves."""
        return ack_document(
            taken.batch_id,
            self._moment(),
            sha256=taken.sha256,
            counted=taken.counted,
            errors=taken.errors,
            rejected=not taken.good,
        )

    # Events and status files

    def event(
        self,
        batch_id: str,
        piece_id: str,
        status: Status,
        *,
        reason: str = "",
        sheets: int | None = None,
        reprint_of: str = "",
        ncoa_code: str = "",
    ) -> StatusRow:
        """A new event. Sheets are all of the piece where the status asks for them."""
        job = self.job(batch_id)
        job.made += 1
        if sheets is None and status in COUNTS_SHEETS:
            sheets = job.piece(piece_id).sheets
        return StatusRow(
            event_id=f"{batch_id}.{job.made}",
            piece_id=piece_id,
            status=status,
            at=moment(self._moment()),
            reason=reason,
            sheets="" if sheets is None else str(sheets),
            reprint_of=reprint_of,
            ncoa_code=ncoa_code,
        )

    def status(
        self,
        batch_id: str,
        rows: Sequence[StatusRow],
        *mischief: Mischief,
        number: int | None = None,
    ) -> Path:
        """Write a status file, by default under the next number."""
        job = self.job(batch_id)
        number = number or job.files + 1
        wanted = {*mischief, *self.manners.of(Kind.STATUS, number)}
        if Mischief.GAP in wanted:
            number += 1
        job.files = max(job.files, number)
        job.note(rows)
        path = self._write_rows(batch_id, rows, number, frozenset(wanted))
        if Mischief.EVENTS_AGAIN in wanted:
            job.files += 1
            self._write_rows(batch_id, rows, job.files, frozenset())
        return path

    def accept(self, batch_id: str, *mischief: Mischief) -> Path:
        """Every piece is accepted."""
        return self._tell(batch_id, self.job(batch_id).open_pieces(), Status.ACCEPTED, mischief)

    def produce(self, batch_id: str, *mischief: Mischief) -> Path:
        """Every piece that has not ended is printed."""
        return self._tell(batch_id, self.job(batch_id).open_pieces(), Status.PRINTED, mischief)

    def mail(self, batch_id: str, *mischief: Mischief) -> Path:
        """Every piece that has not ended is mailed."""
        return self._tell(batch_id, self.job(batch_id).open_pieces(), Status.MAILED, mischief)

    def bring_back(
        self,
        batch_id: str,
        piece_ids: Iterable[str],
        *mischief: Mischief,
        reason: str = "NOT_DELIVERABLE_AS_ADDRESSED",
    ) -> Path:
        """These pieces came back from the Postal Service."""
        rows = [
            self.event(batch_id, piece_id, Status.RETURNED, reason=reason) for piece_id in piece_ids
        ]
        return self.status(batch_id, rows, *mischief)

    # Finals

    def finish(self, batch_id: str, *mischief: Mischief) -> Path:
        """The final, of what became of the pieces so far."""
        job = self.job(batch_id)
        job.final = final_document(batch_id, self._moment(), job.tally())
        return self._answer(Kind.FINAL, job.final, mischief)

    def destroy(self, batch_id: str, *mischief: Mischief) -> Path:
        """The final once more: the data is destroyed. NameTakenError while the first one waits."""
        job = self.job(batch_id)
        if job.final is None:
            raise NotTakenInError(f"{batch_id} has no final yet")
        at = moment(self._moment())
        return self._answer(Kind.FINAL, {**job.final, "at": at, "destroyed_at": at}, mischief)

    # Orders

    def read_order(self, name: str) -> Order:
        """Open and check an order. RefusedOrderError, or as `Keys.open` raises."""
        path = self.drop.to_vendor / name
        return read_order(name, self.keys.open(path), self.jobs, self.schemas)

    def answer_order(self, name: str, *mischief: Mischief) -> Path | None:
        """Answer an order in the next status file; None where it was answered before."""
        order = self.read_order(name)
        job = self.job(order.batch_id)
        if order.order_id in job.orders:
            return None
        job.orders.add(order.order_id)
        return self.status(order.batch_id, answer_rows(order, job, self.event), *mischief)

    # The whole way

    async def work(self, batch_id: str) -> TakenIn:
        """Take in, ack, print, mail, finish, and bring some back, as the manners have it."""
        return await go(self, batch_id)

    # Files

    def put(self, name: str, content: bytes) -> Path:
        """Put any bytes under any name. NameTakenError if one waits there."""
        return self.tray.put(name, content)

    def send_again(self, name: str) -> Path:
        """Put an answer as it should have been: corrected, or the same a second time."""
        return self.tray.send_again(name)

    def _tell(
        self,
        batch_id: str,
        pieces: Iterable[Piece],
        status: Status,
        mischief: tuple[Mischief, ...],
    ) -> Path:
        rows = [self.event(batch_id, piece.piece_id, status) for piece in pieces]
        return self.status(batch_id, rows, *mischief)

    def _moment(self) -> datetime:
        """Now, and never the same moment twice: events keep their order by it."""
        self._last = max(self.clock(), self._last + timedelta(microseconds=1))
        return self._last

    def _answer(self, kind: Kind, document: dict[str, Any], mischief: tuple[Mischief, ...]) -> Path:
        wanted = frozenset(mischief) | self.manners.of(kind)
        batch_id = str(document["batch_id"])
        return self.tray.write(
            answer_name(batch_id, kind),
            to_json(document),
            to_json(twist_document(document, wanted)),
            wanted,
            under=answer_name(twist_batch(batch_id, wanted), kind),
        )

    def _write_rows(
        self, batch_id: str, rows: Sequence[StatusRow], number: int, wanted: frozenset[Mischief]
    ) -> Path:
        job = self.job(batch_id)
        confidential = {piece.piece_id for piece in job.pieces if piece.confidential}
        twisted = twist_rows(list(rows), wanted, confidential)
        return self.tray.write(
            answer_name(batch_id, Kind.STATUS, number),
            to_csv(rows),
            twist_csv(twisted, wanted),
            wanted,
            under=answer_name(twist_batch(batch_id, wanted), Kind.STATUS, number),
        )
