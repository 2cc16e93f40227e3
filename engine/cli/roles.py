"""`connect roles`: the database roles that each process signs in as a member of."""

from typing import Annotated, Final

import typer
from rich.console import Console

from engine.cli.plain import add_row, new_table, say, show_table
from engine.errors import ConnectError
from engine.migrations import roles as declared
from engine.migrations.grants import GRANTS
from engine.migrations.run import make_roles, role_faults
from engine.settings import load_settings
from engine.stack.servers import servers_for

app = typer.Typer(
    help="The database roles, and what each may do.",
    no_args_is_help=True,
)
_console: Final = Console()


@app.callback()
def roles() -> None:
    """The database roles, and what each may do."""


@app.command()
def make(
    *,
    sql: Annotated[
        bool, typer.Option("--sql", help="Print the statements for an administrator instead.")
    ] = False,
) -> None:
    """Make the roles that are missing, and grant; DATABASE_URL is a superuser's, for this once."""
    if sql:
        for statement in declared.making():
            typer.echo(f"{statement};")
        return
    with servers_for(load_settings()) as settings:
        assert settings.database_url is not None  # noqa: S101  servers_for fills it in
        make_roles(settings.database_url.get_secret_value())
    say(_console, f"There are {', '.join(declared.ROLES)}. A login for a process:")
    say(_console, "CREATE ROLE portal_1 LOGIN PASSWORD '…' IN ROLE connect_portal;")


@app.command()
def show() -> None:
    """Who may read and write which table."""
    table = new_table("What each role may do; connect_operator may do what connect_worker may")
    for heading in ("table", "role", "rights"):
        table.add_column(heading, overflow="fold")
    for name, by_role in sorted(GRANTS.items()):
        for role, rights in by_role.items():
            add_row(table, name, role, rights)
    show_table(_console, table)


@app.command()
def check() -> None:
    """Compare the database's grants with those declared; exits 1 where they differ."""
    with servers_for(load_settings()) as settings:
        assert settings.database_url is not None  # noqa: S101  servers_for fills it in
        faults = role_faults(settings.database_url.get_secret_value())
    if faults:
        raise ConnectError("the grants are not as declared:\n" + "\n".join(faults))
    say(_console, "The grants are as declared.")
