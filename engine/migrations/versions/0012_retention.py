"""Legal holds, and a narrow door through which what is kept append-only is removed in the end."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Only a role that was granted DELETE comes this far; naming the table says that it is meant.
_NAMED = """
CREATE FUNCTION removal_was_named(name text) RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT name = ANY (string_to_array(coalesce(current_setting('connect.removing', true), ''), ','))
$$
"""
_REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND removal_was_named(TG_TABLE_NAME) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$
"""
_REFUSE_CHANGE_BEFORE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""
_REFUSE_REMOVAL = """
CREATE OR REPLACE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT removal_was_named(TG_TABLE_NAME) THEN
        RAISE EXCEPTION '% keeps what is in it', TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$
"""
_REFUSE_REMOVAL_BEFORE = """
CREATE OR REPLACE FUNCTION refuse_removal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('connect.removing', true) IS DISTINCT FROM TG_TABLE_NAME THEN
        RAISE EXCEPTION '% keeps what is in it', TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$
"""
_HELD = """
CREATE VIEW held_participant AS
SELECT participant_id FROM legal_hold WHERE lifted_at IS NULL AND participant_id IS NOT NULL
UNION
SELECT case_party.participant_id FROM legal_hold JOIN case_party USING (case_id)
WHERE lifted_at IS NULL
"""
_REFUSE_HELD = """
CREATE FUNCTION refuse_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM held_participant WHERE participant_id = OLD.participant_id) THEN
        RAISE EXCEPTION '% % is under legal hold', TG_TABLE_NAME, OLD.id;
    END IF;
    RETURN OLD;
END $$
"""
_REFUSE_OWED = """
CREATE FUNCTION refuse_owed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% % is still owed', TG_TABLE_NAME, OLD.id;
END $$
"""
_HELD_TABLES = (
    *("caseworker_message", "communication", "consent", "contact_point"),
    *("document", "other_party_report", "pin_credential", "pin_request", "reminder_choice"),
)


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("participant_id", sa.BigInteger(), nullable=True),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("placed_by", sa.String(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_by", sa.String(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(participant_id IS NULL) <> (case_id IS NULL)", name=op.f("ck_legal_hold_of_one")
        ),
        sa.CheckConstraint(
            "(lifted_at IS NULL) = (lifted_by IS NULL)", name=op.f("ck_legal_hold_lifted")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["support_case.id"], name=op.f("fk_legal_hold_case_id_support_case")
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
            name=op.f("fk_legal_hold_participant_id_participant"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    for column in ("participant", "case"):
        op.create_index(
            f"uq_legal_hold_{column}",
            "legal_hold",
            [f"{column}_id"],
            unique=True,
            postgresql_where=sa.text("lifted_at IS NULL"),
        )
    op.create_index(op.f("ix_document_sha256"), "document", ["sha256"])
    op.execute(_NAMED)
    op.execute(_REFUSE_CHANGE)
    op.execute(_REFUSE_REMOVAL)
    op.execute(_HELD)
    op.execute(_REFUSE_HELD)
    op.execute(_REFUSE_OWED)
    for table in _HELD_TABLES:
        op.execute(
            f"CREATE TRIGGER under_hold BEFORE DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_held()"
        )
    op.execute(
        "CREATE TRIGGER still_owed BEFORE DELETE ON communication FOR EACH ROW "
        "WHEN (OLD.state IN ('owed', 'held')) EXECUTE FUNCTION refuse_owed()"
    )
    op.execute(
        "CREATE TRIGGER still_owed BEFORE DELETE ON delivery FOR EACH ROW "
        "WHEN (OLD.state IN ('owed', 'sending', 'batched', 'held')) "
        "EXECUTE FUNCTION refuse_owed()"
    )


def downgrade() -> None:
    """Take the change back."""
    for table in ("communication", "delivery"):
        op.execute(f"DROP TRIGGER still_owed ON {table}")
    for table in _HELD_TABLES:
        op.execute(f"DROP TRIGGER under_hold ON {table}")
    op.execute("DROP FUNCTION refuse_owed()")
    op.execute("DROP FUNCTION refuse_held()")
    op.execute("DROP VIEW held_participant")
    op.execute(_REFUSE_REMOVAL_BEFORE)
    op.execute(_REFUSE_CHANGE_BEFORE)
    op.execute("DROP FUNCTION removal_was_named(text)")
    op.drop_index(op.f("ix_document_sha256"), table_name="document")
    op.drop_table("legal_hold")
