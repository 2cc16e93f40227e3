"""How long 100,000 participants take to import, and in how much memory.

Run as `python -m bench.import_caseload`. Makes a sample, starts a PostgreSQL of its own in a
temporary folder, and imports the sample three times: into nothing, again unchanged, and as a dry
run. Prints seconds and the peak resident memory of this process; PostgreSQL's own is not counted.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from pathlib import Path

from engine.bootstrap import column_sealer
from engine.caseload.columns import Rules
from engine.caseload.importing import import_caseload
from engine.caseload.sample import write_sample
from engine.database import create_engine
from engine.migrations.run import upgrade
from engine.settings import load_settings
from engine.stack.embedded import start_postgres


def peak_mebibytes() -> float:
    """The most memory this process has held; Linux counts it in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


async def measure(url: str, folder: Path) -> None:
    """Import `folder` three times over and print what each took."""
    engine = create_engine(url, sealer=column_sealer(load_settings()))
    for title, dry_run in (("first", False), ("again, unchanged", False), ("dry run", True)):
        began = time.perf_counter()
        report = await import_caseload(engine, folder, Rules(), dry_run=dry_run)
        seconds = time.perf_counter() - began
        rows = sum(file.rows for file in report.files)
        added = sum(file.added for file in report.files)
        print(
            f"import, {title}: {seconds:.1f} s, {rows:,} rows, {added:,} added,"
            f" {len(report.faults)} faults, peak {peak_mebibytes():.0f} MiB"
        )
    await engine.dispose()


def main() -> None:
    """Read the size wanted, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participants", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        began = time.perf_counter()
        write_sample(folder / "files", participants=arguments.participants, seed=arguments.seed)
        print(f"sample: {time.perf_counter() - began:.1f} s, peak {peak_mebibytes():.0f} MiB")
        server = start_postgres(folder / "postgres")
        try:
            upgrade(server.url)
            asyncio.run(measure(server.url, folder / "files"))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
