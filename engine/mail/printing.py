"""From a frozen batch's rows to one sealed file: drafted, composed, put together, encrypted.

It goes by a part at a time, and nothing is on a disk before it is encrypted: a letter in plain
text may hold a PIN.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Container, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from engine.clock import Clock
from engine.communications.catalogue import CATALOGUE, LETTERS, LegalClass, unreviewed
from engine.communications.ports import Recipients, Secrets
from engine.communications.rendering import Renderer
from engine.mail.approvals import Approvals
from engine.mail.archive import BatchFacts
from engine.mail.assembly import Assembly, Piece, SealedBatch
from engine.mail.composer import PartComposer
from engine.mail.composing import ComposedPart
from engine.mail.contract import BatchName, Production, Template
from engine.mail.frozen_letters import DraftedLetter, FrozenLetters
from engine.mail.keys import PrintKeys
from engine.mail.openpgp import require_usable_keys
from engine.mail.press import Press
from engine.mail.sealed_file import SealedFile, sealed_file
from engine.mail.tracking import Mailer
from engine.security.sealing import SecretBox

Progress = Callable[[int, int], None]
"""Told how many letters are done, of how many."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A batch that takes no more letters."""

    id: int
    name: BatchName
    sequence: int
    previous_name: str | None
    closed_at: datetime
    mail_by: date
    purge_by: date
    supersedes: str | None = None


@dataclass(frozen=True, slots=True)
class Printed:
    """A batch as it leaves: its pieces, the deliveries that must wait, and its sealed file.
    Without pieces there is no file."""

    pieces: tuple[Piece, ...]
    held: dict[int, str]
    """Delivery id → the flag for which its letter was held back."""
    sealed: SealedBatch | None = None

    @property
    def pages(self) -> int:
        """Pages, blank backs among them."""
        return sum(piece.pages for piece in self.pieces)

    @property
    def sheets(self) -> int:
        """Sheets of paper."""
        return sum(piece.sheets for piece in self.pieces)

    @property
    def bytes(self) -> int:
        """The size of the ciphertext."""
        return self.sealed.bytes if self.sealed else 0

    @property
    def sha256(self) -> str:
        """The hash of the ciphertext."""
        return self.sealed.sha256 if self.sealed else ""


@dataclass(frozen=True, slots=True)
class Printer:
    """Prints frozen batches."""

    engine: AsyncEngine
    recipients: Recipients
    secrets: Secrets
    renderer: Renderer
    box: SecretBox
    composer: PartComposer
    keys: Callable[[], PrintKeys]
    return_address_of: Callable[[str | None], tuple[str, ...]]
    pieces_per_part: int
    approvals: Approvals
    mailer: Mailer | None
    clock: Clock

    async def print(self, batch: Frozen, draft: Path, progress: Progress | None = None) -> Printed:
        """Compose `batch` and seal it into the file `draft`, in place of any that stands there.

        Addresses are read now; a letter without one is held. Nothing is left of the file where
        this raises: KeyUnusableError before anything is drawn, ComposingError,
        ComposerStoppedError, FileUnwrittenError or SealingStoppedError.
        """
        async with self.engine.connect() as connection:
            templates = await self.approvals.of(connection)
        may_leave = {
            key
            for key, template in templates.items()
            if batch.name.env == "test" or (template.proof_id is not None and _may_serve(key))
        }
        held: dict[int, str] = {}
        letters = self._letters(may_leave)
        source = letters.parts(batch.id, batch.name.day, self.pieces_per_part, held)
        total = await letters.count(batch.id)
        shown = (lambda done: progress(done + len(held), total)) if progress else None
        printed = await self._print(batch, source, draft, templates, shown)
        return replace(printed, held=held | printed.held)

    async def print_letters(
        self, batch: Frozen, drafted: AsyncGenerator[list[DraftedLetter], None], draft: Path
    ) -> Printed:
        """Compose letters that are no deliveries, a proof's, and seal them as `print` does."""
        templates = {notice.key: self.approvals.template(notice) for notice in LETTERS}
        return await self._print(batch, drafted, draft, templates)

    async def _print(
        self,
        batch: Frozen,
        source: AsyncGenerator[list[DraftedLetter], None],
        draft: Path,
        templates: Mapping[str, Template],
        shown: Callable[[int], None] | None = None,
    ) -> Printed:
        held: dict[int, str] = {}
        with Assembly(self._file(draft)) as assembly, self.composer.crew() as crew:
            press = Press(crew, batch_id=str(batch.name), document_date=batch.name.day)
            async with aclosing(source), aclosing(press.parts(source)) as parts:
                async for drafted, part in parts:
                    held |= _held_in(drafted, part)
                    await asyncio.to_thread(assembly.add, drafted, part)
                    if shown is not None:
                        shown(len(assembly.pieces) + len(held))
            sealed = None
            if assembly.pieces:
                used = [templates[key] for key in sorted(assembly.template_ids)]
                production = Production(imb_mode="ours" if self.mailer else "vendor")
                facts = _facts(batch, used, production)
                sealed = await asyncio.to_thread(assembly.finish, facts)
        return Printed(tuple(assembly.pieces), held, sealed)

    def _letters(self, approved: Container[str]) -> FrozenLetters:
        return FrozenLetters(
            engine=self.engine,
            recipients=self.recipients,
            secrets=self.secrets,
            renderer=self.renderer,
            box=self.box,
            return_address_of=self.return_address_of,
            approved=approved,
            mailer=self.mailer,
            clock=self.clock,
        )

    def _file(self, draft: Path) -> Callable[[], AbstractContextManager[SealedFile]]:
        """How the file is begun; its keys are of use, and an earlier try at it is gone."""
        keys, now = self.keys(), self.clock()
        signer, vendor = keys.signer(), keys.recipient(now)
        require_usable_keys(signer, vendor, now)
        draft.unlink(missing_ok=True)
        return partial(sealed_file, draft, signer=signer, recipient=vendor, now=now)


def _may_serve(key: str) -> bool:
    """Whether the agency has reviewed the words of a court-class notice in both languages: what
    serves the notice of a hearing is not left to a translation that nobody vouched for."""
    notice = CATALOGUE[key]
    return notice.legal is not LegalClass.COURT or not unreviewed(notice)


def _held_in(drafted: Sequence[DraftedLetter], part: ComposedPart) -> dict[int, str]:
    deliveries = {item.letter.piece_id: item.delivery_id for item in drafted}
    return {
        delivery: piece.flag
        for piece in part.held
        if (delivery := deliveries[piece.piece_id]) is not None
    }


def _facts(batch: Frozen, templates: Sequence[Template], production: Production) -> BatchFacts:
    return BatchFacts(
        name=batch.name,
        sequence=batch.sequence,
        previous_batch_id=batch.previous_name,
        created_at=batch.closed_at,
        mail_by=batch.mail_by,
        purge_by=batch.purge_by,
        templates=tuple(templates),
        production=production,
        supersedes=batch.supersedes,
    )
