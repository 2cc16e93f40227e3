"""Proofs: every letter in every language and edition, shown to the vendor as a test batch before
its template may leave in a production batch; and the record of who approved it."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.calendar.business_days import add_business_days
from engine.clock import Clock, pacific_date
from engine.communications.catalogue import LANGUAGES, LETTERS
from engine.communications.held import HeldDesk
from engine.communications.rendering import Renderer
from engine.database import advisory_lock, driver_connection
from engine.errors import ConnectError, InputError
from engine.mail.acts import Signed, log_act
from engine.mail.approvals import Approvals
from engine.mail.batches import MAIL_WITHIN, PURGE_AFTER, BatchBusyError
from engine.mail.contract import BatchName, piece_ids_sha256
from engine.mail.drafting import SAMPLE_ADDRESS, Draft, draft_letter
from engine.mail.filing import Outgoing
from engine.mail.frozen_letters import UNAPPROVED, DraftedLetter
from engine.mail.handover import Handover
from engine.mail.printing import Frozen, Printed, Printer

_JOB: Final = "proof"
_NEXT: Final = """
SELECT coalesce(max(sequence), 0) + 1 AS sequence,
       (SELECT name FROM print_batch WHERE job = 'proof' AND sequence IS NOT NULL
        ORDER BY sequence DESC LIMIT 1) AS previous,
       (SELECT name FROM print_batch refused JOIN print_answer ON batch_id = refused.id
        WHERE job = 'proof' AND kind = 'ack' AND content->>'result' = 'rejected'
        AND NOT EXISTS (SELECT FROM print_batch later WHERE later.supersedes = refused.name)
        ORDER BY sequence LIMIT 1) AS refused,
       count(*) FILTER (WHERE document_date = $1) + 1 AS number
FROM print_batch WHERE job = 'proof'
"""
_RECORD: Final = """
INSERT INTO print_batch (job, env, state, name, sequence, previous_name, closed_at, document_date,
                         mail_by, purge_by, pieces, pages, sheets, bytes, sha256,
                         piece_ids_sha256, supersedes)
