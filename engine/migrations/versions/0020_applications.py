"""Applications: drafts, their files, and what was submitted, which nothing changes any more."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# What was submitted may be sealed anew under another key; nothing else of it changes, and it goes
# only where it is named for removal (0012). The files of a draft come and go until then.
_REFUSE_CHANGE = """
CREATE FUNCTION refuse_change_of_submitted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    sealed text[] := ARRAY['sealed_record', 'record_key_id', 'sealed_content', 'content_key_id'];
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - sealed = to_jsonb(OLD) - sealed THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND (removal_was_named(TG_TABLE_NAME) OR NOT EXISTS (
        SELECT FROM application WHERE draft_id = OLD.draft_id)) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% was submitted and is never changed', TG_TABLE_NAME;
END $$
"""
_REFUSE_ADDING = """
CREATE FUNCTION refuse_after_submission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM application WHERE draft_id = NEW.draft_id) THEN
        RAISE EXCEPTION '% belongs to what was submitted', TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "application_draft",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("protected", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('open', 'add_child')", name=op.f("ck_application_draft_kind")),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_application_draft_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_draft")),
    )
    op.create_index("ix_application_draft_expires_at", "application_draft", ["expires_at"])
    op.create_index(
        op.f("ix_application_draft_participant_id"), "application_draft", ["participant_id"]
    )
    op.create_table(
        "application_answer",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("draft_id", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("sealed_values", sa.LargeBinary(), nullable=False),
        sa.Column("values_key_id", sa.String(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["draft_id"],
            ["application_draft.id"],
            name=op.f("fk_application_answer_draft_id_application_draft"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_answer")),
        sa.UniqueConstraint("draft_id", "slot", name="uq_application_answer_slot"),
    )
    op.create_table(
        "application_upload",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("draft_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("octets", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.Column("content_key_id", sa.String(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "media_type IN ('application/pdf', 'image/jpeg', 'image/png')",
            name=op.f("ck_application_upload_media_type"),
        ),
        sa.ForeignKeyConstraint(
            ["draft_id"],
            ["application_draft.id"],
            name=op.f("fk_application_upload_draft_id_application_draft"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_upload")),
        sa.UniqueConstraint("draft_id", "sha256", name="uq_application_upload_content"),
    )
    op.create_table(
        "application",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("draft_id", sa.BigInteger(), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("confidential", sa.Boolean(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_record", sa.LargeBinary(), nullable=False),
        sa.Column("record_key_id", sa.String(), nullable=False),
        sa.Column("record_sha256", sa.String(), nullable=False),
        sa.CheckConstraint("kind IN ('open', 'add_child')", name=op.f("ck_application_kind")),
        sa.CheckConstraint("number ~ '^[0-9]{12}$'", name=op.f("ck_application_number")),
        sa.ForeignKeyConstraint(
            ["draft_id"],
            ["application_draft.id"],
            name=op.f("fk_application_draft_id_application_draft"),
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_application_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sa.UniqueConstraint("draft_id", name=op.f("uq_application_draft_id")),
        sa.UniqueConstraint("number", name=op.f("uq_application_number")),
    )
    op.create_index(op.f("ix_application_participant_id"), "application", ["participant_id"])
    op.create_table(
        "application_export",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("application_id", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("again", sa.Boolean(), nullable=False),
        sa.Column("exported_by", sa.String(), nullable=False),
        sa.Column("exported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_application_export_application_id_application"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_export")),
    )
    op.create_index(
        "uq_application_export_first",
        "application_export",
        ["application_id"],
        unique=True,
        postgresql_where=sa.text("NOT again"),
    )
    op.execute(_REFUSE_CHANGE)
    op.execute(_REFUSE_ADDING)
    for table in ("application", "application_upload"):
        op.execute(
            f"CREATE TRIGGER submitted BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_submitted()"
        )
    for table in ("application_upload", "application_answer"):
        op.execute(
            f"CREATE TRIGGER after_submission BEFORE INSERT ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_after_submission()"
        )
    op.execute(
        "CREATE TRIGGER under_hold BEFORE DELETE ON application "
        "FOR EACH ROW EXECUTE FUNCTION refuse_held()"
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON application_export "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Take the change back."""
    for table in ("_export", "", "_upload", "_answer", "_draft"):
        op.drop_table(f"application{table}")
    for function in ("change_of_submitted", "after_submission"):
        op.execute(f"DROP FUNCTION refuse_{function}()")
