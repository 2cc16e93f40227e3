"""How far the database has come, so that a restore is noticed."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "database_mark",
        sa.Column("only_one", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("beat", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_why", sa.String(), nullable=True),
        sa.CheckConstraint("only_one", name=op.f("ck_database_mark_only_one")),
        sa.PrimaryKeyConstraint("only_one", name=op.f("pk_database_mark")),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("database_mark")
