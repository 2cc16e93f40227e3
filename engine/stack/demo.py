"""The demonstration: the main job on a sample caseload, with everything real but the parents."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from engine.bootstrap import Application, open_application
from engine.caseload.columns import Rules
from engine.caseload.importing import import_caseload
from engine.caseload.sample import write_sample
from engine.clock import pacific_date, system_clock
from engine.database import driver_connection
from engine.errors import ConnectError
from engine.logs import configure_logs, log_file
from engine.mail.batches import ClosedBatch
from engine.settings import Settings
from engine.stack import tally
from engine.stack.report import write_report
from engine.stack.stack import Stack, require_free, running_stack
from engine.stack.visitors import visit_all, visitors_from

PATIENCE_SECONDS: Final = 600.0
"""Without any progress for so long, the demonstration gives up and says what is missing."""

_LOOK_EVERY_SECONDS: Final = 0.25
_WITH_EMAIL: Final = """
SELECT first_name, last_name, external_id
FROM participant JOIN contact_point ON participant_id = participant.id
WHERE kind = 'email' AND superseded_at IS NULL AND safe_to_use AND NOT confidential
ORDER BY participant.id LIMIT 1
"""
_MARK: Final = ".customer-connect-demo"


class DemoError(ConnectError):
    """The demonstration did not deliver what it owed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a demonstration is."""

    participants: int
    seed: int
    workers: int
    portal_port: int
    mailbox_port: int


def run_demo(settings: Settings, plan: Plan, console: Console) -> None:
    """Run it from an empty folder to the closing table; raises DemoError if anything was lost."""
    folder = settings.data_dir
    require_free(folder)
    _clear(folder)
    configure_logs(log_file(folder, "demo"))
    console.print(
        f"[bold]Customer Connect[/] — {plan.participants} sample participants in {folder}"
    )
    with _bar(console) as bar:
        step = bar.add_task("writing the sample caseload", total=None)
        today = pacific_date(system_clock())
        write_sample(
            folder / "caseload",
            participants=plan.participants,
            seed=plan.seed,
            as_of=today,
            rules=_rules(settings),
        )
        bar.update(step, description="starting PostgreSQL, Redis, mailbox, portal and workers")
        with running_stack(
            settings,
            plan.portal_port,
            plan.mailbox_port,
            plan.workers,
            {"FORGOT_PIN_RATE": settings.forgot_pin_rate},
        ) as stack:
            bar.remove_task(step)
            asyncio.run(_drive(stack, bar, console))
    console.print("Everything that was started has been stopped.")


def _clear(folder: Path) -> None:
    """Empty the demonstration's own folder; another folder is never touched."""
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise DemoError(
            f"{folder} is not empty and was not made by a demonstration: choose another folder"
        )
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()


@contextmanager
def _bar(console: Console) -> Iterator[Progress]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        yield bar


async def _drive(stack: Stack, bar: Progress, console: Console) -> None:
    async with open_application(stack.settings) as application:
        step = bar.add_task("loading the caseload", total=None)
        await _load(application)
        bar.remove_task(step)
        await _trigger(application, stack, bar)
        await _wait_until_final(application, stack, bar)
        step = bar.add_task("composing, encrypting and handing over the print batch", total=None)
        closed = await application.batches.close()
        bar.remove_task(step)
        rows = await tally.rows(application.engine)
        progress = await tally.progress(application.engine)
        report = write_report(application, rows, closed)
    _show(console, stack, rows, closed, report)
    if progress.undelivered:
        raise DemoError(f"{progress.undelivered} communications were owed and not delivered")


async def load_sample(
    application: Application, participants: int, as_of: date
) -> tuple[str, str, str]:
    """Load a sample caseload where there is none yet; one who has email: names and ID."""
    folder = application.settings.data_dir / "caseload"
    if not folder.exists():
        rules = _rules(application.settings)
        write_sample(folder, participants=participants, seed=1, as_of=as_of, rules=rules)
    await _load(application)
    async with application.engine.connect() as connection:
        driver = await driver_connection(connection)
        row = await driver.fetchrow(_WITH_EMAIL)
    return row["first_name"], row["last_name"], row["external_id"]


async def _load(application: Application) -> None:
    settings = application.settings
    report = await import_caseload(
        application.engine,
        settings.data_dir / "caseload",
        _rules(settings),
    )
    if report.faults:
        raise DemoError(f"the sample caseload has {len(report.faults)} faulty rows")


def _rules(settings: Settings) -> Rules:
    return Rules(settings.participant_id_digits, settings.case_number_digits)


async def _trigger(application: Application, stack: Stack, bar: Progress) -> None:
    """Everything that makes somebody owe something: payments, appointments, forgotten PINs."""
    now = application.clock()
    step = bar.add_task("recording payment notices and reminders", total=None)
    await application.notices.payments_since(pacific_date(now) - timedelta(days=30))
    ahead = timedelta(days=30)
    await application.notices.reminders(ahead, ahead)
    bar.remove_task(step)
    visitors = list(visitors_from(application.settings.data_dir / "caseload"))
    step = bar.add_task("asking for PINs at the portal's form", total=len(visitors))
    await visit_all(stack.portal_url, visitors, lambda: bar.advance(step))
    bar.remove_task(step)


async def _wait_until_final(application: Application, stack: Stack, bar: Progress) -> None:
    """Wait while the workers work; letters rest in the open batch until it is closed."""
    step = bar.add_task("delivering", total=None)
    last, since = None, time.monotonic()
    while True:
        stack.supervisor.check()
        now = await tally.progress(application.engine)
        done = now.final + now.batched
        bar.update(step, total=now.communications, completed=done)
        if not now.unsettled and not now.waiting and done >= now.communications:
            return
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > PATIENCE_SECONDS:
            raise DemoError(f"nothing moved for {PATIENCE_SECONDS:.0f} s: {now}")
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _show(
    console: Console,
    stack: Stack,
    rows: list[tally.Row],
    closed: list[ClosedBatch],
    report: Path,
) -> None:
    console.print(closing_table(rows))
    for batch in closed:
        console.print(
            f"Batch [bold]{batch.name}[/]: {batch.pieces} pieces, {batch.sheets} sheets, "
            f"sha256 {batch.sha256}"
        )
    folder = stack.settings.data_dir
    console.print(
        f"\nLook at\n  {report}\n  {folder / 'mailbox'} (the emails)\n"
        f"  {folder / 'print' / 'outgoing'} (the batch; open it with the keys in "
        f"{folder / 'print' / 'vendor-key'})\n  {folder / 'logs'} (what each process said)"
    )


def closing_table(rows: list[tally.Row]) -> Table:
    """Notice × channel × language, with counts, times and promises."""
    table = Table(
        title="What was owed, and what became of it",
        box=box.SIMPLE,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_edge=False,
    )
    table.add_column("notice", no_wrap=True)
    table.add_column("by")
    table.add_column("lang")
    for name in ("count", "done", "held", "moved", "median", "p99"):
        table.add_column(name, justify="right")
    table.add_column("due by")
    table.add_column("deadline met", justify="right")
    for row in rows:
        table.add_row(
            row.notice,
            row.channel,
            row.language,
            str(row.deliveries),
            str(row.met),
            str(row.held),
            str(row.failed + row.cancelled),
            _seconds(row.median),
            _seconds(row.p99),
            row.due,
            f"{row.in_time} of {row.met}",
        )
    table.caption = (
        "held: waits for a person, still owed. moved: to the next channel, or to a newer request.\n"
        "Times run from the request to the mail server's 250, or to the batch's verified handover."
    )
    return table


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} s"
