"""`python -m engine.stack.schema_check`: whether the migrations make what the models say."""

import sys
import tempfile
from pathlib import Path

from engine.migrations.run import differences, upgrade
from engine.stack.embedded import start_postgres


def main() -> None:
    """Migrate an empty database and compare it with the models; exit status 1 if they differ."""
    with tempfile.TemporaryDirectory() as folder:
        postgres = start_postgres(Path(folder) / "postgres")
        try:
            upgrade(postgres.url)
            found = differences(postgres.url)
        finally:
            postgres.stop()
    for difference in found:
        sys.stderr.write(f"models and migrations differ: {difference}\n")
    if found:
        sys.exit(1)
    sys.stdout.write("models and migrations agree\n")


if __name__ == "__main__":
    main()
