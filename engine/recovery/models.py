"""The table of the recovery room: how far this database has come."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base


class DatabaseMark(Base):
    """One row. `beat` moves on every few seconds while workers work, and never goes back: where
    it is earlier than one that was seen, the database was restored from a backup.

    While it is held, nothing opens this database but `connect recover`.
    """

    __tablename__ = "database_mark"
    __table_args__ = (CheckConstraint("only_one", name="only_one"),)

    only_one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    beat: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    held_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    held_why: Mapped[str | None]
