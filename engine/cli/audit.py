"""`connect audit`: prove the audit trail, look into it, and remove what is older than is kept."""

from datetime import datetime
from typing import Annotated, Final

import typer
from rich.console import Console

from engine.bootstrap import Application
from engine.cli.opening import with_application
from engine.cli.plain import add_row, moment, new_table, number, say, show_table
from engine.database import driver_connection
from engine.errors import InputError
from engine.security.audit import Verified, Written

app = typer.Typer(help="The audit trail: prove it, and look into it.", no_args_is_help=True)
_console: Final = Console()
_HASH_LETTERS: Final = 64


@app.callback()
def audit() -> None:
    """The audit trail: prove it, and look into it."""


@app.command()
def verify(
    head: Annotated[
        str | None,
        typer.Option(
            metavar="ID:HASH",
            help="A head that was written down: shows whether entries were cut off since.",
        ),
    ] = None,
) -> None:
    """Prove every entry from the first to the last; exits 1 where one was changed or is gone."""
    written_down = None if head is None else _head(head)
    with _console.status("proving the audit trail") as status:

        async def act(application: Application) -> Verified:
            async with application.engine.connect() as connection:
                return await application.audit.verify(
                    connection,
                    head=written_down,
                    progress=lambda done: status.update(f"{done:,} entries proved"),
                )

        proved = with_application(act)
    if proved.entries == 0:
        say(_console, "The audit trail is empty.")
        return
    say(
        _console,
        f"The audit trail is whole: {proved.entries:,} entries, {proved.first_id} to "
        f"{proved.last_id}.",
    )
    if written_down is not None:
        say(_console, f"Entry {written_down[0]} is the one that was written down.")
    say(_console, f"Its head is {proved.last_id}:{proved.head}")
    say(
        _console,
        "Write it down where nobody reaches who reaches the database. The next time: connect audit "
        "verify --head ID:HASH",
    )


@app.command()
def show(
    participant: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Of one Participant ID Number; of all where none is."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 50,
) -> None:
    """The latest entries, newest first."""

    async def act(application: Application) -> list[Written]:
        async with application.engine.connect() as connection:
            id_ = None
            if participant is not None:
                driver = await driver_connection(connection)
                id_ = await driver.fetchval(
                    "SELECT id FROM participant WHERE external_id = $1", participant
                )
                if id_ is None:
                    raise InputError("no participant has this Participant ID Number")
            return await application.audit.latest(connection, limit, id_)

    entries = with_application(act)
    if not entries:
        say(_console, "There is no entry.")
        return
    table = new_table("The audit trail, newest first")
    for name in ("entry", "at", "who", "act", "participant", "details", "from"):
        table.add_column(name, overflow="fold")
    for written in entries:
        entry = written.entry
        add_row(
            table,
            str(written.id),
            moment(written.at),
            entry.actor,
            entry.act,
            number(entry.participant_id),
            ", ".join(f"{name} {value}" for name, value in entry.details.items()),
            entry.network or "",
        )
    show_table(_console, table)


@app.command()
def prune(
    *,
    remove: Annotated[bool, typer.Option("--remove", help="Do it; else it is only told.")] = False,
) -> None:
    """Remove the entries older than AUDIT_YEARS, once the whole trail is proved.

    It is cut before the first entry about somebody under legal hold.
    """

    async def act(application: Application) -> tuple[int, datetime, int]:
        years = application.settings.audit_years
        before = await application.purge.audit_before()
        if remove:
            return await application.purge.prune_audit(), before, years
        return await application.purge.old_audit(), before, years

    entries, before, years = with_application(act)
    older = f"{entries:,} entries older than {years} years (before {moment(before)})"
    if entries == 0:
        say(_console, f"No entry is older than {years} years: nothing to remove.")
    elif remove:
        say(_console, f"Removed: {older}. An entry of the trail says so.")
        say(_console, "A head that was written down before is no use: connect audit verify")
    else:
        say(_console, f"The trail is whole, and nothing was removed. To remove {older}:")
        say(_console, "connect audit prune --remove")


def _head(given: str) -> tuple[int, str]:
    id_, _, hash_ = given.strip().partition(":")
    hexadecimal = len(hash_) == _HASH_LETTERS and all(
        mark in "0123456789abcdef" for mark in hash_.lower()
    )
    if not (id_.isascii() and id_.isdigit() and hexadecimal):
        raise InputError("--head must read ID:HASH, as `connect audit verify` prints it")
    return int(id_), hash_.lower()
