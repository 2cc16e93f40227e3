"""Campaigns: one notice to many."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "campaign",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("notice", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'running'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('running', 'paused', 'cancelled')", name=op.f("ck_campaign_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("name", name=op.f("uq_campaign_name")),
    )
    op.create_table(
        "campaign_recording",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("recorded", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_campaign_recording_campaign_id_campaign"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_recording")),
    )
    op.create_index(
        op.f("ix_campaign_recording_campaign_id"), "campaign_recording", ["campaign_id"]
    )
    op.create_index(op.f("ix_campaign_recording_digest"), "campaign_recording", ["digest"])
    op.add_column("communication", sa.Column("campaign_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_communication_campaign_id_campaign"),
        "communication",
        "campaign",
        ["campaign_id"],
        ["id"],
    )
    op.create_index(
        "ix_communication_campaign_id",
        "communication",
        ["campaign_id"],
        postgresql_where=sa.text("campaign_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_communication_campaign_id", table_name="communication")
    op.drop_constraint(op.f("fk_communication_campaign_id_campaign"), "communication")
    op.drop_column("communication", "campaign_id")
    op.drop_table("campaign_recording")
    op.drop_table("campaign")
