"""How long a campaign takes to record, and in how much memory.

    python -m bench.record [--communications 1000000]

A file names so many participants of a PostgreSQL of its own and what each is to be told; it is read
and checked, staged, and written, with its deliveries, as `connect notify` does it: whole or not at
all. A tenth of it is recorded first: what each row then costs, and what this process holds, is to
stay as it was. PostgreSQL's own memory is not counted.
"""

import argparse
import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.progress import Progress

from bench.findings import OUT, Findings, Sheet
from bench.machine import machine
from bench.memory import sampled_memory
from bench.people import make_people
from bench.plots import Bar, bars
from bench.stand import stand
from engine.bootstrap import Application, open_application
from engine.communications.catalogue import PAYMENT_NOTICE

_HEADER: Final = "participant_id,direction,amount_cents,paid_on,case_number\n"
_COST_MOST: Final = 1.25
_GROWTH_MOST: Final = 1.1


@dataclass(frozen=True, slots=True)
class Recorded:
    """A campaign of so many rows: seconds until they were checked and staged, seconds until they
    were written and committed, and the mebibytes that this process held at the most."""

    rows: int
    read: float
    written: float
    memory: float

    @property
    def per_second(self) -> float:
        """Communications a second, from the file to the commit."""
        return self.rows / (self.read + self.written)


def write_query(path: Path, rows: int) -> None:
    """A file that tells the first so many participants of a payment each."""
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEADER)
        for number in range(1, rows + 1):
            cents, day = 1_000 + number * 37 % 90_000, 1 + number % 28
            file.write(f"{number:010d},sent,{cents},2026-10-{day:02d},{number:015d}\n")


async def record(application: Application, path: Path, rows: int) -> Recorded:
    """Record the file as a campaign."""
    with sampled_memory({}) as peaks, Progress(transient=True) as progress:
        reading = progress.add_task(f"reading {rows:,}", total=1.0)
        writing = progress.add_task("writing", total=rows)
        began = time.perf_counter()
        async with application.bulk_notices.recording(
            PAYMENT_NOTICE,
            path,
            name=f"bench-{rows}",
            reading=lambda share: progress.update(reading, completed=share),
        ) as recording:
            read = time.perf_counter() - began
            progress.update(reading, completed=1.0)
            await recording.write(lambda done, _: progress.update(writing, completed=done))
        written = time.perf_counter() - began - read
    if recording.recorded != rows:
        raise SystemExit(f"{recording.recorded:,} of {rows:,} were recorded")
    return Recorded(rows, read, written, peaks.of["parent"])


async def _measure(application: Application, folder: Path, rows: int) -> list[Recorded]:
    await make_people(application, rows)
    found = []
    for size in (max(1, rows // 10), rows):
        path = folder / f"query-{size}.csv"
        write_query(path, size)
        found.append(await record(application, path, size))
        path.unlink()
    return found


def told(few: Recorded, many: Recorded) -> Findings:
    """Put both into words."""
    findings = Findings("record")
    columns = ("communications", "read and checked", "written", "rows/s", "MiB")
    rows = [
        (
            f"{one.rows:,}",
            f"{one.read:.1f} s",
            f"{one.written:.1f} s",
            f"{one.per_second:,.0f}",
            f"{one.memory:.0f}",
        )
        for one in (few, many)
    ]
    findings.sheets.append(Sheet("A campaign, from the file to the commit", columns, rows))
    cost, growth = few.per_second / many.per_second, many.memory / few.memory
    findings.lines.append(
        f"Each of {many.rows:,} takes {cost:.2f} of the time of each of {few.rows:,}, and the "
        f"process holds {growth:.2f} of what it held."
    )
    findings.plots["record"] = bars(
        "Communications recorded a second",
        [
            Bar(f"{one.rows:,}", one.per_second, f"{one.per_second:,.0f}", one is many)
            for one in (few, many)
        ],
        machine(),
    )
    findings.figures = {
        str(one.rows): {
            "read_seconds": round(one.read, 2),
            "written_seconds": round(one.written, 2),
            "per_second": round(one.per_second),
            "mebibytes": round(one.memory),
        }
        for one in (few, many)
    }
    if cost > _COST_MOST:
        findings.unmet.append(f"{cost:.2f} of the time each, and {_COST_MOST} was the most")
    if growth > _GROWTH_MOST:
        findings.unmet.append(f"memory grew to {growth:.2f} with ten times the rows")
    return findings


def main() -> None:
    """Read the size wanted, and measure."""
    parser = argparse.ArgumentParser(prog="bench.record", description=__doc__)
    parser.add_argument("--communications", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, default=OUT)
    asked = parser.parse_args()
    with stand() as settings:

        async def run() -> list[Recorded]:
            async with open_application(settings) as application:
                return await _measure(application, settings.data_dir, asked.communications)

        few, many = asyncio.run(run())
    findings = told(few, many)
    findings.show()
    findings.write(asked.out)


if __name__ == "__main__":
    main()
