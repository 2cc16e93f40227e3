"""`connect api-key`: the programs that may call the machine API."""

from datetime import timedelta
from typing import Annotated, Final

import typer
from rich.console import Console

from engine.bootstrap import Application
from engine.case_system.keys import ListedKey, ListedToken, Made, Scope
from engine.cli.opening import with_application
from engine.cli.plain import add_row, moment, new_table, say, show_table
from engine.cli.signing import By

app = typer.Typer(
    help="API keys: the programs that may call the machine API, and what for.",
    no_args_is_help=True,
)
_console: Final = Console()

Name = Annotated[str, typer.Argument(help="What the program is called; on record.")]
Days = Annotated[int, typer.Option("--days", min=1, max=1100, help="How long the token lasts.")]


@app.callback()
def api_key() -> None:
    """API keys: the programs that may call the machine API, and what for."""


@app.command()
def create(
    name: Name,
    scope: Annotated[list[Scope], typer.Option("--scope", help="What for; once for each.")],
    by: By,
    days: Days = 365,
) -> None:
    """Make a key, and show its token: this once, nobody can read it again."""

    async def act(application: Application) -> Made:
        return await application.api_keys.create(name, scope, timedelta(days=days), by)

    _show(with_application(act))


@app.command()
def rotate(
    name: Name,
    by: By,
    days: Days = 365,
    overlap_hours: Annotated[
        int, typer.Option("--overlap-hours", min=0, help="How long the older token works still.")
    ] = 24,
) -> None:
    """Make another token for a key; the older one works until the overlap is over."""

    async def act(application: Application) -> Made:
        overlap = timedelta(hours=overlap_hours)
        return await application.api_keys.rotate(name, timedelta(days=days), overlap, by)

    _show(with_application(act))
    say(_console, f"Older tokens of {name} work for {overlap_hours} hours more at the most.")


@app.command()
def revoke(name: Name, by: By) -> None:
    """No token of this key works from now on."""

    async def act(application: Application) -> None:
        await application.api_keys.revoke(name, by)

    with_application(act)
    say(_console, f"Revoked: {name}")


@app.command("list")
def list_() -> None:
    """The keys there are and were, and how their tokens begin."""

    async def act(application: Application) -> list[ListedKey]:
        return await application.api_keys.listed()

    keys = with_application(act)
    if not keys:
        say(_console, "There is no API key: every call is refused. See: connect api-key create")
        return
    table = new_table("API keys")
    for heading in ("name", "scopes", "token", "made", "ends", "used", "by", "revoked"):
        table.add_column(heading, overflow="fold")
    for key in keys:
        for token in key.tokens:
            add_row(table, *_row(key, token))
    show_table(_console, table)


def _row(key: ListedKey, token: ListedToken) -> tuple[str, ...]:
    ends = (moment(token.made_at), moment(token.expires_at), moment(token.used_at))
    return (
        key.name,
        " ".join(key.scopes),
        f"{token.prefix}…",
        *ends,
        key.created_by,
        moment(key.revoked_at),
    )


def _show(made: Made) -> None:
    """The token on a line of its own, so that it can be taken from there."""
    say(_console, f"It works until {moment(made.expires_at)}, and is not shown again:")
    say(_console, made.token)
