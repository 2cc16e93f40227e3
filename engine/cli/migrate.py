"""`connect migrate`: the newest schema."""

import typer

from engine.migrations.run import upgrade
from engine.settings import load_settings
from engine.stack.servers import servers_for


def migrate() -> None:
    """Bring the database to the newest schema."""
    with servers_for(load_settings()) as settings:
        assert settings.database_url is not None  # noqa: S101  servers_for fills it in
        upgrade(settings.database_url.get_secret_value())
    typer.echo("The schema is up to date.")
