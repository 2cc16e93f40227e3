"""The tables of the inbox: documents, each kept once by the hash of its bytes."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base


class Document(Base):
    """One notice in a participant's inbox. Its bytes are in the store, under `sha256`, for ever
    the same; unread while `opened_at` is empty. Of an unread one its reader is reminded once."""

    __tablename__ = "document"
    __table_args__ = (
        CheckConstraint("language IN ('en', 'es')", name="language"),
        Index("ix_document_participant", "participant_id", "posted_at"),
        Index(
            "ix_document_unopened",
            "participant_id",
            "posted_at",
            postgresql_where=text("opened_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"))
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), unique=True)
    notice: Mapped[str]
    language: Mapped[str]
    template_version: Mapped[str]
    sha256: Mapped[str] = mapped_column(index=True)
    bytes: Mapped[int]
    pages: Mapped[int]
    posted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    opened_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reminded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
