"""The tables of the security room: PINs, sessions, how sign-in stands, and the audit trail."""

from datetime import date, datetime
from typing import Any

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


class PinCredential(Base):
    """A PIN as an Argon2id hash with a pepper; never the PIN itself.

    A temporary one is single use: it lives from its delivery until `expires_at`, and is void as
    soon as a newer one is issued.
    """

    __tablename__ = "pin_credential"
    __table_args__ = (
        CheckConstraint("kind IN ('temporary', 'chosen')", name="kind"),
        Index(
            "uq_pin_credential_live",
            "participant_id",
            "kind",
            unique=True,
            postgresql_where=text("voided_at IS NULL AND used_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    kind: Mapped[str]
    hash: Mapped[str]
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"), index=True)
    issued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    voided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class PortalSession(Base):
    """A browser that is signed in. The database holds a hash of the token, never the token.

    At stage `pin_change` the reader came in with a temporary PIN and may only change it; at
    `applicant` with a username and a password, to the application site alone. It ends
    at `ends_at` whatever happens, and earlier when nothing was asked for a while after `seen_at`,
    or when the PIN it was opened with, `credential_id`, works no more.
    """

    __tablename__ = "portal_session"
    __table_args__ = (
        CheckConstraint("stage IN ('pin_change', 'full', 'applicant')", name="stage"),
        Index(
            "ix_portal_session_live", "participant_id", postgresql_where=text("ended_at IS NULL")
        ),
        Index("ix_portal_session_ends_at", "ends_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"))
    credential_id: Mapped[int | None] = mapped_column(ForeignKey("pin_credential.id"))
    stage: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SignInStanding(Base):
    """How sign-in stands for one Participant ID Number, known or not, under a keyed tag of it.

    What was typed is not kept: a Social Security Number may be among it. `tell` asks a worker to
    send `sign_in_locked` to the participant, where there is one. `tries` counts what was typed
    since `tries_since` while the number was locked: a temporary PIN works through a lock, but not
    through endless guessing.
    """

    __tablename__ = "sign_in_standing"
    __table_args__ = (
        Index("ix_sign_in_standing_tell", "tag", postgresql_where=text("tell")),
        Index("ix_sign_in_standing_failed_at", "failed_at"),
    )

    tag: Mapped[str] = mapped_column(primary_key=True)
    participant_id: Mapped[int | None] = mapped_column(ForeignKey("participant.id"), index=True)
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    locks: Mapped[int] = mapped_column(server_default=text("0"))
    failed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    locked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    tries: Mapped[int] = mapped_column(server_default=text("0"))
    tries_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    tell: Mapped[bool] = mapped_column(server_default=text("false"))
    told_on: Mapped[date | None] = mapped_column(Date)


class AuditEntry(Base):
    """Who did what, when and from where; each entry holds the hash of the one before it.

    `actor` reads `participant:<id>`, `staff:<account>`, `api:<key>` or `system`; `details`
    never hold the value of a secret or of a contact. The database refuses to change an entry.
    """

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    actor: Mapped[str]
    participant_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    act: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    network: Mapped[str | None]
    previous: Mapped[bytes]
    hash: Mapped[bytes]
