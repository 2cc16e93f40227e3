"""Indexes of a delivery that a claim need not be told of, and room for its row in the same page."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change. The two new indexes serve the code before this one too, more slowly."""
    op.create_index(
        "ix_delivery_unfinished",
        "delivery",
        ["next_attempt_at"],
        postgresql_where=sa.text("final_at IS NULL"),
    )
    op.create_index(
        "ix_delivery_delayed",
        "delivery",
        ["reason"],
        postgresql_where=sa.text("final_at IS NULL AND reason IS NOT NULL"),
    )
    op.drop_index("ix_delivery_due", table_name="delivery")
    op.drop_index("ix_delivery_put_off", table_name="delivery")
    # What is unsettled has an index of its own; of what is settled nobody asks by its day.
    op.drop_index("ix_communication_state_due_by", table_name="communication")
    # Pages that are filled from now on; those that exist stay as they are.
    op.execute("ALTER TABLE delivery SET (fillfactor = 50)")


def downgrade() -> None:
    """Take the change back."""
    op.execute("ALTER TABLE delivery RESET (fillfactor)")
    op.create_index("ix_communication_state_due_by", "communication", ["state", "due_by"])
    op.create_index(
        "ix_delivery_put_off",
        "delivery",
        ["reason"],
        postgresql_where=sa.text("state = 'owed' AND reason IS NOT NULL"),
    )
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["next_attempt_at"],
        postgresql_where=sa.text("state IN ('owed', 'sending')"),
    )
    op.drop_index("ix_delivery_delayed", table_name="delivery")
    op.drop_index("ix_delivery_unfinished", table_name="delivery")
