"""How long 100,000 participants take to import, and in how much memory.

    python -m bench.import_caseload [--participants 100000]

Makes a sample and imports it three times into a PostgreSQL of its own: into nothing, again
unchanged, and as a dry run. The memory is the most that this process has held so far;
PostgreSQL's own is not counted.
"""

import argparse
import asyncio
import resource
import sys
import time
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from bench.findings import OUT, Findings, Sheet
from bench.stand import stand
from engine.bootstrap import column_sealer
from engine.caseload.columns import Rules
from engine.caseload.importing import import_caseload
from engine.caseload.sample import write_sample
from engine.database import create_engine


def peak_mebibytes() -> float:
    """The most memory this process has held; Linux counts it in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


async def measure(engine: AsyncEngine, folder: Path, participants: int) -> Findings:
    """Import `folder` three times over."""
    findings, table = Findings("import_caseload"), []
    for title, dry_run in (("first", False), ("again, unchanged", False), ("dry run", True)):
        began = time.perf_counter()
        report = await import_caseload(engine, folder, Rules(), dry_run=dry_run)
        seconds = time.perf_counter() - began
        if report.faults:
            raise SystemExit(f"the sample had {len(report.faults)} faults")
        rows = sum(file.rows for file in report.files)
        added = sum(file.added for file in report.files)
        table.append(
            (
                title,
                f"{seconds:.1f} s",
                f"{rows:,}",
                f"{added:,}",
                f"{rows / seconds:,.0f}",
                f"{peak_mebibytes():.0f}",
            )
        )
        findings.figures[title] = {"seconds": seconds, "rows": rows, "mebibytes": peak_mebibytes()}
    columns = ("import", "took", "rows", "added", "rows/s", "MiB")
    findings.sheets.append(Sheet(f"{participants:,} participants", columns, table))
    await engine.dispose()
    return findings


def main() -> None:
    """Read the size wanted, and measure."""
    parser = argparse.ArgumentParser(prog="bench.import_caseload", description=__doc__)
    parser.add_argument("--participants", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    with stand() as settings:
        assert settings.database_url is not None  # noqa: S101  the stand set it
        files = settings.data_dir / "files"
        write_sample(files, participants=asked.participants, seed=asked.seed)
        engine = create_engine(
            settings.database_url.get_secret_value(), sealer=column_sealer(settings)
        )
        findings = asyncio.run(measure(engine, files, asked.participants))
    findings.show()
    findings.write(asked.out)


if __name__ == "__main__":
    main()
