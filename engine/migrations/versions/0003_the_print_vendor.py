"""What the print vendor answers, and what people do at the drop."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_DELIVERY_STATES = (
    "owed", "sending", "sent", "batched", "handed_over", "mailed", "returned", "held", "failed",
    "cancelled",
)  # fmt: skip
_OLD_DELIVERY_STATES = tuple(
    state for state in _DELIVERY_STATES if state not in {"mailed", "returned"}
)
_APPEND_ONLY = ("piece_event", "operator_act")


def _allow(table: str, name: str, condition: str) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)


def _one_of(states: tuple[str, ...]) -> str:
    return f"state IN ({', '.join(repr(state) for state in states)})"


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "imb_range",
        sa.Column("mailer_id", sa.String(), nullable=False),
        sa.Column("first_number", sa.BigInteger(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("mailer_id", "first_number", name=op.f("pk_imb_range")),
    )
    op.create_table(
        "operator_act",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_act")),
    )
    op.create_index(op.f("ix_operator_act_subject"), "operator_act", ["subject"], unique=False)
    op.create_table(
        "print_alarm",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_alarm")),
    )
    op.create_index(
        "uq_print_alarm_standing",
        "print_alarm",
        ["kind", "subject"],
        unique=True,
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.create_table(
        "print_proof",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("proof_id", sa.String(), nullable=False),
        sa.Column("template_id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_proof")),
        sa.UniqueConstraint(
            "proof_id", "template_id", name=op.f("uq_print_proof_proof_id_template_id")
        ),
    )
    op.create_index(op.f("ix_print_proof_sha256"), "print_proof", ["sha256"], unique=False)
    op.create_table(
        "print_answer",
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('ack', 'final')", name=op.f("ck_print_answer_kind")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["print_batch.id"], name=op.f("fk_print_answer_batch_id_print_batch")
        ),
        sa.PrimaryKeyConstraint("batch_id", "kind", name=op.f("pk_print_answer")),
    )
    op.create_table(
        "print_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "result IN ('applied', 'quarantined')", name=op.f("ck_print_file_result")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["print_batch.id"], name=op.f("fk_print_file_batch_id_print_batch")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_file")),
        sa.UniqueConstraint("name", "sha256", name=op.f("uq_print_file_name_sha256")),
    )
    op.create_index(op.f("ix_print_file_batch_id"), "print_file", ["batch_id"], unique=False)
    op.create_table(
        "print_order",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("action IN ('cancel', 'reprint')", name=op.f("ck_print_order_action")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["print_batch.id"], name=op.f("fk_print_order_batch_id_print_batch")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_order")),
        sa.UniqueConstraint("batch_id", "number", name=op.f("uq_print_order_batch_id_number")),
    )
    op.create_table(
        "ordered_piece",
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("piece", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["print_order.id"], name=op.f("fk_ordered_piece_order_id_print_order")
        ),
        sa.ForeignKeyConstraint(
            ["piece"], ["print_piece.id"], name=op.f("fk_ordered_piece_piece_print_piece")
        ),
        sa.PrimaryKeyConstraint("order_id", "piece", name=op.f("pk_ordered_piece")),
    )
    op.create_index(op.f("ix_ordered_piece_piece"), "ordered_piece", ["piece"], unique=False)
    op.create_table(
        "piece_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("piece", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("sheets", sa.Integer(), nullable=True),
        sa.Column("reprint_of", sa.String(), nullable=True),
        sa.Column("ncoa_code", sa.String(), nullable=True),
        sa.Column("file_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"], ["print_file.id"], name=op.f("fk_piece_event_file_id_print_file")
        ),
        sa.ForeignKeyConstraint(
            ["piece"], ["print_piece.id"], name=op.f("fk_piece_event_piece_print_piece")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_piece_event")),
        sa.UniqueConstraint("event_id", name=op.f("uq_piece_event_event_id")),
    )
    op.create_index(op.f("ix_piece_event_piece"), "piece_event", ["piece"], unique=False)
    op.add_column("contact_point", sa.Column("address_flags", sa.String(), nullable=True))
    op.add_column("communication", sa.Column("given_to", sa.String(), nullable=True))
    op.add_column(
        "contact_point", sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "participant",
        sa.Column("large_print", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("print_batch", sa.Column("env", sa.String(), nullable=True))
    op.add_column("print_batch", sa.Column("purge_by", sa.Date(), nullable=True))
    op.add_column("print_batch", sa.Column("supersedes", sa.String(), nullable=True))
    op.add_column("print_batch", sa.Column("piece_ids_sha256", sa.String(), nullable=True))
    op.add_column("print_batch", sa.Column("held_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "print_batch", sa.Column("released_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("print_batch", sa.Column("trouble", sa.String(), nullable=True))
    op.drop_constraint(op.f("uq_print_batch_job_sequence"), "print_batch", type_="unique")
    op.create_unique_constraint(
        op.f("uq_print_batch_job_env_sequence"), "print_batch", ["job", "env", "sequence"]
    )
    op.add_column(
        "print_piece",
        sa.Column("superseded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("print_piece", sa.Column("contact_point", sa.BigInteger(), nullable=True))
    op.add_column(
        "print_piece",
        sa.Column("confidential", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("print_piece", sa.Column("imb31", sa.String(), nullable=True))
    op.add_column("print_piece", sa.Column("status", sa.String(), nullable=True))
    op.alter_column("print_piece", "delivery_id", existing_type=sa.BIGINT(), nullable=True)
    op.drop_constraint(op.f("uq_print_piece_delivery_id"), "print_piece", type_="unique")
    op.create_unique_constraint(
        op.f("uq_print_piece_batch_id_delivery_id"), "print_piece", ["batch_id", "delivery_id"]
    )
    op.create_index(
        "uq_print_piece_delivery",
        "print_piece",
        ["delivery_id"],
        unique=True,
        postgresql_where=sa.text("NOT superseded"),
    )
    _allow("delivery", "state", _one_of(_DELIVERY_STATES))
    _allow(
        "print_batch", "state", _one_of(("open", "replacing", "closing", "stored", "handed_over"))
    )
    _allow(
        "print_batch",
        "hash",
        "state IN ('open', 'replacing', 'closing') OR (sha256 IS NOT NULL AND bytes IS NOT NULL)",
    )
    # Batches of before were closed with thirty business days, which are some forty-five days.
    op.execute(
        "UPDATE print_batch SET env = split_part(name, '_', 2), purge_by = mail_by + 45 "
        "WHERE name IS NOT NULL"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """Take the change back."""
    for table in _APPEND_ONLY:
        op.execute(f"DROP TRIGGER append_only ON {table}")
    op.execute("UPDATE delivery SET state = 'handed_over' WHERE state = 'mailed'")
    op.execute("UPDATE delivery SET state = 'failed' WHERE state = 'returned'")
    op.execute("DELETE FROM ordered_piece")
    op.execute("DELETE FROM piece_event")
    op.execute("DELETE FROM print_piece WHERE delivery_id IS NULL OR superseded")
    op.execute("UPDATE print_batch SET state = 'open' WHERE state = 'replacing'")
    _allow("delivery", "state", _one_of(_OLD_DELIVERY_STATES))
    _allow("print_batch", "state", _one_of(("open", "closing", "stored", "handed_over")))
    _allow(
        "print_batch",
        "hash",
        "state IN ('open', 'closing') OR (sha256 IS NOT NULL AND bytes IS NOT NULL)",
    )
    op.drop_index(
        "uq_print_piece_delivery",
        table_name="print_piece",
        postgresql_where=sa.text("NOT superseded"),
    )
    op.drop_constraint(op.f("uq_print_piece_batch_id_delivery_id"), "print_piece", type_="unique")
    op.create_unique_constraint(
        op.f("uq_print_piece_delivery_id"),
        "print_piece",
        ["delivery_id"],
        postgresql_nulls_not_distinct=False,
    )
    op.alter_column("print_piece", "delivery_id", existing_type=sa.BIGINT(), nullable=False)
    op.drop_column("print_piece", "status")
    op.drop_column("print_piece", "imb31")
    op.drop_column("print_piece", "confidential")
    op.drop_column("print_piece", "contact_point")
    op.drop_column("print_piece", "superseded")
    op.drop_constraint(op.f("uq_print_batch_job_env_sequence"), "print_batch", type_="unique")
    op.create_unique_constraint(
        op.f("uq_print_batch_job_sequence"),
        "print_batch",
        ["job", "sequence"],
        postgresql_nulls_not_distinct=False,
    )
    op.drop_column("print_batch", "trouble")
    op.drop_column("print_batch", "released_at")
    op.drop_column("print_batch", "held_at")
    op.drop_column("print_batch", "piece_ids_sha256")
    op.drop_column("print_batch", "supersedes")
    op.drop_column("print_batch", "purge_by")
    op.drop_column("print_batch", "env")
    op.drop_column("participant", "large_print")
    op.drop_column("contact_point", "address_flags")
    op.drop_column("contact_point", "returned_at")
    op.drop_column("communication", "given_to")
    op.drop_index(op.f("ix_piece_event_piece"), table_name="piece_event")
    op.drop_table("piece_event")
    op.drop_index(op.f("ix_ordered_piece_piece"), table_name="ordered_piece")
    op.drop_table("ordered_piece")
    op.drop_table("print_order")
    op.drop_index(op.f("ix_print_file_batch_id"), table_name="print_file")
    op.drop_table("print_file")
    op.drop_table("print_answer")
    op.drop_index(op.f("ix_print_proof_sha256"), table_name="print_proof")
    op.drop_table("print_proof")
    op.drop_index(
        "uq_print_alarm_standing",
        table_name="print_alarm",
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.drop_table("print_alarm")
    op.drop_index(op.f("ix_operator_act_subject"), table_name="operator_act")
    op.drop_table("operator_act")
    op.drop_table("imb_range")
