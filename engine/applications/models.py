"""The tables of the applications room: accounts of those who apply, and the links sent to them."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base


class Applicant(Base):
    """An account by username and password, apart from every PIN. What is sent to it goes to a row
    of `participant` that no case system knows, and that no PIN lets in.

    Username and email address are looked up by keyed tags; the username itself is sealed. Until it
    is confirmed an account reserves neither: somebody else may have entered them.
    """

    __tablename__ = "applicant"
    __table_args__ = (
        Index(
            "uq_applicant_username",
            "username_tag",
            unique=True,
            postgresql_where=text("confirmed_at IS NOT NULL"),
        ),
        Index(
            "uq_applicant_email",
            "email_tag",
            unique=True,
            postgresql_where=text("confirmed_at IS NOT NULL"),
        ),
        Index("ix_applicant_registered_at", "registered_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), unique=True)
    username_tag: Mapped[str]
    sealed_username: Mapped[bytes]
    username_key_id: Mapped[str]
    email_tag: Mapped[str]
    password_hash: Mapped[str]
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ApplicantLink(Base):
    """A link that was sent to an applicant's email address, as a hash of its token; it works once.

    `confirm` proves the address of a new account, `reset` lets its owner choose another password.
    """

    __tablename__ = "applicant_link"
    __table_args__ = (CheckConstraint("purpose IN ('confirm', 'reset')", name="purpose"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    applicant_id: Mapped[int] = mapped_column(ForeignKey("applicant.id"), index=True)
    purpose: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
