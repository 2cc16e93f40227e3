"""Alarms, and who was told of them."""

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


class RaisedAlarm(Base):
    """Something that a person must look at, from when to when; it stands until it is cleared."""

    __tablename__ = "alarm"
    __table_args__ = (
        Index(
            "uq_alarm_standing",
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


class AlarmMessage(Base):
    """One message about an alarm to one place, `webhook` or an address; once each."""

    __tablename__ = "alarm_message"
    __table_args__ = (
        CheckConstraint("event IN ('raised', 'cleared')", name="event"),
        UniqueConstraint("alarm_id", "destination", "event"),
        Index(
            "ix_alarm_message_unsent", "destination", "id", postgresql_where=text("sent_at IS NULL")
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    alarm_id: Mapped[int] = mapped_column(ForeignKey("alarm.id"))
    destination: Mapped[str]
    event: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_attempt_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
