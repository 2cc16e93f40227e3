"""The tables of the retention room."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base


class LegalHold(Base):
    """Nothing about this participant, or about any party of this case, is removed until it is
    lifted. The view `held_participant` says who that is."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        CheckConstraint("(participant_id IS NULL) <> (case_id IS NULL)", name="of_one"),
        CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="lifted"),
        Index(
            "uq_legal_hold_participant",
            "participant_id",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
        ),
        Index(
            "uq_legal_hold_case",
            "case_id",
            unique=True,
            postgresql_where=text("lifted_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    participant_id: Mapped[int | None] = mapped_column(ForeignKey("participant.id"))
    case_id: Mapped[int | None] = mapped_column(ForeignKey("support_case.id"))
    why: Mapped[str]
    placed_by: Mapped[str]
    placed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    lifted_by: Mapped[str | None]
    lifted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
