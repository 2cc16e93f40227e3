"""The tables of the mail room: print batches, their pieces, and what the vendor says of them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base


class PrintBatch(Base):
    """A day's letters: `open` gathers, `closing` is frozen, `stored` is known by its hash,
    `handed_over` is in the vendor's drop and was verified there. `replacing` holds the letters of
    a batch that the vendor rejected, until the next close.

    One batch at most is not yet handed over for each job; `name`, `bytes` and `sha256` are given
    once and never change.
    """

    __tablename__ = "print_batch"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open', 'replacing', 'closing', 'stored', 'handed_over')", name="state"
        ),
        CheckConstraint(
            "state IN ('open', 'replacing', 'closing')"
            " OR (sha256 IS NOT NULL AND bytes IS NOT NULL)",
            name="hash",
        ),
        Index(
            "uq_print_batch_open",
            "job",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        UniqueConstraint("job", "env", "sequence"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    job: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'open'"))
    sequence: Mapped[int | None]
    name: Mapped[str | None] = mapped_column(unique=True)
    previous_name: Mapped[str | None]
    opened_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    document_date: Mapped[date | None] = mapped_column(Date)
    mail_by: Mapped[date | None] = mapped_column(Date)
    pieces: Mapped[int | None]
    pages: Mapped[int | None]
    sheets: Mapped[int | None]
    bytes: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[str | None]
    handed_over_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    env: Mapped[str | None]
    purge_by: Mapped[date | None] = mapped_column(Date)
    supersedes: Mapped[str | None]
    piece_ids_sha256: Mapped[str | None]
    held_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    released_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    trouble: Mapped[str | None]


class PrintPiece(Base):
    """One delivery's letter in one batch. A delivery has one piece that counts; those of a batch
    that the vendor rejected stay on record as `superseded`. A proof's piece has no delivery.

    `contact_point` and `confidential` are of the address it was printed with; `status` is the last
    stop of its route at the vendor's.
    """

    __tablename__ = "print_piece"
    __table_args__ = (
        UniqueConstraint("batch_id", "delivery_id"),
        Index(
            "uq_print_piece_delivery",
            "delivery_id",
            unique=True,
            postgresql_where=text("NOT superseded"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    piece_id: Mapped[UUID] = mapped_column(unique=True, server_default=text("gen_random_uuid()"))
    batch_id: Mapped[int] = mapped_column(ForeignKey("print_batch.id"), index=True)
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))
    seq: Mapped[int | None]
    pages: Mapped[int | None]
    sheets: Mapped[int | None]
    superseded: Mapped[bool] = mapped_column(server_default=text("false"))
    contact_point: Mapped[int | None] = mapped_column(BigInteger)
    confidential: Mapped[bool] = mapped_column(server_default=text("false"))
    imb31: Mapped[str | None]
    status: Mapped[str | None]


class PrintFile(Base):
    """A file that came from the vendor, by its name and hash: applied, or quarantined and why."""

    __tablename__ = "print_file"
    __table_args__ = (
        CheckConstraint("result IN ('applied', 'quarantined')", name="result"),
        UniqueConstraint("name", "sha256"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    sha256: Mapped[str]
    kind: Mapped[str | None]
    number: Mapped[int | None]
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("print_batch.id"), index=True)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    result: Mapped[str]
    reason: Mapped[str | None]


class PrintAnswer(Base):
    """What the vendor says of a whole batch: its ack, and its final, as they were read."""

    __tablename__ = "print_answer"
    __table_args__ = (CheckConstraint("kind IN ('ack', 'final')", name="kind"),)

    batch_id: Mapped[int] = mapped_column(ForeignKey("print_batch.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PieceEvent(Base):
    """One stop on a piece's route, as the vendor told it; the database refuses to change it."""

    __tablename__ = "piece_event"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    event_id: Mapped[str] = mapped_column(unique=True)
    piece: Mapped[int] = mapped_column(ForeignKey("print_piece.id"), index=True)
    status: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str | None]
    sheets: Mapped[int | None]
    reprint_of: Mapped[str | None]
    ncoa_code: Mapped[str | None]
    file_id: Mapped[int | None] = mapped_column(ForeignKey("print_file.id"))


class PrintOrder(Base):
    """An order to the vendor to take pieces out of a batch, or to make them again."""

    __tablename__ = "print_order"
    __table_args__ = (
        CheckConstraint("action IN ('cancel', 'reprint')", name="action"),
        UniqueConstraint("batch_id", "number"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("print_batch.id"))
    number: Mapped[int]
    action: Mapped[str]
    reason: Mapped[str]
    ordered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sha256: Mapped[str | None]
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class OrderedPiece(Base):
    """A piece that an order names."""

    __tablename__ = "ordered_piece"

    order_id: Mapped[int] = mapped_column(ForeignKey("print_order.id"), primary_key=True)
    piece: Mapped[int] = mapped_column(ForeignKey("print_piece.id"), primary_key=True, index=True)


class PrintProof(Base):
    """A template as it was shown to the vendor in a proof, and who approved it, and when."""

    __tablename__ = "print_proof"
    __table_args__ = (UniqueConstraint("proof_id", "template_id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    proof_id: Mapped[str]
    template_id: Mapped[str]
    version: Mapped[str]
    sha256: Mapped[str] = mapped_column(index=True)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    approved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    approved_by: Mapped[str | None]


class ImbRange(Base):
    """Numbers given out for the Intelligent Mail barcode of a mailer id, and when."""

    __tablename__ = "imb_range"

    mailer_id: Mapped[str] = mapped_column(primary_key=True)
    first_number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    last_number: Mapped[int] = mapped_column(BigInteger)
    taken_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PrintAlarm(Base):
    """Where the version before wrote its alarms: while two versions are at work on one database it
    still does. What stood was carried over into `alarm`; the next release drops this table."""

    __tablename__ = "print_alarm"
    __table_args__ = (
        Index(
            "uq_print_alarm_standing",
            "kind",
            "subject",
            unique=True,
            postgresql_where=text("cleared_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[str]
    raised_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    cleared_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class OperatorAct(Base):
    """What a person did by hand, who, when and why; the database refuses to change it."""

    __tablename__ = "operator_act"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    who: Mapped[str]
    act: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    why: Mapped[str]
