"""Accounts of those who apply for child support, and their sessions beside those by PIN.

A session of an applicant is a row of `portal_session` at a stage of its own. The version before
never finds one: its browsers hold it in another cookie.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# Participants of the case system stay for good; an applicant's row goes with the account.
_REFUSE = """
CREATE FUNCTION refuse_participant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.external_id NOT LIKE 'applicant%' THEN
        RAISE EXCEPTION 'participant % is of the case system', OLD.id;
    END IF;
    RETURN OLD;
END $$
"""


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "applicant",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=False),
        sa.Column("username_tag", sa.String(), nullable=False),
        sa.Column("sealed_username", sa.LargeBinary(), nullable=False),
        sa.Column("username_key_id", sa.String(), nullable=False),
        sa.Column("email_tag", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_applicant_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applicant")),
        sa.UniqueConstraint("participant_id", name=op.f("uq_applicant_participant_id")),
    )
    op.create_index(
        "uq_applicant_username",
        "applicant",
        ["username_tag"],
        unique=True,
        postgresql_where=sa.text("confirmed_at IS NOT NULL"),
    )
    op.create_index(
        "uq_applicant_email",
        "applicant",
        ["email_tag"],
        unique=True,
        postgresql_where=sa.text("confirmed_at IS NOT NULL"),
    )
    op.create_index("ix_applicant_registered_at", "applicant", ["registered_at"])
    op.create_table(
        "applicant_link",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("applicant_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('confirm', 'reset')", name=op.f("ck_applicant_link_purpose")
        ),
        sa.ForeignKeyConstraint(
            ["applicant_id"],
            ["applicant.id"],
            name=op.f("fk_applicant_link_applicant_id_applicant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applicant_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_applicant_link_token_hash")),
    )
    op.create_index(op.f("ix_applicant_link_applicant_id"), "applicant_link", ["applicant_id"])
    op.drop_constraint(op.f("ck_portal_session_stage"), "portal_session")
    op.create_check_constraint(
        op.f("ck_portal_session_stage"),
        "portal_session",
        "stage IN ('pin_change', 'full', 'applicant')",
    )
    op.execute(_REFUSE)
    op.execute(
        "CREATE TRIGGER of_the_case_system BEFORE DELETE ON participant "
        "FOR EACH ROW EXECUTE FUNCTION refuse_participant()"
    )


def downgrade() -> None:
    """Take the change back."""
    op.execute("DROP TRIGGER of_the_case_system ON participant")
    op.execute("DROP FUNCTION refuse_participant()")
    op.execute("DELETE FROM portal_session WHERE stage = 'applicant'")
    op.drop_constraint(op.f("ck_portal_session_stage"), "portal_session")
    op.create_check_constraint(
        op.f("ck_portal_session_stage"), "portal_session", "stage IN ('pin_change', 'full')"
    )
    op.drop_table("applicant_link")
    op.drop_table("applicant")
