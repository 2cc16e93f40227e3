"""The tables of applications: what is being written, what was put with it, what was submitted."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base


class ApplicationDraft(Base):
    """An application that is being written, or was; whose answers are gone once it was submitted.

    `protected` is set by the answer about safety, and no form takes it back.
    """

    __tablename__ = "application_draft"
    __table_args__ = (
        CheckConstraint("kind IN ('open', 'add_child')", name="kind"),
        Index("ix_application_draft_expires_at", "expires_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    kind: Mapped[str]
    protected: Mapped[bool] = mapped_column(server_default=text("false"))
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    submitted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ApplicationAnswer(Base):
    """The answers of one page, sealed. `version` counts its saves: whoever saves a page that
    another device has saved meanwhile is told."""

    __tablename__ = "application_answer"
    __table_args__ = (UniqueConstraint("draft_id", "slot", name="uq_application_answer_slot"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("application_draft.id"))
    slot: Mapped[str]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    sealed_values: Mapped[bytes]
    values_key_id: Mapped[str]
    saved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ApplicationUpload(Base):
    """A file that was put with an application: checked, made anew, and sealed. Once the application
    was submitted the database refuses to change or remove it."""

    __tablename__ = "application_upload"
    __table_args__ = (
        CheckConstraint(
            "media_type IN ('application/pdf', 'image/jpeg', 'image/png')", name="media_type"
        ),
        UniqueConstraint("draft_id", "sha256", name="uq_application_upload_content"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("application_draft.id"))
    kind: Mapped[str]
    media_type: Mapped[str]
    octets: Mapped[int]
    sha256: Mapped[str]
    sealed_content: Mapped[bytes]
    content_key_id: Mapped[str]
    uploaded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SubmittedApplication(Base):
    """What was submitted: one sealed record, which the database refuses to change or remove. It may
    be sealed anew under another key; `record_sha256` says whether it is still the same."""

    __tablename__ = "application"
    __table_args__ = (
        CheckConstraint("kind IN ('open', 'add_child')", name="kind"),
        CheckConstraint("number ~ '^[0-9]{12}$'", name="number"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    draft_id: Mapped[int] = mapped_column(ForeignKey("application_draft.id"), unique=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    kind: Mapped[str]
    language: Mapped[str]
    confidential: Mapped[bool]
    submitted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sealed_record: Mapped[bytes]
    record_key_id: Mapped[str]
    record_sha256: Mapped[str]


class ApplicationExport(Base):
    """That an application was written out for the case system, and into which file; append-only.
    Only what was asked for `again` is written out twice."""

    __tablename__ = "application_export"
    __table_args__ = (
        Index(
            "uq_application_export_first",
            "application_id",
            unique=True,
            postgresql_where=text("NOT again"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    application_id: Mapped[int] = mapped_column(ForeignKey("application.id"))
    file: Mapped[str]
    again: Mapped[bool]
    exported_by: Mapped[str]
    exported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
