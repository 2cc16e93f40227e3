"""`connect caseload`: load the case system's files, or make an invented caseload to try out."""

import asyncio
import json
from collections import Counter
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from engine.bootstrap import column_sealer
from engine.caseload.columns import Rules, documentation
from engine.caseload.importing import ImportReport, import_caseload
from engine.caseload.reading import Fault
from engine.caseload.sample import DEFAULT_AS_OF, write_sample
from engine.database import create_engine
from engine.errors import SettingsError
from engine.migrations.run import upgrade
from engine.settings import Settings, load_settings
from engine.stack.servers import servers_for

_FAULTS_SHOWN: Final = 50

app = typer.Typer(help="Load the case system's files, or make an invented caseload to try out.")


async def _import(settings: Settings, folder: Path, *, dry_run: bool) -> ImportReport:
    if settings.database_url is None:
        raise SettingsError("DATABASE_URL: no database is set or serving")
    engine = create_engine(settings.database_url.get_secret_value(), sealer=column_sealer(settings))
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("reading", total=1.0)
        try:
            return await import_caseload(
                engine,
                folder,
                Rules.of(settings),
                dry_run=dry_run,
                progress=lambda doing, done: bar.update(task, description=doing, completed=done),
            )
        finally:
            await engine.dispose()


def _where(fault: Fault) -> str:
    line = f":{fault.line}" if fault.line else ""
    column = f" {fault.column}" if fault.column else ""
    return f"{fault.file}{line}{column}"


def _show(report: ImportReport) -> None:
    table = Table("file", title="Dry run: nothing was kept" if report.dry_run else None)
    for title in ("rows", "added", "updated", "unchanged"):
        table.add_column(title, justify="right")
    table.add_column("outcome")
    for file in report.files:
        counts = (file.rows, file.added, file.updated, file.unchanged)
        outcome = "refused" if file.refused else "would be loaded" if report.dry_run else "loaded"
        table.add_row(file.file, *(f"{count:,}" for count in counts), outcome)
    Console().print(table)
    complaints = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    for fault in report.faults[:_FAULTS_SHOWN]:
        complaints.print(f"{_where(fault)}: {fault.reason}")
    if len(report.faults) > _FAULTS_SHOWN:
        complaints.print(f"… and {len(report.faults) - _FAULTS_SHOWN:,} more")
    if report.faults:
        complaints.print(f"{len(report.faults):,} fault(s)")
    if report.flagged:
        flags = Counter(flag for address in report.flagged for flag in address.flags)
        counted = ", ".join(f"{number:,} {flag}" for flag, number in flags.most_common())
        complaints.print(
            f"{len(report.flagged):,} address(es) to which no letter goes until they are mended: "
            f"{counted}"
        )


def _write_report(path: Path, report: ImportReport) -> None:
    with path.open("w", encoding="utf-8") as handle:
        for fault in report.faults:
            handle.write(json.dumps(asdict(fault), ensure_ascii=False) + "\n")
        for address in report.flagged:
            handle.write(json.dumps(asdict(address)) + "\n")


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the CSV files.")],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report the same, and load nothing.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            help="Write every fault, and every address with flags, one JSON object a line."
        ),
    ] = None,
) -> None:
    """Load a folder of caseload files; exits 1 when anything in it was refused."""
    with servers_for(load_settings()) as settings:
        if settings.profile == "development" and settings.database_url is not None:
            upgrade(settings.database_url.get_secret_value())
        found = asyncio.run(_import(settings, folder, dry_run=dry_run))
    if report is not None:
        _write_report(report, found)
    _show(found)
    if not found.whole:
        raise typer.Exit(1)


@app.command()
def sample(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to write the files.")],
    participants: Annotated[int, typer.Option(min=1, help="How many parents.")] = 1_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    as_of: Annotated[
        date | None,
        typer.Option(
            parser=date.fromisoformat,
            metavar="YYYY-MM-DD",
            help=f"The day the sample is seen from; {DEFAULT_AS_OF} unless given.",
        ),
    ] = None,
) -> None:
    """Write an invented caseload: made-up people at real Californian addresses."""
    counts = write_sample(
        out,
        participants=participants,
        seed=seed,
        as_of=as_of or DEFAULT_AS_OF,
        rules=Rules.of(load_settings()),
    )
    table = Table("file", "rows")
    for name, count in counts.items():
        table.add_row(name, f"{count:,}")
    Console().print(table)


@app.command()
def columns() -> None:
    """Print what each file must hold, column by column."""
    print(documentation(Rules.of(load_settings())), end="")
