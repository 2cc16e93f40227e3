"""The tables of the security room: PIN credentials."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, text
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
