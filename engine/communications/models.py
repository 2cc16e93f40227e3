"""The tables of the engine: communications, their deliveries, and the events, append-only."""

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

from engine.communications.states import State
from engine.database import Base

_STATES = ", ".join(f"'{state}'" for state in State)


class Communication(Base):
    """An obligation: tell this participant this notice by this business day.

    `facts` are frozen when it is recorded, with the language and the version of the words.
    `route` is the ordered list of steps; `step` is the one that now carries the obligation.
    While it is `held`, it is the task of the desk in `given_to`. One that is to reach a certain
    contact point and no other, an old email address for one, names it.
    """

    __tablename__ = "communication"
    __table_args__ = (
        CheckConstraint("language IN ('en', 'es')", name="language"),
        CheckConstraint("urgency IN ('urgent', 'bulk')", name="urgency"),
        CheckConstraint("state IN ('owed', 'met', 'held', 'cancelled')", name="state"),
        Index("ix_communication_state_due_by", "state", "due_by"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    notice: Mapped[str]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    language: Mapped[str]
    urgency: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    template_version: Mapped[str]
    route: Mapped[list[Any]] = mapped_column(JSONB)
    step: Mapped[int] = mapped_column(server_default=text("0"))
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    due_by: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(server_default=text("'owed'"))
    recorded_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    met_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    given_to: Mapped[str | None]
    contact_point_id: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"))


class Delivery(Base):
    """One attempt to meet a communication, on one channel.

    `due_by` is the channel's own promise, counted from the communication's original request.
    A lease is in the database's time. `secret` is sealed, and empty once the delivery is final.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint("channel IN ('email', 'mail', 'inbox')", name="channel"),
        CheckConstraint("(secret IS NULL) = (secret_key_id IS NULL)", name="sealed"),
        UniqueConstraint("communication_id", "step", "channel"),
        Index(
            "ix_delivery_due",
            "next_attempt_at",
            postgresql_where=text("state IN ('owed', 'sending')"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    communication_id: Mapped[int] = mapped_column(ForeignKey("communication.id"))
    step: Mapped[int]
    channel: Mapped[str]
    meets_obligation: Mapped[bool] = mapped_column(server_default=text("true"))
    due_by: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(server_default=text("'owed'"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_attempt_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    rung_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    lease_token: Mapped[UUID | None]
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    secret: Mapped[bytes | None]
    secret_key_id: Mapped[str | None]
    reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    final_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class DeliveryEvent(Base):
    """One thing that happened to a delivery; the database refuses to change or remove it."""

    __tablename__ = "delivery_event"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), index=True)
    at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    event: Mapped[str]
    state: Mapped[str]
    changed: Mapped[bool]
    reason: Mapped[str | None]
