"""From a frozen batch's rows to one sealed file: drafted, composed, put together, encrypted.

Everything is in memory until it is encrypted: a letter in plain text may hold a PIN.
"""

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.calendar.business_days import add_business_days
from engine.clock import Clock
from engine.communications.catalogue import CATALOGUE, Channel, Secret
from engine.communications.claims import facts_from
from engine.communications.ports import PostalAddress, Recipients, Secrets, Unreachable
from engine.communications.rendering import Renderer
from engine.database import driver_connection
from engine.errors import ConnectError
from engine.mail.archive import BatchFacts, build_archive, part_file
from engine.mail.composer import PartComposer
from engine.mail.composing import ComposedPart
from engine.mail.contract import BatchName, Template
from engine.mail.drafting import Draft, draft_letter
from engine.mail.index import IndexRow, refused
from engine.mail.keys import PrintKeys
from engine.mail.letters import Letter
from engine.mail.openpgp import Certificate, SecretKey, seal
from engine.security.sealing import Sealed, SecretBox

log: Final = structlog.get_logger()

PURGE_AFTER: Final = 30
"""Business days after which the vendor must have destroyed a batch's data."""

_MAIL_CLASS: Final = "first_class"

_LETTERS = """
SELECT piece_id::text, delivery_id, secret, secret_key_id, notice, participant_id, language,
       facts::text AS facts
FROM print_piece
JOIN delivery ON delivery.id = delivery_id
JOIN communication ON communication.id = communication_id
WHERE batch_id = $1 AND delivery.state = 'batched'
ORDER BY print_piece.id
"""


@dataclass(frozen=True, slots=True)
class Frozen:
    """A batch that takes no more letters."""

    id: int
    name: BatchName
    sequence: int
    previous_name: str | None
    closed_at: datetime
    mail_by: date


@dataclass(frozen=True, slots=True)
class Piece:
    """One letter's place in a printed batch."""

    piece_id: str
    delivery_id: int
    seq: int
    pages: int
    sheets: int


