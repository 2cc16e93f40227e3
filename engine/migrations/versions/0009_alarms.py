"""Alarms of every kind, who was told of them, and what workers say of the smarthosts."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change. `print_alarm` stays: the version before writes it while this one runs."""
    op.create_table(
        "alarm",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
    )
    op.create_index(
        "uq_alarm_standing",
        "alarm",
        ["kind", "subject"],
        unique=True,
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.execute(
        "INSERT INTO alarm (kind, subject, detail, raised_at, cleared_at)"
        " SELECT kind, subject, detail, raised_at, cleared_at FROM print_alarm ORDER BY id"
    )
    op.create_table(
        "alarm_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("alarm_id", sa.BigInteger(), nullable=False),
        sa.Column("destination", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("event IN ('raised', 'cleared')", name=op.f("ck_alarm_message_event")),
        sa.ForeignKeyConstraint(
            ["alarm_id"], ["alarm.id"], name=op.f("fk_alarm_message_alarm_id_alarm")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_message")),
        sa.UniqueConstraint(
            "alarm_id",
            "destination",
            "event",
            name=op.f("uq_alarm_message_alarm_id_destination_event"),
        ),
    )
    op.create_index(
        "ix_alarm_message_unsent",
        "alarm_message",
        ["destination", "id"],
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.create_table(
        "smarthost_report",
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("down_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answering", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("connections", sa.Integer(), nullable=False),
        sa.Column("granted", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("worker", "host", name=op.f("pk_smarthost_report")),
    )
    op.create_index(
        "ix_delivery_put_off",
        "delivery",
        ["reason"],
        postgresql_where=sa.text("state = 'owed' AND reason IS NOT NULL"),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_delivery_put_off", table_name="delivery")
    op.drop_table("smarthost_report")
    op.drop_table("alarm_message")
    op.drop_table("alarm")
