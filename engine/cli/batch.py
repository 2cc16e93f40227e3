"""`connect batch`: the day's letters, by hand."""

import typer

from engine.bootstrap import Application
from engine.cli.opening import with_application
from engine.mail.batches import ClosedBatch

app = typer.Typer(help="The print batch: the letters of a day, as the vendor gets them.")


@app.callback()
def batch() -> None:
    """The print batch: the letters of a day, as the vendor gets them."""


@app.command()
def close() -> None:
    """Compose, freeze, encrypt and hand over the open batch; one cut short before is finished."""

    async def act(application: Application) -> list[ClosedBatch]:
        return await application.batches.close()

    closed = with_application(act)
    if not closed:
        typer.echo("No letter waits: there was no batch to close.")
    for item in closed:
        typer.echo(
            f"{item.name}: {item.pieces} pieces, {item.pages} pages, {item.sheets} sheets, "
            f"{item.bytes} bytes\nsha256 {item.sha256}\n"
            f"Handed over in {item.folder}. Letters held back: {item.held}."
        )
