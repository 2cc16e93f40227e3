"""A whole batch of sample letters, built and sealed as the mail room does it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from engine.mail.archive import ArchiveWriter, BatchFacts, part_file
from engine.mail.composing import ComposedPart, PiecePages, compose_part
from engine.mail.contract import BatchName, Done, Manifest, Template, sha256
from engine.mail.index import IndexRow
from engine.mail.letters import Letter
from engine.mail.openpgp import Certificate, KeyPair, SecretKey, generate_key_pair, seal
from tests.mail.sample_letters import SPANISH_APPOINTMENT, both, letter, long

DAY = date(2026, 11, 23)
NAME = BatchName("ccss", "test", "letters", DAY, 1)
NOW = datetime(2026, 11, 24, 1, 30, tzinfo=UTC)
FACTS = BatchFacts(
    name=NAME,
    sequence=1,
    previous_batch_id=None,
    created_at=NOW,
    mail_by=date(2026, 11, 25),
    purge_by=date(2027, 1, 11),
    templates=(Template(id="temporary_pin", version="1", sha256="0" * 64),),
)


@dataclass(frozen=True)
class Archive:
    """A batch in the clear."""

    manifest: Manifest
    content: bytes


def build_archive(
    facts: BatchFacts, parts: Sequence[ComposedPart], rows: Sequence[IndexRow]
) -> Archive:
    """What an ArchiveWriter writes of `parts`, whose rows are in `rows`."""
    content = io.BytesIO()
    writer = ArchiveWriter(content)
    for part in parts:
        file = writer.next_part()
        writer.add(part, [row for row in rows if row.part_file == file])
    return Archive(writer.finish(facts), content.getvalue())


@dataclass(frozen=True)
class Keys:
    """Who seals and who opens, in a test."""

    vendor: KeyPair
    signer: KeyPair


@cache
def keys() -> Keys:
    """One vendor and one signer for the whole run."""
    return Keys(
        vendor=generate_key_pair("Sample vendor <print@vendor.example>"),
        signer=generate_key_pair("Sample agency <print@agency.example>"),
    )


def letters() -> list[Letter]:
    """One sheet, two languages, three sheets, one sheet."""
    return [
        letter(piece_id="piece-a"),
        both(piece_id="piece-b"),
        letter(long(times=40), piece_id="piece-c", name="José Peña"),
        letter(SPANISH_APPOINTMENT, piece_id="piece-d", addr2="", zip4=""),
    ]


def rows(parts: Sequence[ComposedPart], sources: Sequence[Letter]) -> list[IndexRow]:
    """The index of `parts`, made of `sources`."""
    by_id = {source.piece_id: source for source in sources}
    return [
        _row(part_file(number), piece, by_id[piece.piece_id])
        for number, part in enumerate(parts, 1)
        for piece in part.pieces
    ]


def _row(part: str, piece: PiecePages, source: Letter) -> IndexRow:
    to = source.recipient
    return IndexRow(
        seq=piece.seq,
        piece_id=piece.piece_id,
        part_file=part,
        first_page=piece.first_page,
        page_count=piece.page_count,
        sheet_count=piece.sheet_count,
        template_id=source.template_id,
        template_version=source.template_version,
        lang=source.language,
        mail_class="first_class",
        name=to.name,
        urbanization=to.urbanization,
        addr1=to.addr1,
        addr2=to.addr2,
        city=to.city,
        state=to.state,
        zip5=to.zip5,
        zip4=to.zip4,
        address_flags="",
        imb31="",
        sheet_mark=piece.sheet_marks[0],
    )


@cache
def archive() -> Archive:
    """The sample letters in two parts."""
    first, second = letters()[:2], letters()[2:]
    one = compose_part(first, batch_id=str(NAME), document_date=DAY)
    two = compose_part(second, batch_id=str(NAME), document_date=DAY, first_seq=3)
    return build_archive(FACTS, [one, two], rows([one, two], letters()))


def deliver(folder: Path, content: bytes, batch: Archive | None = None) -> None:
    """Write the batch's files, with `content` as its archive, whatever that is."""
    signer = SecretKey.read(keys().signer.secret, name="signer")
    recipient = Certificate.read(keys().vendor.certificate, name="vendor")
    message = seal(content, signer=signer, recipient=recipient, now=datetime.now(UTC))
    manifest = (batch or archive()).manifest
    name = f"{manifest.batch_id}.zip.pgp"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(message)
    (folder / f"{name}.sha256").write_text(f"{sha256(message)}  {name}\n")
    done = Done(
        batch_id=manifest.batch_id,
        bytes=len(message),
        sha256=sha256(message),
        pieces=manifest.totals.pieces,
        sheets=manifest.totals.sheets,
    )
    (folder / f"{manifest.batch_id}.done").write_bytes(done.to_json())
