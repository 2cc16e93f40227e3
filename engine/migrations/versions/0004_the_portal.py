"""Sessions, sign-in, the audit trail, the inbox, and what a parent may do in the portal."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# What is pruned after its years goes with a word said first, in that transaction alone.
_REFUSE_REMOVAL = """
CREATE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('connect.removing', true) IS DISTINCT FROM TG_TABLE_NAME THEN
        RAISE EXCEPTION '% keeps what is in it', TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$
"""


def _channels(*channels: str) -> None:
    op.drop_constraint(op.f("ck_delivery_channel"), "delivery", type_="check")
    op.create_check_constraint(
        op.f("ck_delivery_channel"),
        "delivery",
        f"channel IN ({', '.join(repr(channel) for channel in channels)})",
    )


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=True),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("network", sa.String(), nullable=True),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False)
    op.create_index(
        op.f("ix_audit_entry_participant_id"), "audit_entry", ["participant_id"], unique=False
    )
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("monthly_cents", sa.BigInteger(), nullable=False),
        sa.Column("balance_cents", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('child_support', 'medical_support', 'spousal_support')",
            name=op.f("ck_account_kind"),
        ),
        sa.CheckConstraint(
            "monthly_cents >= 0 AND balance_cents >= 0", name=op.f("ck_account_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["support_case.id"], name=op.f("fk_account_case_id_support_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("external_id", name=op.f("uq_account_external_id")),
    )
    op.create_index(op.f("ix_account_case_id"), "account", ["case_id"], unique=False)
    op.create_table(
        "caseworker_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("staff", sa.String(), nullable=True),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reply_due", sa.Date(), nullable=True),
        sa.Column("answers_id", sa.BigInteger(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(author = 'caseworker') = (staff IS NOT NULL)",
            name=op.f("ck_caseworker_message_staff"),
        ),
        sa.CheckConstraint(
            "author IN ('participant', 'caseworker')", name=op.f("ck_caseworker_message_author")
        ),
        sa.ForeignKeyConstraint(
            ["answers_id"],
            ["caseworker_message.id"],
            name=op.f("fk_caseworker_message_answers_id_caseworker_message"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["support_case.id"],
            name=op.f("fk_caseworker_message_case_id_support_case"),
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_caseworker_message_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caseworker_message")),
    )
    op.create_index(
        op.f("ix_caseworker_message_answers_id"), "caseworker_message", ["answers_id"], unique=False
    )
    op.create_index(
        op.f("ix_caseworker_message_case_id"), "caseworker_message", ["case_id"], unique=False
    )
    op.create_index(
        "ix_caseworker_message_participant",
        "caseworker_message",
        ["participant_id", "case_id", "id"],
        unique=False,
    )
    op.create_table(
        "other_party_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"],
            ["support_case.id"],
            name=op.f("fk_other_party_report_case_id_support_case"),
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_other_party_report_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_other_party_report")),
    )
    op.create_index(
        op.f("ix_other_party_report_case_id"), "other_party_report", ["case_id"], unique=False
    )
    op.create_index(
        op.f("ix_other_party_report_participant_id"),
        "other_party_report",
        ["participant_id"],
        unique=False,
    )
    op.create_index(
        "ix_other_party_report_unread",
        "other_party_report",
        ["id"],
        unique=False,
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.create_table(
        "portal_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("credential_id", sa.BigInteger(), nullable=True),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("stage IN ('pin_change', 'full')", name=op.f("ck_portal_session_stage")),
        sa.ForeignKeyConstraint(
            ["credential_id"],
            ["pin_credential.id"],
            name=op.f("fk_portal_session_credential_id_pin_credential"),
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_portal_session_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_portal_session_token_hash")),
    )
    op.create_index("ix_portal_session_ends_at", "portal_session", ["ends_at"], unique=False)
    op.create_index(
        "ix_portal_session_live",
        "portal_session",
        ["participant_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "sign_in_standing",
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("locks", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("tries_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tell", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_sign_in_standing_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("tag", name=op.f("pk_sign_in_standing")),
    )
    op.create_index(
        "ix_sign_in_standing_failed_at", "sign_in_standing", ["failed_at"], unique=False
    )
    op.create_index(
        op.f("ix_sign_in_standing_participant_id"),
        "sign_in_standing",
        ["participant_id"],
        unique=False,
    )
    op.create_index(
        "ix_sign_in_standing_tell",
        "sign_in_standing",
        ["tag"],
        unique=False,
        postgresql_where=sa.text("tell"),
    )
    op.create_table(
        "submission",
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("form", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_submission_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("participant_id", "form", name=op.f("pk_submission")),
    )
    op.create_index(op.f("ix_submission_at"), "submission", ["at"], unique=False)
    op.create_table(
        "appointment_answer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("appointment_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("wish", sa.String(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "answer IN ('confirmed', 'reschedule')", name=op.f("ck_appointment_answer_answer")
        ),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
            name=op.f("fk_appointment_answer_appointment_id_appointment"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment_answer")),
    )
    op.create_index(
        op.f("ix_appointment_answer_appointment_id"),
        "appointment_answer",
        ["appointment_id"],
        unique=False,
    )
    op.create_table(
        "email_confirmation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_point_id"],
            ["contact_point.id"],
            name=op.f("fk_email_confirmation_contact_point_id_contact_point"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_confirmation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_email_confirmation_token_hash")),
    )
    op.create_index(
        op.f("ix_email_confirmation_contact_point_id"),
        "email_confirmation",
        ["contact_point_id"],
        unique=False,
    )
    op.create_table(
        "document",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("notice", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("template_version", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("language IN ('en', 'es')", name=op.f("ck_document_language")),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_document_delivery_id_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_document_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_document_delivery_id")),
    )
    op.create_index(
        "ix_document_participant", "document", ["participant_id", "posted_at"], unique=False
    )
    op.add_column("communication", sa.Column("contact_point_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_communication_contact_point_id_contact_point"),
        "communication",
        "contact_point",
        ["contact_point_id"],
        ["id"],
    )
    op.add_column(
        "contact_point",
        sa.Column(
            "changed_by", sa.String(), server_default=sa.text("'case_system'"), nullable=False
        ),
    )
    op.add_column(
        "contact_point", sa.Column("vouched_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column(
        "contact_point",
        sa.Column("told", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.add_column(
        "contact_point",
        sa.Column("own_answer", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("participant", sa.Column("imported_language", sa.String(), nullable=True))
    op.add_column("participant", sa.Column("imported_paperless", sa.Boolean(), nullable=True))
    op.create_check_constraint(
        op.f("ck_contact_point_changed_by"),
        "contact_point",
        "changed_by IN ('case_system', 'participant')",
    )
    _channels("email", "mail", "inbox")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE ON audit_entry "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(_REFUSE_REMOVAL)
    op.execute(
        "CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_removal()"
    )


def downgrade() -> None:
    """Take the change back."""
    _channels("email", "mail")
    op.execute("DROP TRIGGER kept ON audit_entry")
    op.execute("DROP FUNCTION refuse_removal()")
    op.execute("DROP TRIGGER append_only ON audit_entry")
    op.drop_column("participant", "imported_paperless")
    op.drop_column("participant", "imported_language")
    op.drop_column("contact_point", "own_answer")
    op.drop_column("contact_point", "told")
    op.drop_column("contact_point", "vouched_at")
    op.drop_column("contact_point", "changed_by")
    op.drop_constraint(
        op.f("fk_communication_contact_point_id_contact_point"), "communication", type_="foreignkey"
    )
    op.drop_column("communication", "contact_point_id")
    op.drop_index("ix_document_participant", table_name="document")
    op.drop_table("document")
    op.drop_index(op.f("ix_email_confirmation_contact_point_id"), table_name="email_confirmation")
    op.drop_table("email_confirmation")
    op.drop_index(op.f("ix_appointment_answer_appointment_id"), table_name="appointment_answer")
    op.drop_table("appointment_answer")
    op.drop_index(op.f("ix_submission_at"), table_name="submission")
    op.drop_table("submission")
    op.drop_index(
        "ix_sign_in_standing_tell", table_name="sign_in_standing", postgresql_where=sa.text("tell")
    )
    op.drop_index(op.f("ix_sign_in_standing_participant_id"), table_name="sign_in_standing")
    op.drop_index("ix_sign_in_standing_failed_at", table_name="sign_in_standing")
    op.drop_table("sign_in_standing")
    op.drop_index(
        "ix_portal_session_live",
        table_name="portal_session",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index("ix_portal_session_ends_at", table_name="portal_session")
    op.drop_table("portal_session")
    op.drop_index(
        "ix_other_party_report_unread",
        table_name="other_party_report",
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.drop_index(op.f("ix_other_party_report_participant_id"), table_name="other_party_report")
    op.drop_index(op.f("ix_other_party_report_case_id"), table_name="other_party_report")
    op.drop_table("other_party_report")
    op.drop_index("ix_caseworker_message_participant", table_name="caseworker_message")
    op.drop_index(op.f("ix_caseworker_message_case_id"), table_name="caseworker_message")
    op.drop_index(op.f("ix_caseworker_message_answers_id"), table_name="caseworker_message")
    op.drop_table("caseworker_message")
    op.drop_index(op.f("ix_account_case_id"), table_name="account")
    op.drop_table("account")
    op.drop_index(op.f("ix_audit_entry_participant_id"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_at"), table_name="audit_entry")
    op.drop_table("audit_entry")
