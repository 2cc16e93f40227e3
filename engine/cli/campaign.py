"""`connect campaign`: one notice to many, on its way: how far it has come, and stopping it."""

from datetime import timedelta
from typing import Annotated, Final

import typer
from rich.console import Console

from engine.bootstrap import Application
from engine.cli.opening import with_application
from engine.cli.plain import add_row, moment, new_table, say, show_table
from engine.cli.progress import counting
from engine.cli.signing import By, Why
from engine.communications.campaigns import Listed, Shown

app = typer.Typer(
    help="One notice to many: how far it has come, pausing, resuming, cancelling.",
    no_args_is_help=True,
)
_console: Final = Console()
_errors: Final = Console(stderr=True)

Name = Annotated[str, typer.Argument(help="The campaign, as `connect campaign list` names it.")]


@app.callback()
def campaign() -> None:
    """One notice to many: how far it has come, pausing, resuming, cancelling."""


@app.command("list")
def list_(
    most: Annotated[int, typer.Option(min=1, help="How many, the latest first.")] = 20,
) -> None:
    """The latest campaigns."""

    async def act(application: Application) -> list[Listed]:
        return await application.campaigns.listed(most)

    listed = with_application(act)
    if not listed:
        say(_console, "No campaign yet. Record one: connect notify, or connect statements")
        return
    table = new_table("Campaigns")
    for heading in ("campaign", "notice", "state", "recorded", "in all", "owed", "met"):
        table.add_column(
            heading, justify="right" if heading in {"in all", "owed", "met"} else "left"
        )
    for each in listed:
        state = "done" if each.state == "running" and not each.owed else each.state
        counts = (each.communications, each.owed, each.met)
        add_row(
            table,
            each.name,
            each.notice,
            state,
            moment(each.created_at),
            *(f"{count:,}" for count in counts),
        )
    show_table(_console, table)


@app.command()
def show(name: Name) -> None:
    """One campaign: what is owed, sent, met, held, failed and cancelled, and how fast it goes."""

    async def act(application: Application) -> Shown:
        return await application.campaigns.shown(name)

    _print(with_application(act))


@app.command()
def pause(name: Name, why: Why, by: By) -> None:
    """Send nothing more of it for now; what a worker holds it finishes."""

    async def act(application: Application) -> None:
        await application.campaigns.pause(name, by, why)

    with_application(act)
    say(
        _console,
        f"{name} is paused. What is due by a day stays due by that day. "
        f"Go on: connect campaign resume {name}",
    )


@app.command()
def resume(name: Name, why: Why, by: By) -> None:
    """Let a paused campaign go on."""

    async def act(application: Application) -> int:
        return await application.campaigns.resume(name, by, why)

    rung = with_application(act)
    say(_console, f"{name} goes on: workers were called for {rung:,}, and will be for the rest.")


@app.command()
def cancel(name: Name, why: Why, by: By) -> None:
    """Cancel what was not yet sent, for good."""
    with counting(_errors, "cancelled") as step:

        async def act(application: Application) -> int:
            return await application.campaigns.cancel(name, by, why, step)

        cancelled = with_application(act)
    say(
        _console,
        f"{name} is cancelled: {cancelled:,} deliveries were not sent. What a worker holds just "
        f"now it finishes. See: connect campaign show {name}",
    )


def _print(shown: Shown) -> None:
    say(
        _console,
        f"{shown.name}: {shown.notice}, {shown.state}, recorded {moment(shown.created_at)}",
        "bold",
    )
    told = ", ".join(
        f"{number:,} {state}" for state, number in sorted(shown.communications.items())
    )
    say(_console, f"Participants: {told or 'none'}")
    table = new_table("")
    table.add_column("channel")
    states = sorted({state for _, state in shown.deliveries})
    for state in states:
        table.add_column(state, justify="right")
    for channel in sorted({channel for channel, _ in shown.deliveries}):
        counts = (shown.deliveries.get((channel, state), 0) for state in states)
        add_row(table, channel, *(f"{count:,}" for count in counts))
    show_table(_console, table)
    if shown.due is not None:
        say(_console, f"The first of what is owed is due by {shown.due}.")
    if shown.state == "paused":
        say(_console, "It is paused, and its deadlines go on: they do not move for a pause.")
    elif shown.left is not None and shown.left > timedelta():
        say(
            _console,
            f"{shown.per_second:,.1f} a second over the last minutes: "
            f"about {_roughly(shown.left)} to go.",
        )


def _roughly(left: timedelta) -> str:
    minutes = max(1, round(left.total_seconds() / 60))
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