@dataclass(frozen=True, slots=True)
class Printed:
    """A batch as it leaves: its ciphertext, its pieces, and the deliveries that must wait."""

    ciphertext: bytes
    pieces: tuple[Piece, ...]
    held: Mapping[int, str]
    """Delivery id → the flag for which its letter was held back."""

    @property
    def pages(self) -> int:
        """Pages, blank backs among them."""
        return sum(piece.pages for piece in self.pieces)

    @property
    def sheets(self) -> int:
        """Sheets of paper."""
        return sum(piece.sheets for piece in self.pieces)


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
    return_address: tuple[str, ...]
    pieces_per_part: int
    clock: Clock

    async def print(self, batch: Frozen) -> Printed:
        """Compose and seal `batch`. Addresses are read now; a letter without one is held."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            rows = await driver.fetch(_LETTERS, batch.id)
            addresses = await self._addresses(connection, rows)
        deliveries = {row["piece_id"]: row["delivery_id"] for row in rows}
        held: dict[int, str] = {}
        letters: list[Letter] = []
        for row in rows:
            address = addresses[row["participant_id"]]
            if isinstance(address, Unreachable):
                held[row["delivery_id"]] = address.reason
            elif any(refused(cell) for cell in _cells(address)):
                held[row["delivery_id"]] = "UNRENDERABLE"
            else:
                try:
                    letters.append(self._letter(row, address, batch))
                except (ConnectError, ValidationError, KeyError):
                    # One letter that cannot be drafted must not keep the others from leaving.
                    log.exception("letter_not_drafted", delivery=row["delivery_id"])
                    held[row["delivery_id"]] = "UNRENDERABLE"
        parts = await self._compose(letters, batch)
        for part in parts:
            held |= {deliveries[piece.piece_id]: piece.flag for piece in part.held}
        return await asyncio.to_thread(
            self._seal, batch, [part for part in parts if part.pieces], letters, deliveries, held
        )

    async def _addresses(
        self, connection: AsyncConnection, rows: Sequence[Any]
    ) -> Mapping[int, PostalAddress | Unreachable]:
        return await self.recipients.mail(connection, {row["participant_id"] for row in rows})

    def _letter(self, row: Any, address: PostalAddress, batch: Frozen) -> Letter:
        secret = None
        if row["secret"] is not None:
            sealed = Sealed.from_bytes(row["secret_key_id"], row["secret"])
            pin = self.box.open(sealed, str(row["delivery_id"]))
            secret = Secret(pin, self.secrets.works_until(Channel.MAIL, self.clock()))
        draft = Draft(
            piece_id=row["piece_id"],
            notice=CATALOGUE[row["notice"]],
            language=row["language"],
            facts=facts_from(row["notice"], row["facts"]),
            secret=secret,
            address=address,
        )
        return draft_letter(self.renderer, draft, self.return_address, batch.name.day)

    async def _compose(self, letters: Sequence[Letter], batch: Frozen) -> list[ComposedPart]:
        parts, first_seq = [], 1
        for start in range(0, len(letters), self.pieces_per_part):
            part = await self._compose_part(
                letters[start : start + self.pieces_per_part], batch, first_seq
            )
            first_seq += len(part.pieces)
            parts.append(part)
        return parts

    async def _compose_part(
        self, letters: Sequence[Letter], batch: Frozen, first_seq: int
    ) -> ComposedPart:
        """One part, in a process of its own, which ends when we are told to stop."""
        composing = functools.partial(
            self.composer.compose,
            letters,
            batch_id=str(batch.name),
            document_date=batch.name.day,
            first_seq=first_seq,
        )
        try:
            return await asyncio.to_thread(composing)
        except asyncio.CancelledError:
            self.composer.stop()
            raise

    def _seal(
        self,
        batch: Frozen,
        parts: Sequence[ComposedPart],
        letters: Sequence[Letter],
        deliveries: Mapping[str, int],
        held: Mapping[int, str],
    ) -> Printed:
        pieces = tuple(
            Piece(
                piece.piece_id,
                deliveries[piece.piece_id],
                piece.seq,
                piece.page_count,
                piece.sheet_count,
            )
            for part in parts
            for piece in part.pieces
        )
        if not pieces:
            return Printed(b"", (), held)
        archive = build_archive(self._facts(batch, letters), parts, _index(parts, letters))
        keys = self.keys()
        ciphertext = seal(
            archive.content,
            signer=SecretKey.read(keys.signing_key, name="PRINT_SIGNING_KEY"),
            recipient=Certificate.read(keys.vendor_certificate, name="VENDOR_CERTIFICATE"),
            now=self.clock(),
        )
        return Printed(ciphertext, pieces, held)

    def _facts(self, batch: Frozen, letters: Sequence[Letter]) -> BatchFacts:
        used = sorted({letter.template_id for letter in letters})
        return BatchFacts(
            name=batch.name,
            sequence=batch.sequence,
            previous_batch_id=batch.previous_name,
            created_at=batch.closed_at,
            mail_by=batch.mail_by,
            purge_by=add_business_days(batch.mail_by, PURGE_AFTER),
            templates=tuple(
                Template(
                    id=key,
                    version=self.renderer.version(CATALOGUE[key]),
                    sha256=self.renderer.digest(CATALOGUE[key]),
                )
                for key in used
            ),
        )


def _cells(address: PostalAddress) -> tuple[str, ...]:
    return (
        address.name,
        address.urbanization,
        address.addr1,
        address.addr2,
        address.city,
        address.state,
        address.zip5,
        address.zip4,
    )


def _index(parts: Sequence[ComposedPart], letters: Sequence[Letter]) -> list[IndexRow]:
    by_piece = {letter.piece_id: letter for letter in letters}
    return [
        IndexRow(
            seq=piece.seq,
            piece_id=piece.piece_id,
            part_file=part_file(number),
            first_page=piece.first_page,
            page_count=piece.page_count,
            sheet_count=piece.sheet_count,
            template_id=letter.template_id,
            template_version=letter.template_version,
            lang=letter.language,
            mail_class=_MAIL_CLASS,
            name=letter.recipient.name.upper(),
            urbanization=letter.recipient.urbanization.upper(),
            addr1=letter.recipient.addr1.upper(),
            addr2=letter.recipient.addr2.upper(),
            city=letter.recipient.city.upper(),
            state=letter.recipient.state.upper(),
            zip5=letter.recipient.zip5,
            zip4=letter.recipient.zip4,
            address_flags="",
            imb31="",
            sheet_mark=piece.sheet_marks[0],
        )
        for number, part in enumerate(parts, 1)
        for piece in part.pieces
        for letter in (by_piece[piece.piece_id],)
    ]
