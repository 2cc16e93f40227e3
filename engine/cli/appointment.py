"""`connect appointment`: made, moved and cancelled by hand, and which ones nobody would hear of.

Each change names the account of whoever makes it, is in the audit trail, and tells the participant.
"""

from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.console import Console

from engine.bootstrap import Application
from engine.caseload.appointment_changes import Changed, Kind, NewAppointment
from engine.caseload.reminders import Unreached
from engine.cli.opening import with_application
from engine.cli.plain import add_row, moment, new_table, say, show_table
from engine.cli.staff import As
from engine.clock import PACIFIC
from engine.errors import InputError

app = typer.Typer(
    help="Make, move and cancel appointments; the participant is told.", no_args_is_help=True
)
_console: Final = Console()
_ID_MOST: Final = 2**63 - 1
_FORMATS: Final = ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M")

Number = Annotated[int, typer.Argument(metavar="APPOINTMENT", max=_ID_MOST, help="Its number.")]
At = Annotated[
    str, typer.Option("--at", metavar="HOUR", help="Pacific time, like 2026-12-09T09:30.")
]


@app.callback()
def appointment() -> None:
    """Make, move and cancel appointments; the participant is told."""


@app.command()
def schedule(
    *,
    case: Annotated[str, typer.Option(help="The case number.")],
    participant: Annotated[str, typer.Option(help="The Participant ID Number of who is to come.")],
    kind: Annotated[Kind, typer.Option(help="A meeting at the office, or a hearing.")],
    at: At,
    place: Annotated[str, typer.Option(help="Where, as the notice should say it.")],
    account: As,
    number: Annotated[
        str | None,
        typer.Option(help="Its number in the case system, so that an import knows it again."),
    ] = None,
) -> None:
    """Make an appointment."""
    wanted = NewAppointment(case, participant, kind, pacific_moment(at), place, number)

    async def act(application: Application) -> Changed:
        return await application.appointment_changes.schedule(wanted, account)

    _print(with_application(act), "made")


@app.command()
def move(
    number: Number,
    at: At,
    account: As,
    place: Annotated[str | None, typer.Option(help="Where, if it is another place.")] = None,
) -> None:
    """Move an appointment to another hour. What was to be sent about the old one is stopped."""
    starts_at = pacific_moment(at)

    async def act(application: Application) -> Changed:
        return await application.appointment_changes.move(number, starts_at, account, place=place)

    _print(with_application(act), "moved")


@app.command()
def cancel(number: Number, account: As) -> None:
    """Cancel an appointment. What was still to be sent about it is stopped."""

    async def act(application: Application) -> Changed:
        return await application.appointment_changes.cancel(number, account)

    _print(with_application(act), "cancelled")


@app.command()
def unreached() -> None:
    """Appointments ahead of which their participants hear from nobody, soonest first."""

    async def act(application: Application) -> list[Unreached]:
        return await application.reminders.unreached()

    found = with_application(act)
    if not found:
        say(_console, "Everybody who has an appointment ahead hears of it in time.")
        return
    table = new_table("Telephone these: no email, and too late for a letter; soonest first")
    for name in ("appointment", "county", "participant", "starts"):
        table.add_column(name, overflow="fold")
    for each in found:
        add_row(
            table,
            str(each.appointment_id),
            each.county,
            str(each.participant_id),
            moment(each.starts_at),
        )
    show_table(_console, table)


def pacific_moment(text: str) -> datetime:
    """The moment of a wall clock in California; the first where it strikes an hour twice. Raises
    InputError for what is no such hour, that which clocks skip in March among it."""
    for form in _FORMATS:
        try:
            local = datetime.strptime(text.strip(), form).replace(tzinfo=PACIFIC)
        except ValueError:
            continue
        if local.astimezone(UTC).astimezone(PACIFIC).replace(tzinfo=None) != local.replace(
            tzinfo=None
        ):
            raise InputError(f"{text}: clocks skip that hour on that day")
        return local
    raise InputError("say the hour in Pacific time, like 2026-12-09T09:30")


def _print(changed: Changed, what: str) -> None:
    say(_console, f"Appointment {changed.appointment_id} is {what}.")
    if changed.stopped:
        say(_console, f"{changed.stopped} deliveries that said otherwise are stopped.")
    if changed.communication_id is None:
        say(
            _console,
            "Nobody is told: there is no email on file, and a letter would come too late. "
            f"Telephone participant {changed.participant_id}.",
            "yellow",
        )
    else:
        say(
            _console,
            f"Communication {changed.communication_id} tells of it as soon as a worker runs.",
        )
    say(_console, "What nobody would hear of: connect appointment unreached")