VALUES ('proof', 'test', 'stored', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
RETURNING id
"""
_PIECES: Final = """
INSERT INTO print_piece (batch_id, piece_id, seq, pages, sheets)
SELECT $1, * FROM unnest($2::uuid[], $3::int[], $4::int[], $5::int[])
"""
_SHOWN: Final = """
INSERT INTO print_proof (proof_id, template_id, version, sha256, made_at)
SELECT $1, template_id, version, sha256, $5
FROM unnest($2::text[], $3::text[], $4::text[]) AS shown (template_id, version, sha256)
"""
_KNOWN: Final = """
SELECT template_id, print_proof.sha256, state,
       coalesce((SELECT content->>'result' FROM print_answer
                 WHERE batch_id = print_batch.id AND kind = 'ack'), '') AS ack
FROM print_proof JOIN print_batch ON name = proof_id WHERE proof_id = $1
"""
_APPROVE: Final = """
UPDATE print_proof SET approved_at = $3, approved_by = $4
WHERE proof_id = $1 AND template_id = ANY($2::text[]) AND approved_at IS NULL
RETURNING template_id
"""
_WAITING: Final = """
SELECT communication.id FROM communication JOIN delivery ON communication_id = communication.id
WHERE communication.state = 'held' AND delivery.state = 'held' AND reason = $2
  AND notice = ANY($1::text[])
"""


class ProofIncompleteError(ConnectError):
    """A sample letter cannot be drawn: the vendor would approve what it was never shown. Nothing
    was sent."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof set, and why it waits if it has not been handed over."""

    proof_id: str
    pieces: int
    templates: Sequence[str]
    waits: str | None


@dataclass(frozen=True, slots=True)
class Proofs:
    """Makes proofs of the sample letters, and records approvals."""

    engine: AsyncEngine
    renderer: Renderer
    approvals: Approvals
    printer: Printer
    outgoing: Outgoing
    handover: Handover
    held: HeldDesk
    agency: str
    clock: Clock

    async def make(self) -> Proof:
        """Compose the sample letters as a test batch, and hand it over where there is a drop.

        A proof that the vendor rejected is superseded by it. Raises BatchBusyError while another
        proof is made, and ProofIncompleteError.
        """
        async with advisory_lock(self.engine, f"print_batch:{_JOB}") as alone:
            if not alone:
                raise BatchBusyError("another proof is being made at this moment")
            batch = await self._next()
            name = str(batch.name)
            printed = await self._printed(batch)
            async with self.engine.begin() as connection:
                await self._record(connection, batch, printed)
                self.outgoing.keep(name)
        left = {item.name: item.waits for item in await self.handover.run()}
        return Proof(
            name,
            len(printed.pieces),
            [notice.key for notice in LETTERS],
            left.get(name, "another process hands over"),
        )

    async def _printed(self, batch: Frozen) -> Printed:
        drafted = self._drafted(batch.name.day)
        draft = self.outgoing.draft(str(batch.name))
        printed = await self.printer.print_letters(batch, _one_part(drafted), draft)
        if missing := len(drafted) - len(printed.pieces):
            draft.unlink(missing_ok=True)
            shown = {piece.piece_id for piece in printed.pieces}
            of = {item.letter.template_id for item in drafted if item.letter.piece_id not in shown}
            raise ProofIncompleteError(
                f"{missing} sample letter(s) cannot be drawn, of {', '.join(sorted(of))}: "
                "no proof was made"
            )
        return printed

    async def approve(
        self, proof_id: str, templates: Sequence[str], signed: Signed
    ) -> tuple[list[str], int]:
        """Record an approval of `templates` (all that are still as they were shown, if none is
        named); which, and how many letters that waited for it were sent on. Raises InputError."""
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            known = await driver.fetch(_KNOWN, proof_id)
            _require_shown(proof_id, templates, known)
            asked = list(templates) or [row["template_id"] for row in known]
            changed = self._changed(known)
            asked = _require_unchanged(proof_id, asked, changed, named=bool(templates))
            rows = await driver.fetch(_APPROVE, proof_id, asked, self.clock(), signed.who.strip())
            approved = sorted(row["template_id"] for row in rows)
            if not approved:
                raise InputError(f"{proof_id}: that was approved already")
            await log_act(driver, signed, "approve", proof_id, self.clock())
            waiting = [row["id"] for row in await driver.fetch(_WAITING, approved, UNAPPROVED)]
        return approved, await self.held.send_on(waiting)

    def _changed(self, shown: Sequence[Any]) -> set[str]:
        """The templates whose words or layout are no longer what the vendor was shown."""
        now = {notice.key: self.approvals.template(notice).sha256 for notice in LETTERS}
        return {row["template_id"] for row in shown if now.get(row["template_id"]) != row["sha256"]}

    async def _next(self) -> Frozen:
        now = self.clock()
        day = pacific_date(now)
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            row = await driver.fetchrow(_NEXT, day)
        mail_by = add_business_days(day, MAIL_WITHIN)
        return Frozen(
            id=0,
            name=BatchName(self.agency, "test", _JOB, day, row["number"]),
            sequence=row["sequence"],
            previous_name=row["previous"],
            closed_at=now,
            mail_by=mail_by,
            purge_by=add_business_days(mail_by, PURGE_AFTER),
            supersedes=row["refused"],
        )

    def _drafted(self, day: date) -> list[DraftedLetter]:
        """One letter for each template, language and edition, to a reader who does not exist."""
        letters = []
        for notice, language, large in product(LETTERS, LANGUAGES, (False, True)):
            draft = Draft(
                piece_id=str(uuid4()),
                notice=notice,
                language=language,
                facts=notice.sample,
                secret=notice.sample_secret,
                address=SAMPLE_ADDRESS,
                large=large,
            )
            letter = draft_letter(self.renderer, draft, self.printer.return_address_of(None), day)
            letters.append(DraftedLetter(letter, None, SAMPLE_ADDRESS))
        return letters

    async def _record(self, connection: AsyncConnection, batch: Frozen, printed: Printed) -> None:
        driver = await driver_connection(connection)
        name = str(batch.name)
        batch_id = await driver.fetchval(
            _RECORD,
            name,
            batch.sequence,
            batch.previous_name,
            batch.closed_at,
            batch.name.day,
            batch.mail_by,
            batch.purge_by,
            len(printed.pieces),
            printed.pages,
            printed.sheets,
            printed.bytes,
            printed.sha256,
            piece_ids_sha256(piece.piece_id for piece in printed.pieces),
            batch.supersedes,
        )
        await driver.execute(
            _PIECES,
            batch_id,
            [UUID(piece.piece_id) for piece in printed.pieces],
            [piece.seq for piece in printed.pieces],
            [piece.pages for piece in printed.pieces],
            [piece.sheets for piece in printed.pieces],
        )
        shown = [self.approvals.template(notice) for notice in LETTERS]
        await driver.execute(
            _SHOWN,
            name,
            [template.id for template in shown],
            [template.version for template in shown],
            [template.sha256 for template in shown],
            batch.closed_at,
        )


async def _one_part(drafted: list[DraftedLetter]) -> AsyncGenerator[list[DraftedLetter], None]:
    yield drafted


def _require_shown(proof_id: str, asked: Sequence[str], known: Sequence[Any]) -> None:
    if not known:
        raise InputError(f"no such proof: {proof_id[:80]!r}; make one: connect batch proof")
    if unknown := set(asked) - {row["template_id"] for row in known}:
        raise InputError(f"{proof_id} does not show {', '.join(sorted(unknown))}")
    if known[0]["state"] != "handed_over":
        raise InputError(f"{proof_id} has not left yet: the vendor has not seen it")
    if known[0]["ack"] == "rejected":
        raise InputError(f"the vendor rejected {proof_id}: make another: connect batch proof")


def _require_unchanged(
    proof_id: str, asked: Sequence[str], changed: set[str], *, named: bool
) -> list[str]:
    """Those asked for that are as they were shown; an approval of others would be of no use."""
    if stale := sorted(changed.intersection(asked)):
        left = [template for template in asked if template not in changed]
        if named or not left:
            raise InputError(
                f"{', '.join(stale)} changed since {proof_id} was made: nothing was approved. "
                "Make another: connect batch proof"
            )
        return left
    return list(asked)
