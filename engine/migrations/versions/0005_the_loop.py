"""What comes back of email, what it suppresses, and what becomes of deadlines."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("bounce_report", "contact_suppression", "communication_event")


def upgrade() -> None:
    """Apply the change."""
    op.add_column("delivery", sa.Column("sent_to", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_delivery_sent_to_contact_point"),
        "delivery",
        "contact_point",
        ["sent_to"],
        ["id"],
    )
    op.create_index(
        "ix_delivery_sent_to",
        "delivery",
        ["sent_to"],
        postgresql_where=sa.text("sent_to IS NOT NULL"),
    )
    op.add_column("communication", sa.Column("subject", sa.String(), nullable=True))
    op.create_index(
        "ix_communication_subject",
        "communication",
        ["subject"],
        postgresql_where=sa.text("subject IS NOT NULL"),
    )
    op.create_index(
        "ix_communication_unsettled_due_by",
        "communication",
        ["due_by"],
        postgresql_where=sa.text("state IN ('owed', 'held')"),
    )
    op.create_table(
        "bounce_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('hard', 'soft', 'complaint', 'none')", name=op.f("ck_bounce_report_kind")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_bounce_report_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounce_report")),
        sa.UniqueConstraint(
            "delivery_id", "digest", name=op.f("uq_bounce_report_delivery_id_digest")
        ),
    )
    op.create_table(
        "contact_suppression",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "cause IN ('hard_bounce', 'soft_bounces', 'refused', 'complaint', 'returned')",
            name=op.f("ck_contact_suppression_cause"),
        ),
        sa.ForeignKeyConstraint(
            ["contact_point_id"],
            ["contact_point.id"],
            name=op.f("fk_contact_suppression_contact_point_id_contact_point"),
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["delivery.id"],
            name=op.f("fk_contact_suppression_delivery_id_delivery"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_suppression")),
    )
    op.create_index(
        op.f("ix_contact_suppression_contact_point_id"), "contact_suppression", ["contact_point_id"]
    )
    op.create_table(
        "communication_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("communication_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "event IN ('at_risk', 'promise_missed', 'breached')",
            name=op.f("ck_communication_event_event"),
        ),
        sa.ForeignKeyConstraint(
            ["communication_id"],
            ["communication.id"],
            name=op.f("fk_communication_event_communication_id_communication"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_communication_event")),
        sa.UniqueConstraint(
            "communication_id",
            "step",
            "event",
            name=op.f("uq_communication_event_communication_id_step_event"),
        ),
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    # An alert that tells of a document in the inbox has a part in meeting the obligation.
    op.execute(
        "UPDATE communication SET route = "
        "replace(route::text, '[\"email\", false]', '[\"email\", true]')::jsonb "
        "WHERE route::text LIKE '%\"inbox\"%'"
    )
    op.execute(
        "UPDATE delivery SET meets_obligation = true FROM delivery AS beside "
        "WHERE beside.communication_id = delivery.communication_id AND beside.step = delivery.step "
        "AND beside.channel = 'inbox' AND delivery.channel = 'email'"
    )


def downgrade() -> None:
    """Take the change back."""
    op.execute(
        "UPDATE delivery SET meets_obligation = false FROM delivery AS beside "
        "WHERE beside.communication_id = delivery.communication_id AND beside.step = delivery.step "
        "AND beside.channel = 'inbox' AND delivery.channel = 'email'"
    )
    op.execute(
        "UPDATE communication SET route = "
        "replace(route::text, '[\"email\", true]', '[\"email\", false]')::jsonb "
        "WHERE route::text LIKE '%\"inbox\"%'"
    )
    for table in _APPEND_ONLY:
        op.drop_table(table)
    op.drop_index("ix_communication_unsettled_due_by", table_name="communication")
    op.drop_index("ix_communication_subject", table_name="communication")
    op.drop_column("communication", "subject")
    op.drop_index("ix_delivery_sent_to", table_name="delivery")
    op.drop_constraint(op.f("fk_delivery_sent_to_contact_point"), "delivery")
    op.drop_column("delivery", "sent_to")
