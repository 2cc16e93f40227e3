"""`connect recover`: after a restore, find again what was sent since; then work may go on."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from engine.bootstrap import Application
from engine.cli.opening import with_application
from engine.cli.plain import add_row, new_table, say, show_table
from engine.errors import InputError
from engine.mail.acts import Signed
from engine.recovery.recovering import Findings

_LISTED: Final = 20
_console: Final = Console()

Row = tuple[str, int, str]


def recover(  # noqa: PLR0917  typer makes options of them
    smtp_log: Annotated[
        list[Path] | None,
        typer.Option(help="A mail log since the backup; more than one is allowed, .gz too."),
    ] = None,
    no_smtp_log: Annotated[
        bool, typer.Option("--no-smtp-log", help="There is none: emails may go a second time.")
    ] = False,
    begin: Annotated[
        bool, typer.Option("--begin", help="Only hold the database: nothing runs from now on.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")
    ] = False,
    keep_held: Annotated[
        bool, typer.Option("--keep-held", help="Put right, and let nothing run yet.")
    ] = False,
    by: Annotated[str, typer.Option("--by", help="Who you are; on record.")] = "",
    why: Annotated[str, typer.Option("--why", help="The reason; on record.")] = "",
) -> None:
    """After a restore: record again what was sent since the backup, so that nothing is sent twice.

    The mail logs are compared with the database, with the rosters of the batches that left, and
    with the files from the vendor. docs/recovery.md says where each comes from.
    """
    if begin:
        signed = Signed(by, why)
        with_application(lambda opened: opened.recovery.begin(signed), recovering=True)
        say(_console, "The database is held. Nothing runs on it until: connect recover")
        return
    if not smtp_log and not no_smtp_log:
        raise InputError(
            "name the mail logs since the backup with --smtp-log; without them every email that "
            "was sent since is sent again, and --no-smtp-log says that you accept it"
        )
    signed_run = None if dry_run else Signed(by, why)

    async def act(application: Application) -> Findings:
        recovery = application.recovery
        logs = recovery.read(smtp_log or ())
        if signed_run is None:
            return await recovery.look(logs)
        return await recovery.run(logs, signed_run, let_go=not keep_held)

    found = with_application(act, recovering=True)
    _show(found, dry_run=dry_run)
    if found.letters.conflicts:
        raise typer.Exit(1)


def _show(found: Findings, *, dry_run: bool) -> None:
    table = new_table("What would be done" if dry_run else "What was found, and done")
    for name in ("found", "number", "what follows"):
        table.add_column(name, justify="right" if name == "number" else "left", overflow="fold")
    for what, number, follows in (*_emails(found), *_letters(found), *_others(found)):
        add_row(table, what, str(number), follows, style="" if number else "dim")
    show_table(_console, table)
    _list("Emails that the database knows nothing of, by delivery", found.emails.unknown)
    _list("Numbers that stand for something else now, by delivery", found.emails.used_again)
    _list("Letters whose PIN works no more, by communication", found.letters.pins_lost)
    for conflict in found.letters.conflicts:
        say(_console, f"CONFLICT  {conflict}", "red")
    for file in found.vendor_files:
        say(_console, f"{file.name}: {file.reason or 'applied'}", "red" if file.reason else "")
    for line in _next(found, dry_run=dry_run):
        say(_console, line)


def _emails(found: Findings) -> Iterator[Row]:
    emails = found.emails
    yield "emails sent, as recorded", emails.agree, "nothing"
    yield "emails sent, owed here", len(emails.taken), "recorded as sent: not sent again"
    stood_in = "the email owed here is met: not sent again"
    yield "emails sent by a lost delivery", len(emails.stood_in), stood_in
    yield "emails that came back since", len(emails.came_back), "the next channel is owed"
    yield "emails begun, not taken", found.begun, "sent again, under the same Message-ID"
    yield "emails sent, unknown here", len(emails.unknown), "a person: see below"
    yield "emails sent under a used number", len(emails.used_again), "a person: see below"


def _letters(found: Findings) -> Iterator[Row]:
    letters = found.letters
    yield "batches, as recorded", letters.known, "nothing"
    yield "batches put back", len(letters.rebuilt), f"not printed again {_names(letters.rebuilt)}"
    vendor = "handed over: not sent again"
    yield "batches the vendor answered", len(letters.with_the_vendor), vendor
    yield "letters in them, owed here", len(letters.printed), "stand in their batch: no other"
    yield "letters of lost deliveries", len(letters.brought_back), "deliveries put back"
    yield "letters whose PIN was lost", len(letters.pins_lost), "held: connect mail send-on"
    yield "letters of lost notices", letters.unknown, "stand in their batch without a delivery"
    lost = f"numbers kept from use {_names(found.lost_batches)}"
    yield "batches without a roster", len(found.lost_batches), lost
    held = "held: ask the vendor, then connect mail send-on"
    yield "letters that may be in those", len(found.held_letters), held


def _others(found: Findings) -> Iterator[Row]:
    yield "vendor's files to apply again", found.to_apply, "statuses and returns take effect"
    yield "portal sessions", found.sessions, "ended: everybody signs in anew"


def _names(names: Sequence[str]) -> str:
    return f"({', '.join(names)})" if names else ""


def _list(title: str, ids: Sequence[int]) -> None:
    if ids:
        more = f", and {len(ids) - _LISTED} more" if len(ids) > _LISTED else ""
        say(_console, f"{title}: {', '.join(map(str, ids[:_LISTED]))}{more}", "yellow")


def _next(found: Findings, *, dry_run: bool) -> Iterator[str]:
    if found.emails.unknown or found.letters.unknown:
        yield (
            "What was recorded after the backup is gone, with who was to read it: before a "
            "campaign, statements or an import are run again, see docs/recovery.md, 'What no log "
            "can bring back'."
        )
    if dry_run:
        yield "Nothing was changed. To do it: the same without --dry-run, with --by and --why."
    elif found.letters.conflicts:
        yield "Nothing runs until the conflicts are solved: docs/recovery.md, 'Conflicts'."
    elif found.let_go:
        yield "Workers and portal may start. Held letters: connect mail held"
    else:
        yield "Nothing runs yet: once more without --keep-held, and work goes on."
