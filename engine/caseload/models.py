"""The tables of the caseload. History is kept: a contact point is superseded, never overwritten."""

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
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base


class Participant(Base):
    """A parent or guardian, known to the outside by the Participant ID Number alone.

    `imported_language` and `imported_paperless` are what the case system said last: what the
    participant chose since stands until it says something else. Their names are sealed; a row from
    before that has them in the clear until `connect keys rotate` passes it.
    """

    __tablename__ = "participant"
    __table_args__ = (CheckConstraint("language IN ('en', 'es')", name="language"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    external_id: Mapped[str] = mapped_column(unique=True)
    first_name: Mapped[str | None]
    last_name: Mapped[str | None]
    sealed_name: Mapped[bytes | None]
    name_key_id: Mapped[str | None]
    name_fingerprint: Mapped[bytes | None]
    language: Mapped[str]
    confidential: Mapped[bool] = mapped_column(server_default=text("false"))
    paperless: Mapped[bool] = mapped_column(server_default=text("false"))
    large_print: Mapped[bool] = mapped_column(server_default=text("false"))
    imported_language: Mapped[str | None]
    imported_paperless: Mapped[bool | None]


class ContactPoint(Base):
    """One way to reach a participant. Current while `superseded_at` is empty. What is in it is
    sealed, all of it in one; see `engine.caseload.personal`.

    `safe_to_use` is the participant's own answer: nothing is ever sent to an unsafe one.
    `substitute` marks the address of a confidentiality programme (Cal. Gov. Code § 6205 ff.).
    `address_flags` are those of a mail address when it was read in, joined by a space; empty text
    where nothing is wrong, NULL where it has not been looked at. One that the participant changed
    by themselves is new to us: until it is proved, waited for, or vouched for by a caseworker at
    `vouched_at`, no PIN is sent there. `told` says that an older contact was told of it; without
    that only a caseworker's word makes it one for PINs. `own_answer` marks an answer about safety
    that the participant gave in the portal.
    """

    __tablename__ = "contact_point"
    __table_args__ = (
        CheckConstraint("kind IN ('email', 'mail', 'phone')", name="kind"),
        CheckConstraint("changed_by IN ('case_system', 'participant')", name="changed_by"),
        CheckConstraint(
            "sealed IS NOT NULL OR CASE kind WHEN 'email' THEN email IS NOT NULL"
            " WHEN 'phone' THEN phone IS NOT NULL ELSE addr1 IS NOT NULL AND city IS NOT NULL"
            " AND state IS NOT NULL AND zip5 IS NOT NULL END",
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
    sealed: Mapped[bytes | None]
    sealed_key_id: Mapped[str | None]
    fingerprint: Mapped[bytes | None]
    substitute: Mapped[bool] = mapped_column(server_default=text("false"))
    safe_to_use: Mapped[bool] = mapped_column(server_default=text("true"))
    verified_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    bounced_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    returned_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    address_flags: Mapped[str | None]
    changed_by: Mapped[str] = mapped_column(server_default=text("'case_system'"))
    vouched_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    told: Mapped[bool] = mapped_column(server_default=text("true"))
    own_answer: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    superseded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ContactSuppression(Base):
    """Why nothing more is sent to a contact point: the evidence, append-only."""

    __tablename__ = "contact_suppression"
    __table_args__ = (
        CheckConstraint(
            "cause IN ('hard_bounce', 'soft_bounces', 'refused', 'complaint', 'returned')",
            name="cause",
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_point.id"), index=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    cause: Mapped[str]
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"))
    reason: Mapped[str | None]


class ConsentText(Base):
    """What a participant is shown, or has read out, before they consent: kept once, word for word,
    under its hash; append-only."""

    __tablename__ = "consent_text"
    __table_args__ = (CheckConstraint("language IN ('en', 'es')", name="language"),)

    version: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str]
    words: Mapped[str]
    first_shown_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Consent(Base):
    """Consent to eCommunications, given or withdrawn; append-only, and never truncated.

    `proof` says by what was made sure that the participant can open our documents. Of what the case
    system says we know neither the words nor the address.
    """

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint("action IN ('given', 'withdrawn')", name="action"),
        CheckConstraint("how IN ('web', 'phone', 'caseworker', 'case_system')", name="how"),
        CheckConstraint("(how IN ('phone', 'caseworker')) = (staff IS NOT NULL)", name="staff"),
        CheckConstraint(
            "action = 'withdrawn' OR how = 'case_system'"
            " OR (text_version IS NOT NULL AND contact_point_id IS NOT NULL)",
            name="shown",
        ),
        Index("ix_consent_participant", "participant_id", "at", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"))
    action: Mapped[str]
    text_version: Mapped[str | None] = mapped_column(ForeignKey("consent_text.version"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    how: Mapped[str]
    staff: Mapped[str | None]
    proof: Mapped[dict[str, Any]] = mapped_column(JSONB)
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"))


class ConsentSample(Base):
    """A sample document that prints a code to be typed back, for one attempt to enrol.

    The code itself is not kept: it is derived from `nonce` under a key that is not in the database.
    """

    __tablename__ = "consent_sample"
    __table_args__ = (
        CheckConstraint("language IN ('en', 'es')", name="language"),
        Index("ix_consent_sample_participant", "participant_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"))
    text_version: Mapped[str] = mapped_column(ForeignKey("consent_text.version"))
    language: Mapped[str]
    nonce: Mapped[bytes]
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    opened_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    wrong: Mapped[int] = mapped_column(server_default=text("0"))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


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
    """A meeting at a local office, or a court date. A trigger counts in `calendar_sequence` how
    often its hour, its place or its status changed."""

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
    calendar_sequence: Mapped[int] = mapped_column(server_default=text("0"))


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


class EmailConfirmation(Base):
    """A link that proves an email address, as a hash of its token; it works once."""

    __tablename__ = "email_confirmation"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_point.id"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Account(Base):
    """What is ordered in a case by the month, and what of it is still owed, as of a day."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('child_support', 'medical_support', 'spousal_support')", name="kind"
        ),
        CheckConstraint("monthly_cents >= 0 AND balance_cents >= 0", name="amounts"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    external_id: Mapped[str] = mapped_column(unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("support_case.id"), index=True)
    kind: Mapped[str]
    monthly_cents: Mapped[int] = mapped_column(BigInteger)
    balance_cents: Mapped[int] = mapped_column(BigInteger)
    as_of: Mapped[date] = mapped_column(Date)


class AppointmentAnswer(Base):
    """What a participant answered to an appointment at the hour it then had; the last one counts.

    One that is moved is to be answered anew.
    """

    __tablename__ = "appointment_answer"
    __table_args__ = (CheckConstraint("answer IN ('confirmed', 'reschedule')", name="answer"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    answer: Mapped[str]
    wish: Mapped[str | None]
    sealed_wish: Mapped[bytes | None]
    wish_key_id: Mapped[str | None]
    answered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class CaseworkerMessage(Base):
    """One message between a participant and the caseworker of a case; a reply names its question.

    `reply_due` is the day by which a participant's message is to be answered.
    """

    __tablename__ = "caseworker_message"
    __table_args__ = (
        CheckConstraint("author IN ('participant', 'caseworker')", name="author"),
        CheckConstraint("(author = 'caseworker') = (staff IS NOT NULL)", name="staff"),
        Index("ix_caseworker_message_participant", "participant_id", "case_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("support_case.id"), index=True)
    author: Mapped[str]
    staff: Mapped[str | None]
    body: Mapped[str | None]
    sealed_body: Mapped[bytes | None]
    body_key_id: Mapped[str | None]
    written_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reply_due: Mapped[date | None] = mapped_column(Date)
    answers_id: Mapped[int | None] = mapped_column(ForeignKey("caseworker_message.id"), index=True)
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class OtherPartyReport(Base):
    """What a participant reported about the other party of a case, for the caseworker alone."""

    __tablename__ = "other_party_report"
    __table_args__ = (
        Index("ix_other_party_report_unread", "id", postgresql_where=text("read_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("support_case.id"), index=True)
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    sealed_facts: Mapped[bytes | None]
    facts_key_id: Mapped[str | None]
    reported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    read_by: Mapped[str | None]


class Submission(Base):
    """A form that was acted on: the same one sent twice changes nothing twice."""

    __tablename__ = "submission"

    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), primary_key=True)
    form: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


class ReminderChoice(Base):
    """Whether a participant wants reminders of appointments by email; append-only, the last one
    counts, and who never chose wants them. `link` is the one in such an email (RFC 8058)."""

    __tablename__ = "reminder_choice"
    __table_args__ = (
        CheckConstraint("via IN ('link', 'profile')", name="via"),
        Index("ix_reminder_choice_latest", "participant_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    wanted: Mapped[bool]
    via: Mapped[str]
