"""Reminders, their calendar files, and who does without them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Whoever moves, relocates or cancels an appointment, the case system's import too, raises the
# number by which a calendar tells a newer entry from an older one (RFC 5545, 3.8.7.4).
_COUNT_CHANGES = """
CREATE FUNCTION count_appointment_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.calendar_sequence := OLD.calendar_sequence + 1;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Apply the change."""
    op.add_column(
        "appointment",
        sa.Column("calendar_sequence", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.execute(_COUNT_CHANGES)
    op.execute(
        "CREATE TRIGGER change_counted BEFORE UPDATE ON appointment FOR EACH ROW "
        "WHEN (ROW(OLD.starts_at, OLD.place, OLD.status) "
        "IS DISTINCT FROM ROW(NEW.starts_at, NEW.place, NEW.status)) "
        "EXECUTE FUNCTION count_appointment_change()"
    )
    op.create_table(
        "reminder_choice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.CheckConstraint("via IN ('link', 'profile')", name=op.f("ck_reminder_choice_via")),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_reminder_choice_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_choice")),
    )
    op.create_index("ix_reminder_choice_latest", "reminder_choice", ["participant_id", "id"])
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON reminder_choice "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("reminder_choice")
    op.execute("DROP TRIGGER change_counted ON appointment")
    op.execute("DROP FUNCTION count_appointment_change()")
    op.drop_column("appointment", "calendar_sequence")
