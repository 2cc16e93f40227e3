"""`connect webhook`: where the feed is posted to.

Every command that changes something names the account of whoever does it, and is in the audit
trail. A secret is shown when it is made, and never again.
"""

from datetime import timedelta
from typing import Annotated, Final

import typer
from rich.console import Console

from engine.bootstrap import Application
from engine.case_system.webhooks.endpoints import Endpoint
from engine.case_system.webhooks.posting import Answer
from engine.cli.opening import with_application
from engine.cli.plain import add_row, moment, new_table, say, show_table
from engine.cli.signing import By
from engine.errors import InputError

app = typer.Typer(help="Webhooks: where the feed of events is posted to.", no_args_is_help=True)
_console: Final = Console()


Number = Annotated[int, typer.Argument(min=1, max=2**63 - 1, metavar="NUMBER")]


@app.callback()
def webhook() -> None:
    """Webhooks: where the feed of events is posted to."""


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="https://…")],
    by: By,
    notice: Annotated[
        list[str] | None, typer.Option("--notice", help="Of this notice alone; may be repeated.")
    ] = None,
) -> None:
    """Add an endpoint, which is told of whatever happens from now on; shows its secret, once."""

    async def act(application: Application) -> tuple[int, str]:
        return await application.webhooks.add(url, _actor(by), notice)

    number, secret = with_application(act)
    say(_console, f"Webhook {number}. Its secret, which is not shown again:")
    say(_console, secret)
    say(_console, f"See that it is taken: connect webhook test {number}")


@app.command("list")
def list_() -> None:
    """The endpoints, how each stands, and how many events wait for it at the most."""

    async def act(application: Application) -> tuple[list[Endpoint], int]:
        return await application.webhooks.listed(), await application.feed.end()

    endpoints, end = with_application(act)
    if not endpoints:
        say(_console, "There is no webhook: connect webhook add")
        return
    table = new_table("Webhooks")
    for name in ("no.", "to", "of", "stands", "taken last", "last answer", "behind"):
        table.add_column(name, overflow="fold")
    for one in endpoints:
        add_row(
            table,
            str(one.id),
            one.url,
            ", ".join(one.notices or ["every notice"]),
            _standing(one),
            moment(one.taken_at),
            one.last_answer or "–",
            f"{end - one.position:,}",
            style="red" if one.disabled_at or one.failures else "",
        )
    show_table(_console, table)


@app.command()
def test(number: Number) -> None:
    """Post a message that tells nothing. Exits 1 where it is not taken."""

    async def act(application: Application) -> Answer:
        return await application.webhook_run.test(number)

    answer = with_application(act)
    if not answer.taken:
        say(_console, f"Not taken: {answer.said}.", "red")
        raise typer.Exit(1)
    say(_console, f"Taken: {answer.said}.")


@app.command()
def rotate(
    number: Number,
    by: By,
    *,
    hours: Annotated[
        float, typer.Option("--overlap", min=0, max=720, help="For how many hours both sign.")
    ] = 24,
) -> None:
    """Make a new secret, shown once. The old one signs beside it for a while."""

    async def act(application: Application) -> str:
        overlap = timedelta(hours=hours)
        return await application.webhooks.rotate(number, _actor(by), overlap)

    secret = with_application(act)
    say(_console, "The new secret, which is not shown again:")
    say(_console, secret)
    say(_console, f"For {hours:g} hours messages bear both signatures; then the new one alone.")


@app.command()
def enable(number: Number, by: By) -> None:
    """Post to an endpoint again, from where it stopped."""

    async def act(application: Application) -> None:
        await application.webhooks.enable(number, _actor(by))

    with_application(act)
    say(_console, f"Webhook {number} goes on where it stopped.")


@app.command()
def disable(number: Number, by: By) -> None:
    """Post nothing more to an endpoint until it is enabled."""

    async def act(application: Application) -> None:
        await application.webhooks.disable(number, _actor(by))

    with_application(act)
    say(_console, f"Webhook {number} is disabled. It goes on with: connect webhook enable {number}")


@app.command()
def remove(number: Number, by: By) -> None:
    """Forget an endpoint, and its secrets."""

    async def act(application: Application) -> None:
        await application.webhooks.remove(number, _actor(by))

    with_application(act)
    say(_console, f"Webhook {number} is removed.")


def _actor(by: str) -> str:
    """Who is on record. Raises InputError where nobody is named."""
    if not by.strip():
        raise InputError("say who you are: --by NAME")
    return f"staff:{by.strip()}"


def _standing(one: Endpoint) -> str:
    if one.disabled_at is not None:
        return f"disabled ({one.disabled_why}) {moment(one.disabled_at)}"
    if one.failing_since is not None:
        return f"failing since {moment(one.failing_since)}, again at {moment(one.next_attempt_at)}"
    return "enabled"
