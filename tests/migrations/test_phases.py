"""A migration takes nothing away from the version that is still at work."""

from pathlib import Path

import pytest

from engine.migrations.phases import all_faults, faults

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
RELEASED = "# Changelog\n\n## 0.2.0\n\nThe column `given_to` is read no more.\n"


def migration(tmp_path: Path, *lines: str, head: str = "") -> Path:
    """A migration whose `upgrade` has these lines."""
    path = tmp_path / "0099_a_change.py"
    body = "\n".join(f"    {line}" for line in lines)
    path.write_text(
        f'import sqlalchemy as sa\nfrom alembic import op\nrevision = "0099"\n{head}\n'
        f'def upgrade() -> None:\n    """Apply."""\n{body}\n'
    )
    return path


def test_every_migration_keeps_the_rule() -> None:
    """Those of this version, all of them."""
    assert all_faults(CHANGELOG) == []


@pytest.mark.parametrize(
    "line",
    [
        'op.create_table("t", sa.Column("id", sa.BigInteger(), nullable=False))',
        'op.add_column("delivery", sa.Column("a", sa.String(), nullable=True))',
        'op.add_column("delivery", sa.Column("a", sa.String()))',
        'op.add_column("d", sa.Column("a", sa.Integer(), server_default="0", nullable=False))',
        'op.create_index("ix", "delivery", ["a"])',
        'op.create_table("t"); op.create_index("uq", "t", ["a"], unique=True)',
        'op.drop_constraint("ck", "d"); op.create_check_constraint("ck", "d", "a IN (1, 2)")',
        'op.alter_column("delivery", "reason", nullable=True)',
        'op.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN END $$")',
        'op.execute("UPDATE delivery SET a = 1")',
        'op.drop_index("ix_delivery_due", table_name="delivery")',
    ],
)
def test_what_adds_may_stand(tmp_path: Path, line: str) -> None:
    """The old code neither reads nor writes what is new, and may do all that it did."""
    assert faults(migration(tmp_path, line), RELEASED) == []


@pytest.mark.parametrize(
    "line",
    [
        'op.drop_column("delivery", "reason")',
        'op.drop_table("delivery")',
        'op.rename_table("delivery", "attempt")',
        'op.drop_index("uq_print_batch_open")',
        'op.add_column("delivery", sa.Column("a", sa.String(), nullable=False))',
        'op.alter_column("delivery", "reason", nullable=False)',
        'op.alter_column("delivery", "reason", type_=sa.Integer())',
        'op.alter_column("delivery", "reason", new_column_name="why")',
        'op.create_index("uq", "delivery", ["a"], unique=True)',
        'op.create_check_constraint("ck", "delivery", "a > 0")',
        'op.execute("ALTER TABLE delivery DROP COLUMN reason")',
        "op.execute(_TAKEN)",
        'op.execute(f"ALTER TABLE {name} RENAME COLUMN reason TO why")',
        "op.execute(statement())",
    ],
)
def test_what_takes_away_is_refused(tmp_path: Path, line: str) -> None:
    """It names the file and the line, so that it can be split in two."""
    head = '_TAKEN = "DELETE FROM delivery"'
    (fault,) = faults(migration(tmp_path, line, head=head), RELEASED)
    assert fault.startswith("0099_a_change.py:")


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ('phase = "contract"', "says unused_since"),
        ('phase = "contract"\nunused_since = "0.3.0"', "no heading"),
        ('phase = "contract"\nunused_since = "0.2.0"', None),
    ],
)
def test_a_contract_names_the_version_that_let_go(
    tmp_path: Path, head: str, said: str | None
) -> None:
    """What is removed has been unused since a version that was released."""
    found = faults(migration(tmp_path, 'op.drop_column("delivery", "reason")', head=head), RELEASED)
    assert len(found) == (said is not None)
    assert all(said is not None and said in fault for fault in found)
