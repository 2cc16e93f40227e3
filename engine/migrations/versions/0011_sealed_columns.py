"""Personal columns may be sealed.

Nothing is sealed here, as a migration holds no keys: `connect keys rotate` does it, a batch at a
time, while everything works. A row is read in either form. The plain columns go with a later
migration, once nothing stands in them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# The version of this migration writes sealed rows, which the one before cannot read: it holds them
# for a person. Both are at work beside each other with PERSONAL_COLUMNS=both alone.
older_code_stops = True

_BOXES = {
    "participant": ("sealed_name", "name_key_id", "name_fingerprint"),
    "contact_point": ("sealed", "sealed_key_id", "fingerprint"),
    "caseworker_message": ("sealed_body", "body_key_id", None),
    "appointment_answer": ("sealed_wish", "wish_key_id", None),
    "other_party_report": ("sealed_facts", "facts_key_id", None),
    "communication": ("sealed_facts", "facts_key_id", None),
}
_EMPTIED = (
    ("participant", "first_name"),
    ("participant", "last_name"),
    ("caseworker_message", "body"),
    ("other_party_report", "facts"),
)
_WHOLE = (
    "CASE kind WHEN 'email' THEN email IS NOT NULL WHEN 'phone' THEN phone IS NOT NULL"
    " ELSE addr1 IS NOT NULL AND city IS NOT NULL AND state IS NOT NULL AND zip5 IS NOT NULL END"
)


def upgrade() -> None:
    """Apply the change."""
    for table, (box, key_id, fingerprint) in _BOXES.items():
        op.add_column(table, sa.Column(box, sa.LargeBinary(), nullable=True))
        op.add_column(table, sa.Column(key_id, sa.String(), nullable=True))
        if fingerprint is not None:
            op.add_column(table, sa.Column(fingerprint, sa.LargeBinary(), nullable=True))
    op.add_column("communication", sa.Column("sealed_name", sa.LargeBinary(), nullable=True))
    op.add_column("communication", sa.Column("name_key_id", sa.String(), nullable=True))
    for table, column in _EMPTIED:
        op.alter_column(table, column, nullable=True)
    op.drop_constraint(op.f("ck_contact_point_complete"), "contact_point")
    op.create_check_constraint(
        op.f("ck_contact_point_complete"), "contact_point", f"sealed IS NOT NULL OR {_WHOLE}"
    )


def downgrade() -> None:
    """Take the change back: what was sealed by then cannot be had back without the keys."""
    op.drop_constraint(op.f("ck_contact_point_complete"), "contact_point")
    op.create_check_constraint(op.f("ck_contact_point_complete"), "contact_point", _WHOLE)
    for table, column in _EMPTIED:
        op.alter_column(table, column, nullable=False)
    op.drop_column("communication", "name_key_id")
    op.drop_column("communication", "sealed_name")
    for table, columns in _BOXES.items():
        for column in filter(None, columns):
            op.drop_column(table, column)
