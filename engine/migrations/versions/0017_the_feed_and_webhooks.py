"""The ordered feed of events, and webhook endpoints that it is posted to."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    # The default comes after the column: no row of the past is written anew, none is in the feed.
    for table in ("delivery_event", "communication_event"):
        op.add_column(table, sa.Column("xact", sa.BigInteger(), nullable=True))
    op.execute(
        "ALTER TABLE delivery_event ALTER COLUMN xact "
        "SET DEFAULT pg_current_xact_id()::text::bigint"
    )
    op.execute(
        "ALTER TABLE communication_event ALTER COLUMN xact "
        "SET DEFAULT pg_current_xact_id()::text::bigint"
    )
    op.create_index(
        "ix_delivery_event_xact",
        "delivery_event",
        ["xact"],
        postgresql_where=sa.text(
            "event NOT IN ('claimed', 'put_back', 'deferred', 'unknown')"
            " AND (changed OR event = 'complained')"
        ),
    )
    op.create_index("ix_communication_event_xact", "communication_event", ["xact"])
    op.create_table(
        "feed_event",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("communication_id", sa.BigInteger(), nullable=False),
        sa.Column("notice", sa.String(), nullable=False),
        sa.Column("communication_state", sa.String(), nullable=False),
        sa.Column("delivery_event_id", sa.BigInteger(), nullable=True),
        sa.Column("communication_event_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(delivery_event_id IS NULL) <> (communication_event_id IS NULL)",
            name=op.f("ck_feed_event_of_one"),
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_feed_event")),
    )
    op.create_index(
        "ix_feed_event_of_communication", "feed_event", ["communication_id", "position"]
    )
    op.create_index("ix_feed_event_of_notice", "feed_event", ["notice", "position"])
    op.create_table(
        "feed_head",
        sa.Column("only_one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("removed_to", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("snapshot", sa.String(), nullable=False),
        sa.Column("cluster", sa.BigInteger(), nullable=False),
        sa.Column(
            "delivery_events_after", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "communication_events_after",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("numbered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("only_one", name=op.f("ck_feed_head_only_one")),
        sa.PrimaryKeyConstraint("only_one", name=op.f("pk_feed_head")),
    )
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("notices", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("offered_to", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_answer", sa.String(), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_why", sa.String(), nullable=True),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "disabled_why IN ('dead', 'gone', 'asked')",
            name=op.f("ck_webhook_endpoint_disabled_why"),
        ),
        sa.CheckConstraint(
            "(disabled_at IS NULL) = (disabled_why IS NULL)",
            name=op.f("ck_webhook_endpoint_disabled"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
    )
    op.create_table(
        "webhook_secret",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("endpoint_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_key_id", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["webhook_endpoint.id"],
            name=op.f("fk_webhook_secret_endpoint_id_webhook_endpoint"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_secret")),
    )
    op.create_index(op.f("ix_webhook_secret_endpoint_id"), "webhook_secret", ["endpoint_id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("webhook_secret")
    op.drop_table("webhook_endpoint")
    op.drop_table("feed_head")
    op.drop_table("feed_event")
    for table in ("communication_event", "delivery_event"):
        op.drop_index(f"ix_{table}_xact", table_name=table)
        op.drop_column(table, "xact")
