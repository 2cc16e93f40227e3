"""Webhook endpoints, and the secrets that what is posted to them is signed with."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base


class WebhookEndpoint(Base):
    """A URL to which the feed is posted, in its order.

    `position` is the last that was taken there; what was offered up to `offered_to` and not taken
    is offered again as the same message. `failing_since` is when the first of `failures` in a row
    was. It is disabled as `dead` after too long, `gone` after a 410, or because somebody `asked`.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (
        CheckConstraint("disabled_why IN ('dead', 'gone', 'asked')", name="disabled_why"),
        CheckConstraint("(disabled_at IS NULL) = (disabled_why IS NULL)", name="disabled"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    url: Mapped[str]
    notices: Mapped[list[str] | None] = mapped_column(ARRAY(Text()))
    position: Mapped[int] = mapped_column(BigInteger)
    offered_to: Mapped[int | None] = mapped_column(BigInteger)
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    failing_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    next_attempt_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_answer: Mapped[str | None]
    taken_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    lease_token: Mapped[UUID | None]
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    disabled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    disabled_why: Mapped[str | None]
    added_by: Mapped[str]
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class WebhookSecret(Base):
    """A signing secret, sealed. One that was rotated away signs besides until `ends_at`."""

    __tablename__ = "webhook_secret"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoint.id"), index=True)
    sealed: Mapped[bytes]
    sealed_key_id: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
