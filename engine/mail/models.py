"""The tables of the mail room: print batches, and the pieces in them."""

from datetime import date, datetime
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
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base


class PrintBatch(Base):
    """A day's letters: `open` gathers, `closing` is frozen, `stored` is known by its hash,
    `handed_over` is in the vendor's folder and was verified there.

    One batch at most is not yet handed over for each job; `name`, `bytes` and `sha256` are given
    once and never change.
    """

    __tablename__ = "print_batch"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'closing', 'stored', 'handed_over')", name="state"),
        CheckConstraint(
            "state IN ('open', 'closing') OR (sha256 IS NOT NULL AND bytes IS NOT NULL)",
            name="hash",
        ),
        Index(
            "uq_print_batch_open",
            "job",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        UniqueConstraint("job", "sequence"),
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


class PrintPiece(Base):
    """One delivery's letter in one batch; a delivery is in one batch at most, for ever."""

    __tablename__ = "print_piece"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    piece_id: Mapped[UUID] = mapped_column(unique=True, server_default=text("gen_random_uuid()"))
    batch_id: Mapped[int] = mapped_column(ForeignKey("print_batch.id"), index=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), unique=True)
    seq: Mapped[int | None]
    pages: Mapped[int | None]
    sheets: Mapped[int | None]
