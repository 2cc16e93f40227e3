"""`connect notify` and `connect statements`: one notice to many, tried first or recorded."""

import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from engine.bootstrap import Application
from engine.caseload.bulk_notices import FaultyFileError, notice_named
from engine.caseload.survey import Survey
from engine.cli.opening import with_application
from engine.cli.plain import add_row, new_table, say, show_table
from engine.communications.bulk_recording import Recording

_FAULTS_SHOWN: Final = 50
_console: Final = Console()
_errors: Final = Console(stderr=True)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Do all of it, say what, and undo it.")]


@dataclass(frozen=True, slots=True)
class _Run:
    """What a command recorded, or would have; `survey` is of a dry run."""

    campaign: str
    asked: int
    recorded: int
    seconds: float
    survey: Survey | None = None


def notify(
    notice: Annotated[str, typer.Argument(help="Which notice, by its key in the catalogue.")],
    to: Annotated[
        Path,
        typer.Option("--to", metavar="QUERY.csv", help="participant_id, and the notice's facts."),
    ],
    *,
    dry_run: DryRun = False,
    name: Annotated[
        str | None, typer.Option(help="What to call the campaign; else by notice and content.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Though a campaign of the same content was recorded.")
    ] = False,
) -> None:
    """Tell a notice to everyone whom a file names; a file with a bad row tells nobody."""
    told = notice_named(notice)
    with _watched() as watch:

        async def act(application: Application) -> _Run:
            recording = application.bulk_notices.recording(
                told, to, name=name, again=again, keep=not dry_run, reading=watch.read
            )
            return await _record(application, recording, watch, dry_run=dry_run)

        try:
            run = with_application(act)
        except FaultyFileError as error:
            _print_faults(error)
            raise typer.Exit(1) from None
    _print(run)


def statements(
    month: Annotated[
        datetime, typer.Option(formats=["%Y-%m"], metavar="YYYY-MM", help="A month that is over.")
    ],
    *,
    dry_run: DryRun = False,
    everyone: Annotated[
        bool, typer.Option("--everyone", help="Letters to those who are not enrolled, besides.")
    ] = False,
) -> None:
    """Record the monthly statements of those enrolled; a month twice tells nobody twice."""
    with _watched() as watch:

        async def act(application: Application) -> _Run:
            recording = application.statements.recording(
                month.date(), everyone=everyone, keep=not dry_run
            )
            return await _record(application, recording, watch, dry_run=dry_run)

        run = with_application(act)
    _print(run)


@dataclass(frozen=True, slots=True)
class _Watch:
    """A bar that says what is being done, and how much of it is behind us."""

    bar: Progress
    task: TaskID

    def say(self, doing: str, share: float | None = None) -> None:
        self.bar.update(self.task, description=doing, completed=share or 0.0)

    def read(self, share: float) -> None:
        self.say("reading", share)

    def recorded(self, done: int, total: int) -> None:
        self.say(f"recorded {done:,} of {total:,}", done / max(1, total))


@contextmanager
def _watched() -> Iterator[_Watch]:
    """A bar on a terminal, gone when the work is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=_errors,
        transient=True,
        disable=not _errors.is_terminal,
    ) as bar:
        yield _Watch(bar, bar.add_task("opening", total=1.0))


async def _record(
    application: Application,
    opened: AbstractAsyncContextManager[Recording],
    watch: "_Watch",
    *,
    dry_run: bool,
) -> _Run:
    began = time.monotonic()
    survey = None
    async with opened as recording:
        await recording.write(watch.recorded)
        if dry_run:
            watch.say("looking at what it comes to")
            survey = await application.surveyor.survey(recording)
    seconds = time.monotonic() - began
    return _Run(recording.campaign, recording.asked, recording.recorded, seconds, survey)


def _print(run: _Run) -> None:
    known = run.asked - run.recorded
    besides = f"; {known:,} were recorded before" if known else ""
    if run.survey is not None:
        say(
            _console,
            f"Dry run, nothing was kept: {run.campaign} would tell {run.recorded:,}{besides}",
        )
        _print_survey(run.survey)
        return
    pace = run.recorded / max(run.seconds, 0.001)
    say(
        _console,
        f"{run.campaign}: {run.recorded:,} recorded{besides} "
        f"({run.seconds:.1f} s, {pace:,.0f} a second)",
    )
    if run.recorded:
        say(_console, "They go out as soon as a worker runs.")
    say(_console, f"See how far it has come: connect campaign show {run.campaign}")


def _print_survey(survey: Survey) -> None:
    if survey.ways:
        table = new_table("By which way")
        for heading in ("way", "language", "number", "due by", "for example"):
            table.add_column(heading, justify="right" if heading == "number" else "left")
        for way in survey.ways:
            add_row(
                table,
                way.way,
                way.language,
                f"{way.number:,}",
                way.due.isoformat(),
                ", ".join(way.some),
            )
        show_table(_console, table)
    if survey.not_reached:
        table = new_table("Held for a person: no address that may be used", "yellow")
        for heading in ("why", "number", "for example"):
            table.add_column(heading, justify="right" if heading == "number" else "left")
        for found in survey.not_reached:
            add_row(table, found.reason, f"{found.number:,}", ", ".join(found.some))
        show_table(_console, table)
    if survey.letters:
        pages = "not known" if survey.pages is None else f"about {survey.pages:,}"
        say(_console, f"Letters: {survey.letters:,}; pages, blank backs among them: {pages}")


def _print_faults(error: FaultyFileError) -> None:
    for fault in error.faults[:_FAULTS_SHOWN]:
        column = f" {fault.column}" if fault.column else ""
        say(_errors, f"{fault.file}:{fault.line}{column}: {fault.reason}")
    if len(error.faults) > _FAULTS_SHOWN:
        say(_errors, f"… and {len(error.faults) - _FAULTS_SHOWN:,} more")
    say(_errors, str(error))
