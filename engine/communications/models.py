"""The tables of the engine: communications, their deliveries, and the events, append-only."""

from datetime import date, datetime
from typing import Any, Final
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

LOUD: Final = (
    "event NOT IN ('claimed', 'put_back', 'deferred', 'unknown')"
    " AND (changed OR event = 'complained')"
)
"""Which delivery events are told to others: not how workers fare with what stays owed, nor what
changed nothing, unless its reader complained."""
_XACT: Final = text("pg_current_xact_id()::text::bigint")


class Communication(Base):
    """An obligation: tell this participant this notice by this business day.

    `facts` are frozen when it is recorded, with the language and the version of the words; those
    of them that are personal are sealed apart, and so is the name in one notice of many.
    `route` is the ordered list of steps; `step` is the one that now carries the obligation.
    While it is `held`, it is the task of the desk in `given_to`. One that is to reach a certain
    contact point and no other, an old email address for one, names it. `subject` is what it is
    about, `appointment:42`, so that what is pending can be cancelled when that changes. One notice
    of many that were recorded together names their campaign.
    """

    __tablename__ = "communication"
    __table_args__ = (
        CheckConstraint("language IN ('en', 'es')", name="language"),
        CheckConstraint("urgency IN ('urgent', 'bulk')", name="urgency"),
        CheckConstraint("state IN ('owed', 'met', 'held', 'cancelled')", name="state"),
        Index(
            "ix_communication_unsettled_due_by",
            "due_by",
            postgresql_where=text("state IN ('owed', 'held')"),
        ),
        Index("ix_communication_subject", "subject", postgresql_where=text("subject IS NOT NULL")),
        Index(
            "ix_communication_campaign_id",
            "campaign_id",
            postgresql_where=text("campaign_id IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    notice: Mapped[str]
    participant_id: Mapped[int] = mapped_column(ForeignKey("participant.id"), index=True)
    language: Mapped[str]
    urgency: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    sealed_facts: Mapped[bytes | None]
    facts_key_id: Mapped[str | None]
    sealed_name: Mapped[bytes | None]
    name_key_id: Mapped[str | None]
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
    subject: Mapped[str | None]
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))


class Campaign(Base):
    """One notice to many. Nothing of one that is paused or cancelled is claimed by a worker."""

    __tablename__ = "campaign"
    __table_args__ = (CheckConstraint("state IN ('running', 'paused', 'cancelled')", name="state"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    notice: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'running'"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class CampaignRecording(Base):
    """What one run added to a campaign. The same content again has the same `digest`; a run that
    was read from no file has none."""

    __tablename__ = "campaign_recording"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    digest: Mapped[bytes | None] = mapped_column(index=True)
    recorded: Mapped[int]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Delivery(Base):
    """One attempt to meet a communication, on one channel.

    `due_by` is the channel's own promise, counted from the communication's original request.
    A lease is in the database's time. `secret` is sealed, and empty once the delivery is final.
    `sent_to` is the contact point an email went to: a bounce tells against that address, whatever
    is on file by then.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint("channel IN ('email', 'mail', 'inbox')", name="channel"),
        CheckConstraint("(secret IS NULL) = (secret_key_id IS NULL)", name="sealed"),
        UniqueConstraint("communication_id", "step", "channel"),
        # None of them hangs on `state`, nor on a lease: a claim writes its row anew in the same
        # page, and no index hears of it.
        Index(
            "ix_delivery_unfinished",
            "next_attempt_at",
            postgresql_where=text("final_at IS NULL"),
        ),
        Index(
            "ix_delivery_delayed",
            "reason",
            postgresql_where=text("final_at IS NULL AND reason IS NOT NULL"),
        ),
        Index(
            "ix_delivery_sent_to",
            "sent_to",
            postgresql_where=text("sent_to IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": 50}},
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
    sent_to: Mapped[int | None] = mapped_column(ForeignKey("contact_point.id"))
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("now()")
    )
    final_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class DeliveryEvent(Base):
    """One thing that happened to a delivery; the database refuses to change or remove it.

    `xact` is the transaction that wrote it, by which those are found that committed since; NULL
    from before there was a feed.
    """

    __tablename__ = "delivery_event"
    __table_args__ = (Index("ix_delivery_event_xact", "xact", postgresql_where=text(LOUD)),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), index=True)
    at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    event: Mapped[str]
    state: Mapped[str]
    changed: Mapped[bool]
    reason: Mapped[str | None]
    xact: Mapped[int | None] = mapped_column(BigInteger, server_default=_XACT)


class CommunicationEvent(Base):
    """What became of a promise, once for each step of a communication; append-only.

    `at_risk`: the day it is due is near, and it is not met. `promise_missed`: the channel of this
    step did not do it in its time. `breached`: the day the obligation was due by is over.
    """

    __tablename__ = "communication_event"
    __table_args__ = (
        CheckConstraint("event IN ('at_risk', 'promise_missed', 'breached')", name="event"),
        UniqueConstraint("communication_id", "step", "event"),
        Index("ix_communication_event_xact", "xact"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    communication_id: Mapped[int] = mapped_column(ForeignKey("communication.id"))
    step: Mapped[int]
    event: Mapped[str]
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str | None]
    xact: Mapped[int | None] = mapped_column(BigInteger, server_default=_XACT)


class BounceReport(Base):
    """What a report that came back said of a delivery, never its text; append-only. The same
    message again has the same `digest`."""

    __tablename__ = "bounce_report"
    __table_args__ = (
        CheckConstraint("kind IN ('hard', 'soft', 'complaint', 'none')", name="kind"),
        UniqueConstraint("delivery_id", "digest"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    kind: Mapped[str]
    status: Mapped[str | None]
    why: Mapped[str]
    digest: Mapped[bytes]
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
