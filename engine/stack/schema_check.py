"""`python -m engine.stack.schema_check`: whether the migrations make what the models say, only add
while an older version may be at work, and leave no table without its grants."""

import sys
import tempfile
from pathlib import Path

from engine.migrations.phases import all_faults
from engine.migrations.run import differences, make_embedded_roles, role_faults, upgrade
from engine.stack.embedded import start_postgres

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"


def main() -> None:
    """Look at the migrations, migrate an empty database and compare it with the models and the
    grants; exit status 1 where anything is wrong."""
    wrong = all_faults(CHANGELOG)
    with tempfile.TemporaryDirectory() as folder:
        postgres = start_postgres(Path(folder) / "postgres")
        try:
            make_embedded_roles(postgres.url)
            upgrade(postgres.url)
            found = differences(postgres.url)
            faults = role_faults(postgres.url)
        finally:
            postgres.stop()
    for difference in found:
        sys.stderr.write(f"models and migrations differ: {difference}\n")
    for fault in wrong:
        sys.stderr.write(f"expand, then contract (CONTRIBUTING.md): {fault}\n")
    for fault in faults:
        sys.stderr.write(f"grants: {fault}\n")
    if found or wrong or faults:
        sys.exit(1)
    sys.stdout.write("models, migrations and grants agree, and migrations only add\n")


if __name__ == "__main__":
    main()
