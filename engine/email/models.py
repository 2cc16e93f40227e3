"""What the workers know of the smarthosts."""

from datetime import datetime

from sqlalchemy import DateTime
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base


class SmarthostReport(Base):
    """How one smarthost stood for one worker when it last said so, in the database's time."""

    __tablename__ = "smarthost_report"

    worker: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    down_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answering: Mapped[bool]
    reason: Mapped[str | None]
    connections: Mapped[int]
    granted: Mapped[int | None]
