"""The feed: one row for each event that is told, and how far it has come."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base


class FeedEvent(Base):
    """One event at its place in the feed; never changed. It names one row of `delivery_event` or of
    `communication_event`; `communication_state` is how the communication stood when it was
    numbered."""

    __tablename__ = "feed_event"
    __table_args__ = (
        CheckConstraint(
            "(delivery_event_id IS NULL) <> (communication_event_id IS NULL)", name="of_one"
        ),
        Index("ix_feed_event_of_communication", "communication_id", "position"),
        Index("ix_feed_event_of_notice", "notice", "position"),
    )

    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    communication_id: Mapped[int] = mapped_column(BigInteger)
    notice: Mapped[str]
    communication_state: Mapped[str]
    delivery_event_id: Mapped[int | None] = mapped_column(BigInteger)
    communication_event_id: Mapped[int | None] = mapped_column(BigInteger)


class FeedHead(Base):
    """How far the feed has come: one row.

    `position` is the last that was given out, `removed_to` the last that was removed. Numbered is
    what was committed in `snapshot`, of the server whose identifier is `cluster`; events up to the
    `…_after` ids came from another server, and their transactions' numbers mean nothing here.
    """

    __tablename__ = "feed_head"
    __table_args__ = (CheckConstraint("only_one", name="only_one"),)

    only_one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    position: Mapped[int] = mapped_column(BigInteger)
    removed_to: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    snapshot: Mapped[str]
    cluster: Mapped[int] = mapped_column(BigInteger)
    delivery_events_after: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    communication_events_after: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    numbered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
