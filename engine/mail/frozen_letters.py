"""The letters of a frozen batch: rows, addresses and secrets, read and drafted a part at a time."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Container, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.clock import Clock
from engine.communications.catalogue import CATALOGUE, Channel, Secret
from engine.communications.claims import Reader, facts_from
from engine.communications.frozen_facts import FACTS
from engine.communications.ports import PostalAddress, Recipients, Secrets, Unreachable
from engine.communications.rendering import Renderer
from engine.database import driver_connection
from engine.errors import ConnectError
from engine.mail.drafting import Draft, draft_letter
from engine.mail.index import refused
from engine.mail.letters import Letter
from engine.mail.tracking import Addressed, Imb, Mailer, allocate
from engine.security.sealing import Sealed, SecretBox

log: Final = structlog.get_logger()

UNAPPROVED: Final = "unapproved_template"
"""Why a letter is held whose template the vendor has not approved."""

_LETTERS = f"""
SELECT print_piece.id, piece_id::text, delivery_id, secret, secret_key_id, notice, participant_id,
       contact_point_id, language, {FACTS} AS facts
FROM print_piece
JOIN delivery ON delivery.id = delivery_id
JOIN communication ON communication.id = communication_id
WHERE batch_id = $1 AND delivery.state = 'batched' AND print_piece.id > $2
ORDER BY print_piece.id LIMIT $3
"""  # noqa: S608  joined from constants of ours
_COUNT = """
SELECT count(*) FROM print_piece JOIN delivery ON delivery.id = delivery_id
WHERE batch_id = $1 AND delivery.state = 'batched'
"""


@dataclass(frozen=True, slots=True)
class DraftedLetter:
    """A letter, the delivery it is for (none for a proof's), and the address as it was read."""

    letter: Letter
    delivery_id: int | None
    address: PostalAddress
    imb: Imb | None = None
    """Its barcode, where we draw it."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A piece's row, with what was found for it."""

    row: Any
    address: PostalAddress | Unreachable
    imb: Imb | None


@dataclass(frozen=True, slots=True)
class FrozenLetters:
    """Reads what a batch holds. Addresses are read now, and secrets opened now."""

    engine: AsyncEngine
    recipients: Recipients
    secrets: Secrets
    renderer: Renderer
    box: SecretBox
    return_address_of: Callable[[str | None], tuple[str, ...]]
    """By the county of the reader's local agency."""
    approved: Container[str]
    """The notices whose letters may leave; others are held."""
    mailer: Mailer | None
    """Who mails, where the barcode is ours to draw."""
    clock: Clock

    async def count(self, batch_id: int) -> int:
        """How many letters the batch holds."""
        async with self.engine.connect() as connection:
            driver = await driver_connection(connection)
            counted: int = await driver.fetchval(_COUNT, batch_id)
        return counted

    async def parts(
        self, batch_id: int, day: date, size: int, held: MutableMapping[int, str]
    ) -> AsyncGenerator[list[DraftedLetter], None]:
        """The batch's letters dated `day`, `size` at a time and fewer at the end, in order.

        Those with no address that may be used, and those that cannot be drafted, are put into
        `held`, by delivery and reason.
        """
        waiting: list[DraftedLetter] = []
        last = 0
        while rows := await self._read(batch_id, last, size):
            last = rows[-1].row["id"]
            waiting += await asyncio.to_thread(self._drafted, rows, day, held)
            if len(waiting) >= size:
                yield waiting[:size]
                waiting = waiting[size:]
        if waiting:
            yield waiting

    async def _read(self, batch_id: int, after: int, most: int) -> "list[_Read]":
        async with self.engine.begin() as connection:
            driver = await driver_connection(connection)
            rows = await driver.fetch(_LETTERS, batch_id, after, most)
            readers = [_reader(row) for row in rows]
            addresses = await self.recipients.mail(connection, set(readers))
            found = [(row, addresses[reader]) for row, reader in zip(rows, readers, strict=True)]
            imbs = await self._imbs(driver, found)
        return [_Read(row, address, imbs.get(row["piece_id"])) for row, address in found]

    async def _imbs(
        self, driver: Any, found: Sequence[tuple[Any, PostalAddress | Unreachable]]
    ) -> Mapping[str, Imb]:
        if self.mailer is None:
            return {}
        addressed = [
            Addressed(row["piece_id"], address.zip5, address.zip4)
            for row, address in found
            if not isinstance(address, Unreachable)
        ]
        return await allocate(driver, self.mailer, addressed, self.clock())

    def _drafted(
        self, rows: "Sequence[_Read]", day: date, held: MutableMapping[int, str]
    ) -> list[DraftedLetter]:
        drafted = []
        for read in rows:
            delivery: int = read.row["delivery_id"]
            if read.row["notice"] not in self.approved:
                held[delivery] = UNAPPROVED
            elif isinstance(read.address, Unreachable):
                held[delivery] = read.address.reason
            elif any(refused(cell) for cell in _cells(read.address)):
                held[delivery] = "UNRENDERABLE"
            else:
                try:
                    letter = self._letter(read.row, read.address, read.imb, day)
                except (ConnectError, ValidationError, KeyError):
                    # One letter that cannot be drafted must not keep the others from leaving.
                    log.exception("letter_not_drafted", delivery=delivery)
                    held[delivery] = "UNRENDERABLE"
                else:
                    drafted.append(DraftedLetter(letter, delivery, read.address, read.imb))
        return drafted

    def _letter(self, row: Any, address: PostalAddress, imb: Imb | None, day: date) -> Letter:
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
            large=address.large_print,
            imb=imb.bars if imb else "",
        )
        return draft_letter(self.renderer, draft, self.return_address_of(address.county), day)


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


def _reader(row: Any) -> Reader:
    secret = row["notice"] in CATALOGUE and CATALOGUE[row["notice"]].carries_secret
    return Reader(row["participant_id"], row["contact_point_id"], secret)
