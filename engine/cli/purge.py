"""`connect purge`: remove what was kept for long enough."""

from typing import Annotated, Final

import typer
from rich.console import Console

from engine.bootstrap import Application
from engine.cli.opening import with_application
from engine.cli.plain import add_row, moment, new_table, say, show_table
from engine.cli.progress import counting
from engine.cli.signing import By
from engine.errors import InputError
from engine.retention.standing import Standing

_console: Final = Console()
_errors: Final = Console(stderr=True)


def purge(
    by: By,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count what would be removed, by class.")
    ] = False,
) -> None:
    """Remove what was kept for long enough; never what is owed still, or under legal hold."""
    if dry_run:
        _show(with_application(_standing))
        return
    if not by:
        raise InputError("say who you are: --by NAME")

    async def act(application: Application) -> dict[str, int]:
        with counting(_errors, "removing") as step:
            return await application.purge.run(by, lambda _name, done, total: step(done, total))

    removed = with_application(act)
    for name, count in removed.items():
        if count:
            say(_console, f"{name}: {count:,} removed")
    say(_console, f"{sum(removed.values()):,} removed in all; the audit trail says so.")


async def _standing(application: Application) -> list[Standing]:
    return await application.purge.standing()


def _show(classes: list[Standing]) -> None:
    table = new_table("What may be removed; nothing was")
    for heading in ("class", "older than", "to remove", "owed still", "under hold"):
        table.add_column(heading, justify="left" if heading in {"class", "older than"} else "right")
    for each in classes:
        counts = (each.removable, each.owed, each.held)
        add_row(table, each.name, moment(each.before), *(f"{count:,}" for count in counts))
    show_table(_console, table)
