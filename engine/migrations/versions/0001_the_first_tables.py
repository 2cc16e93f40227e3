"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "participant",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("first_name", sa.String(), nullable=False),
        sa.Column("last_name", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("confidential", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("paperless", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("language IN ('en', 'es')", name=op.f("ck_participant_language")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participant")),
        sa.UniqueConstraint("external_id", name=op.f("uq_participant_external_id")),
    )
    op.create_table(
        "print_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("previous_name", sa.String(), nullable=True),
        sa.Column(
            "opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document_date", sa.Date(), nullable=True),
        sa.Column("mail_by", sa.Date(), nullable=True),
        sa.Column("pieces", sa.Integer(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("sheets", sa.Integer(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'closing') OR (sha256 IS NOT NULL AND bytes IS NOT NULL)",
            name=op.f("ck_print_batch_hash"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'closing', 'stored', 'handed_over')",
            name=op.f("ck_print_batch_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_batch")),
        sa.UniqueConstraint("job", "sequence", name=op.f("uq_print_batch_job_sequence")),
        sa.UniqueConstraint("name", name=op.f("uq_print_batch_name")),
    )
    op.create_index(
        "uq_print_batch_open",
        "print_batch",
        ["job"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "support_case",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("county", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.CheckConstraint("status IN ('open', 'closed')", name=op.f("ck_support_case_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_case")),
        sa.UniqueConstraint("external_id", name=op.f("uq_support_case_external_id")),
    )
    op.create_table(
        "appointment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.CheckConstraint("kind IN ('office', 'court')", name=op.f("ck_appointment_kind")),
        sa.CheckConstraint(
            "status IN ('scheduled', 'cancelled')", name=op.f("ck_appointment_status")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["support_case.id"], name=op.f("fk_appointment_case_id_support_case")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_appointment_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
        sa.UniqueConstraint("external_id", name=op.f("uq_appointment_external_id")),
    )
    op.create_index(op.f("ix_appointment_case_id"), "appointment", ["case_id"], unique=False)
    op.create_index(
        op.f("ix_appointment_participant_id"), "appointment", ["participant_id"], unique=False
    )
    op.create_index("ix_appointment_starts_at", "appointment", ["starts_at"], unique=False)
    op.create_table(
        "case_party",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.CheckConstraint("role IN ('payer', 'payee')", name=op.f("ck_case_party_role")),
        sa.ForeignKeyConstraint(
            ["case_id"], ["support_case.id"], name=op.f("fk_case_party_case_id_support_case")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_case_party_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("case_id", "participant_id", name=op.f("pk_case_party")),
    )
    op.create_index(
        op.f("ix_case_party_participant_id"), "case_party", ["participant_id"], unique=False
    )
    op.create_table(
        "communication",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("notice", sa.String(), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("urgency", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("template_version", sa.String(), nullable=False),
        sa.Column("route", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("step", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_by", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'owed'"), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("language IN ('en', 'es')", name=op.f("ck_communication_language")),
        sa.CheckConstraint(
            "state IN ('owed', 'met', 'held', 'cancelled')", name=op.f("ck_communication_state")
        ),
        sa.CheckConstraint("urgency IN ('urgent', 'bulk')", name=op.f("ck_communication_urgency")),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_communication_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_communication")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_communication_idempotency_key")),
    )
    op.create_index(
        op.f("ix_communication_participant_id"), "communication", ["participant_id"], unique=False
    )
    op.create_index(
        "ix_communication_state_due_by", "communication", ["state", "due_by"], unique=False
    )
    op.create_table(
        "contact_point",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("phone", sa.String(), nullable=True),
        sa.Column("addr1", sa.String(), nullable=True),
        sa.Column("addr2", sa.String(), nullable=True),
        sa.Column("urbanization", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=True),
        sa.Column("zip5", sa.String(), nullable=True),
        sa.Column("zip4", sa.String(), nullable=True),
        sa.Column("substitute", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("safe_to_use", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "CASE kind WHEN 'email' THEN email IS NOT NULL WHEN 'phone' THEN phone IS NOT NULL ELSE addr1 IS NOT NULL AND city IS NOT NULL AND state IS NOT NULL AND zip5 IS NOT NULL END",
            name=op.f("ck_contact_point_complete"),
        ),
        sa.CheckConstraint(
            "kind IN ('email', 'mail', 'phone')", name=op.f("ck_contact_point_kind")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_contact_point_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_point")),
    )
    op.create_index(
        op.f("ix_contact_point_participant_id"), "contact_point", ["participant_id"], unique=False
    )
    op.create_index(
        "uq_contact_point_current",
        "contact_point",
        ["participant_id", "kind", "substitute"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "payment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.CheckConstraint("direction IN ('made', 'sent')", name=op.f("ck_payment_direction")),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_payment_amount")),
        sa.ForeignKeyConstraint(
            ["case_id"], ["support_case.id"], name=op.f("fk_payment_case_id_support_case")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_payment_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("external_id", name=op.f("uq_payment_external_id")),
    )
    op.create_index(op.f("ix_payment_case_id"), "payment", ["case_id"], unique=False)
    op.create_index(
        "ix_payment_participant_paid_on", "payment", ["participant_id", "paid_on"], unique=False
    )
    op.create_table(
        "pin_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=True),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.CheckConstraint("language IN ('en', 'es')", name=op.f("ck_pin_request_language")),
        sa.CheckConstraint("method IN ('email', 'mail')", name=op.f("ck_pin_request_method")),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_pin_request_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pin_request")),
    )
    op.create_index(
        op.f("ix_pin_request_participant_id"), "pin_request", ["participant_id"], unique=False
    )
    op.create_index(
        "ix_pin_request_unsettled",
        "pin_request",
        ["id"],
        unique=False,
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("communication_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("meets_obligation", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("due_by", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), server_default=sa.text("'owed'"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "next_attempt_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "rung_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("secret_key_id", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("final_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('email', 'mail')", name=op.f("ck_delivery_channel")),
        sa.CheckConstraint(
            "state IN ('owed', 'sending', 'sent', 'batched', 'handed_over', 'held', 'failed', 'cancelled')",
            name=op.f("ck_delivery_state"),
        ),
        sa.CheckConstraint(
            "(secret IS NULL) = (secret_key_id IS NULL)", name=op.f("ck_delivery_sealed")
        ),
        sa.ForeignKeyConstraint(
            ["communication_id"],
            ["communication.id"],
            name=op.f("fk_delivery_communication_id_communication"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint(
            "communication_id",
            "step",
            "channel",
            name=op.f("uq_delivery_communication_id_step_channel"),
        ),
    )
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('owed', 'sending')"),
    )
    op.create_table(
        "delivery_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("changed", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_event_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_event")),
    )
    op.create_index(
        op.f("ix_delivery_event_delivery_id"), "delivery_event", ["delivery_id"], unique=False
    )
    op.create_table(
        "pin_credential",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('temporary', 'chosen')", name=op.f("ck_pin_credential_kind")),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_pin_credential_delivery_id_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_pin_credential_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pin_credential")),
    )
    op.create_index(
        op.f("ix_pin_credential_delivery_id"), "pin_credential", ["delivery_id"], unique=False
    )
    op.create_index(
        op.f("ix_pin_credential_participant_id"), "pin_credential", ["participant_id"], unique=False
    )
    op.create_index(
        "uq_pin_credential_live",
        "pin_credential",
        ["participant_id", "kind"],
        unique=True,
        postgresql_where=sa.text("voided_at IS NULL AND used_at IS NULL"),
    )
    op.create_table(
        "print_piece",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "piece_id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False
        ),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("sheets", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["print_batch.id"], name=op.f("fk_print_piece_batch_id_print_batch")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_print_piece_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_piece")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_print_piece_delivery_id")),
        sa.UniqueConstraint("piece_id", name=op.f("uq_print_piece_piece_id")),
    )
    op.create_index(op.f("ix_print_piece_batch_id"), "print_piece", ["batch_id"], unique=False)


def downgrade() -> None:
    """Take the change back."""
    op.drop_index(op.f("ix_print_piece_batch_id"), table_name="print_piece")
    op.drop_table("print_piece")
    op.drop_index(
        "uq_pin_credential_live",
        table_name="pin_credential",
        postgresql_where=sa.text("voided_at IS NULL AND used_at IS NULL"),
    )
    op.drop_index(op.f("ix_pin_credential_participant_id"), table_name="pin_credential")
    op.drop_index(op.f("ix_pin_credential_delivery_id"), table_name="pin_credential")
    op.drop_table("pin_credential")
    op.drop_index(op.f("ix_delivery_event_delivery_id"), table_name="delivery_event")
    op.drop_table("delivery_event")
    op.drop_index(
        "ix_delivery_due",
        table_name="delivery",
        postgresql_where=sa.text("state IN ('owed', 'sending')"),
    )
    op.drop_table("delivery")
    op.drop_index(
        "ix_pin_request_unsettled",
        table_name="pin_request",
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.drop_index(op.f("ix_pin_request_participant_id"), table_name="pin_request")
    op.drop_table("pin_request")
    op.drop_index("ix_payment_participant_paid_on", table_name="payment")
    op.drop_index(op.f("ix_payment_case_id"), table_name="payment")
    op.drop_table("payment")
    op.drop_index(
        "uq_contact_point_current",
        table_name="contact_point",
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.drop_index(op.f("ix_contact_point_participant_id"), table_name="contact_point")
    op.drop_table("contact_point")
    op.drop_index("ix_communication_state_due_by", table_name="communication")
    op.drop_index(op.f("ix_communication_participant_id"), table_name="communication")
    op.drop_table("communication")
    op.drop_index(op.f("ix_case_party_participant_id"), table_name="case_party")
    op.drop_table("case_party")
    op.drop_index("ix_appointment_starts_at", table_name="appointment")
    op.drop_index(op.f("ix_appointment_participant_id"), table_name="appointment")
    op.drop_index(op.f("ix_appointment_case_id"), table_name="appointment")
    op.drop_table("appointment")
    op.drop_table("support_case")
    op.drop_index(
        "uq_print_batch_open", table_name="print_batch", postgresql_where=sa.text("state = 'open'")
    )
    op.drop_table("print_batch")
    op.drop_table("participant")
