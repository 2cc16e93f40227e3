"""Consent to eCommunications: what was shown, when, how, and the proof; and reminders of documents
that nobody opened."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("consent_text", "consent")
# Of those who were enrolled before consents were kept, the case system's word is what there is.
_ENROLLED_BEFORE = """
INSERT INTO consent (participant_id, action, at, how, proof)
SELECT id, 'given', now(), 'case_system', '{}' FROM participant WHERE paperless
"""


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "consent_text",
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("first_shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("language IN ('en', 'es')", name=op.f("ck_consent_text_language")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_consent_text")),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("text_version", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("staff", sa.String(), nullable=True),
        sa.Column("proof", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("action IN ('given', 'withdrawn')", name=op.f("ck_consent_action")),
        sa.CheckConstraint(
            "how IN ('web', 'phone', 'caseworker', 'case_system')", name=op.f("ck_consent_how")
        ),
        sa.CheckConstraint(
            "(how IN ('phone', 'caseworker')) = (staff IS NOT NULL)", name=op.f("ck_consent_staff")
        ),
        sa.CheckConstraint(
            "action = 'withdrawn' OR how = 'case_system'"
            " OR (text_version IS NOT NULL AND contact_point_id IS NOT NULL)",
            name=op.f("ck_consent_shown"),
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_consent_participant_id_participant"),
        ),
        sa.ForeignKeyConstraint(
            ["text_version"],
            ["consent_text.version"],
            name=op.f("fk_consent_text_version_consent_text"),
        ),
        sa.ForeignKeyConstraint(
            ["contact_point_id"],
            ["contact_point.id"],
            name=op.f("fk_consent_contact_point_id_contact_point"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_participant", "consent", ["participant_id", "at", "id"])
    op.create_table(
        "consent_sample",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("text_version", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wrong", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("language IN ('en', 'es')", name=op.f("ck_consent_sample_language")),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_consent_sample_participant_id_participant"),
        ),
        sa.ForeignKeyConstraint(
            ["text_version"],
            ["consent_text.version"],
            name=op.f("fk_consent_sample_text_version_consent_text"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_sample")),
    )
    op.create_index("ix_consent_sample_participant", "consent_sample", ["participant_id", "id"])
    op.add_column("document", sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_document_unopened",
        "document",
        ["participant_id", "posted_at"],
        postgresql_where=sa.text("opened_at IS NULL"),
    )
    op.execute(_ENROLLED_BEFORE)
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER kept BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_document_unopened", table_name="document")
    op.drop_column("document", "reminded_at")
    for table in ("consent_sample", *reversed(_APPEND_ONLY)):
        op.drop_table(table)
