"""The demonstration: the main job on a sample caseload, with everything real but the parents."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from engine.bootstrap import Application, open_application
from engine.caseload.columns import Rules
from engine.caseload.importing import import_caseload
from engine.caseload.personal import NAMES_APART
from engine.caseload.sample import write_sample
from engine.clock import PACIFIC, pacific_date, system_clock
from engine.database import driver_connection
from engine.logs import configure_logs, log_file
from engine.settings import Settings
from engine.stack import second_channels, tally
from engine.stack.closing_table import show
from engine.stack.print_run import print_run
from engine.stack.report import write_report
from engine.stack.stack import Stack, require_free, running_stack
from engine.stack.visitors import visit_all, visitors_from
from engine.stack.waiting import DemoError, Watch

MANNERS: Final = (
    *("--spoiled", "3", "--held", "2", "--rejected", "1", "--moved", "4", "--returned", "5"),
    "--encrypted",
)
"""An ordinary day at the vendor's: how many pieces of the batch meet which fate."""

_WITH_EMAIL: Final = f"""
SELECT {NAMES_APART} AS names, external_id
FROM participant JOIN contact_point ON participant_id = participant.id
WHERE kind = 'email' AND superseded_at IS NULL AND safe_to_use AND NOT confidential
ORDER BY participant.id LIMIT 1
"""  # noqa: S608  joined from constants of ours
_HURRIED: Final = ("forgot_pin_rate", "quiet_hours", "soft_bounce_retry_hours")
"""Settings of the demonstration's own: neither a night nor a full mailbox is waited for."""
_TO_MOVE: Final = """
SELECT appointment.id, starts_at
FROM communication JOIN appointment ON subject = 'appointment:' || appointment.id
WHERE notice = 'appointment_reminder' AND communication.state = 'owed' AND kind = 'office'
ORDER BY starts_at, appointment.id LIMIT 1
"""
_MARK: Final = ".customer-connect-demo"


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
        bar.update(step, description="starting servers, print vendor, portal and workers")
        with running_stack(
            settings,
            plan.portal_port,
            plan.mailbox_port,
            plan.workers,
            environment={name.upper(): str(getattr(settings, name)) for name in _HURRIED},
            manners=MANNERS,
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
        watch = Watch(application, stack.supervisor, bar)
        step = bar.add_task("loading the caseload", total=None)
        await _load(application)
        bar.remove_task(step)
        await _trigger(application, stack, bar)
        await watch.until_settled("delivering")
        step = bar.add_task("composing, encrypting and handing over the print batch", total=None)
        closed = await application.batches.close()
        bar.remove_task(step)
        await watch.until_mailed()
        await watch.until_settled("going on with what came back")
        rows = await tally.rows(application.engine)
        progress = await tally.progress(application.engine)
        run = await print_run(application, [batch.name for batch in closed])
        moves = await second_channels.moved(application.engine)
        report = write_report(application, rows, moves, run)
    show(console, rows, moves, run, report)
    if progress.undelivered:
        raise DemoError(f"{progress.undelivered} communications were owed and not delivered")
    if run.faults:
        raise DemoError(f"the print batch does not add up: {'; '.join(run.faults)}")


async def _move_an_appointment(application: Application) -> None:
    """Put a meeting off by a week that somebody is about to be reminded of: nothing that was still
    to be sent of the old hour sets out."""
    async with application.engine.connect() as connection:
        driver = await driver_connection(connection)
        row = await driver.fetchrow(_TO_MOVE)
    if row is not None:
        later = row["starts_at"].astimezone(PACIFIC) + timedelta(days=7)
        await application.appointment_changes.move(row["id"], later, "demonstration")


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
    first_name, last_name = row["names"].split("\n")
    return first_name, last_name, row["external_id"]


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
    await application.reminders.run()
    await _move_an_appointment(application)
    bar.remove_task(step)
    visitors = list(visitors_from(application.settings.data_dir / "caseload"))
    step = bar.add_task("asking for PINs at the portal's form", total=len(visitors))
    await visit_all(stack.portal_url, visitors, lambda: bar.advance(step))
    bar.remove_task(step)
