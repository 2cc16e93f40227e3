"""`connect keys`: which rows each sealing key holds, and bringing all under the current one."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final

import typer
from rich.console import Console

from engine.applications.personal import EVERY
from engine.bootstrap import Application
from engine.cli.opening import with_application
from engine.cli.plain import add_row, new_table, say, show_table
from engine.cli.progress import Step, counting
from engine.database import driver_connection
from engine.security.audit import Entry
from engine.security.resealing import IN_CLEAR, held, reseal

app = typer.Typer(help="Sealing keys: what each holds, and their rotation.", no_args_is_help=True)
_console: Final = Console()
_listed: Final = ", ".join


@app.callback()
def keys() -> None:
    """Sealing keys: what each holds, and their rotation."""


@dataclass(slots=True)
class _Standing:
    """The current key, those that are held besides, and how many rows of what each key holds."""

    current: str
    others: tuple[str, ...]
    rows: dict[str, Counter[str]] = field(default_factory=dict)

    def stale(self) -> Mapping[str, int]:
        """How many rows are under each key that is not the current one, or in the clear."""
        return {key: counted.total() for key, counted in self.rows.items() if key != self.current}

    def total(self) -> int:
        """How many rows there are."""
        return sum(counted.total() for counted in self.rows.values())


async def _standing(application: Application) -> _Standing:
    current = application.settings.sealing_key_id
    held_ids = sorted(application.settings.sealing_keys)
    standing = _Standing(current, tuple(key for key in held_ids if key != current))
    async with application.engine.connect() as connection:
        driver = await driver_connection(connection)
        for column in EVERY:
            for key, rows in (await held(driver, column)).items():
                standing.rows.setdefault(key, Counter())[column.table] += rows
    return standing


@app.command()
def show() -> None:
    """The keys by their ids, and how many rows each still holds."""
    standing = with_application(_standing)
    table = new_table("Sealing keys")
    for name in ("key", "in SEALING_KEYS", "sealed rows", "where"):
        table.add_column(name, overflow="fold")
    for key in sorted({standing.current, *standing.others, *standing.rows}):
        counted = standing.rows.get(key, Counter())
        add_row(
            table,
            key if key != IN_CLEAR else "none: in the clear",
            _held(standing, key),
            f"{counted.total():,}",
            _listed(f"{table_} {rows:,}" for table_, rows in sorted(counted.items())),
        )
    show_table(_console, table)
    if stale := standing.stale():
        say(_console, f"To bring {sum(stale.values()):,} rows under {standing.current}:")
        say(_console, "connect keys rotate")


@app.command()
def rotate(
    *,
    every: Annotated[
        bool, typer.Option("--every", help="Every row there is: for after TAG_KEY was changed.")
    ] = False,
) -> None:
    """Seal anew, under SEALING_KEY_ID, whatever is under another key or in the clear.

    Beside everybody's work, a batch at a time; what was cut short goes on when it is called again.
    Exits 1 where something does not open.
    """
    with counting(_console, "sealing anew") as step:
        before, sealed, unreadable, after = with_application(
            lambda application: _rotated(application, step, every=every)
        )
    if not before.stale() and not every:
        say(_console, f"Everything is sealed under {before.current} already.")
        if before.others:
            say(
                _console,
                f"May be taken out of SEALING_KEYS: {_listed(before.others)}. Keep them with the "
                "backups from before this day: those open under nothing else.",
            )
        return
    say(_console, f"Sealed anew under {before.current}: {sealed:,} rows.")
    for place, ids in unreadable.items():
        say(_console, f"{place}: {len(ids):,} rows do not open, such as row {ids[0]}", style="red")
    if after.stale():
        left = _listed(f"{rows:,} {_named(key)}" for key, rows in sorted(after.stale().items()))
        say(_console, f"Still to be sealed anew: {left}. No key may be taken out yet.")
        raise typer.Exit(1)
    if not before.stale():
        return
    old = _listed(_named(key) for key in sorted(before.stale()))
    say(
        _console,
        f"Nothing is {old} any more. Start every portal and worker anew that has run since before "
        "SEALING_KEY_ID was changed, then call this again: when it has nothing to do, the other "
        "keys may be taken out of SEALING_KEYS.",
    )


async def _rotated(
    application: Application, step: Step, *, every: bool
) -> tuple[_Standing, int, dict[str, list[int]], _Standing]:
    before = await _standing(application)
    total, sealed = before.total() if every else sum(before.stale().values()), 0
    unreadable: dict[str, list[int]] = {}
    async for batch in reseal(application.engine, EVERY, before.current, every=every):
        sealed += batch.sealed
        step(sealed, total)
        if batch.unreadable:
            unreadable.setdefault(batch.column.table, []).extend(batch.unreadable)
    if sealed:
        async with application.engine.begin() as connection:
            entry = Entry(
                "system", "keys.rotated", None, {"key": before.current, "rows": sealed}, None
            )
            await application.audit.append(connection, entry)
    return before, sealed, unreadable, await _standing(application)


def _held(standing: _Standing, key: str) -> str:
    if key == standing.current:
        return "yes, seals"
    if key in standing.others:
        return "yes, opens"
    return "–" if key == IN_CLEAR else "NO: its rows cannot be read"


def _named(key: str) -> str:
    return "in the clear" if key == IN_CLEAR else f"sealed under {key}"
