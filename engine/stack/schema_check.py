"""`python -m engine.stack.schema_check`: whether the migrations make what the models say, and only
add while an older version may be at work."""

import sys
import tempfile
from pathlib import Path

from engine.migrations.phases import all_faults
from engine.migrations.run import differences, upgrade
from engine.stack.embedded import start_postgres

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"


def main() -> None:
    """Look at the migrations, migrate an empty database and compare it with the models; exit status
    1 where anything is wrong."""
    wrong = all_faults(CHANGELOG)
    with tempfile.TemporaryDirectory() as folder:
        postgres = start_postgres(Path(folder) / "postgres")
        try:
            upgrade(postgres.url)
            found = differences(postgres.url)
        finally:
            postgres.stop()
    for difference in found:
        sys.stderr.write(f"models and migrations differ: {difference}\n")
    for fault in wrong:
        sys.stderr.write(f"expand, then contract (CONTRIBUTING.md): {fault}\n")
    if found or wrong:
        sys.exit(1)
    sys.stdout.write("models and migrations agree, and migrations only add\n")


if __name__ == "__main__":
    main()
