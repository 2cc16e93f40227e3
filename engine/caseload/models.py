"""The tables of the caseload. History is kept: a contact point is superseded, never overwritten."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base


class Participant(Base):
    """A parent or guardian, known to the outside by the Participant ID Number alone."""

    __tablename__ = "participant"
    __table_args__ = (CheckConstraint("language IN ('en', 'es')", name="language"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    external_id: Mapped[str] = mapped_column(unique=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    language: Mapped[str]
    confidential: Mapped[bool] = mapped_column(server_default=text("false"))
    paperless: Mapped[bool] = mapped_column(server_default=text("false"))
    large_print: Mapped[bool] = mapped_column(server_default=text("false"))


class ContactPoint(Base):
    """One way to reach a participant. Current while `superseded_at` is empty.

    `safe_to_use` is the participant's own answer: nothing is ever sent to an unsafe one.
    `substitute` marks the address of a confidentiality programme (Cal. Gov. Code § 6205 ff.).
    `address_flags` are those of a mail address when it was read in, joined by a space; empty text
    where nothing is wrong, NULL where it has not been looked at.
    """

    __tablename__ = "contact_point"
    __table_args__ = (
        CheckConstraint("kind IN ('email', 'mail', 'phone')", name="kind"),
        CheckConstraint(
            "CASE kind WHEN 'email' THEN email IS NOT NULL WHEN 'phone' THEN phone IS NOT NULL"
            " ELSE addr1 IS NOT NULL AND city IS NOT NULL AND state IS NOT NULL"
            " AND zip5 IS NOT NULL END",
            name="complete",
        ),
        Index(
            "uq_contact_point_current",
            "participant_id",
            "kind",
            "substitute",
            unique=True,
            postgresql_where=text("superseded_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    kind: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    addr1: Mapped[str | None]
    addr2: Mapped[str | None]
    urbanization: Mapped[str | None]
    city: Mapped[str | None]
    state: Mapped[str | None]
    zip5: Mapped[str | None]
    zip4: Mapped[str | None]
    substitute: Mapped[bool] = mapped_column(server_default=text("false"))
    safe_to_use: Mapped[bool] = mapped_column(server_default=text("true"))
    verified_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    bounced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    returned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    address_flags: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    superseded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Case(Base):
    """A child-support case of a local agency."""

    __tablename__ = "support_case"
    __table_args__ = (CheckConstraint("status IN ('open', 'closed')", name="status"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    external_id: Mapped[str] = mapped_column(unique=True)
    county: Mapped[str]
    status: Mapped[str]
    opened_on: Mapped[date] = mapped_column(Date)


class CaseParty(Base):
    """A participant's role in a case: `payer` is ordered to pay, `payee` receives support."""

    __tablename__ = "case_party"
    __table_args__ = (CheckConstraint("role IN ('payer', 'payee')", name="role"),)

    case_id: Mapped[int] = mapped_column(ForeignKey("support_case.id"), primary_key=True)
    participant_id: Mapped[int] = mapped_column(
        ForeignKey("participant.id"), primary_key=True, index=True
    )
    role: Mapped[str]


class Payment(Base):
    """Money both ways: `made` by a participant, or `sent` to one."""

    __tablename__ = "payment"
    __table_args__ = (
        CheckConstraint("direction IN ('made', 'sent')", name="direction"),
        CheckConstraint("amount_cents > 0", name="amount"),
        Index("ix_payment_participant_paid_on", "participant_id", "paid_on"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    external_id: Mapped[str] = mapped_column(unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("support_case.id"), index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"))
    direction: Mapped[str]
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    method: Mapped[str]
    paid_on: Mapped[date] = mapped_column(Date)


class Appointment(Base):
    """A meeting at a local office, or a court date."""

    __tablename__ = "appointment"
    __table_args__ = (
        CheckConstraint("kind IN ('office', 'court')", name="kind"),
        CheckConstraint("status IN ('scheduled', 'cancelled')", name="status"),
        Index("ix_appointment_starts_at", "starts_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    external_id: Mapped[str] = mapped_column(unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("support_case.id"), index=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    kind: Mapped[str]
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    place: Mapped[str]
    status: Mapped[str]


class PinRequest(Base):
    """Somebody asked for a new PIN at *Forgot PIN?*; `participant_id` is empty where none matched.

    A row is written for every request, matched or not, and the worker does the rest: the answer,
    and the work before it, are the same for everyone. What was typed is not kept.
    """

    __tablename__ = "pin_request"
    __table_args__ = (
        CheckConstraint("method IN ('email', 'mail')", name="method"),
        CheckConstraint("language IN ('en', 'es')", name="language"),
        Index("ix_pin_request_unsettled", "id", postgresql_where=text("settled_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    participant_id: Mapped[int | None] = mapped_column(ForeignKey("participant.id"), index=True)
    method: Mapped[str]
    language: Mapped[str]
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    settled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[str | None]
