"""`connect batch`: the print batches, by hand. Each command says what it did and what comes next."""

import getpass
from datetime import datetime
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from engine.bootstrap import Application
from engine.cli.batch_tables import alarm_table, batch_table, print_detail, route_table
from engine.cli.opening import with_application
from engine.cli.progress import counting
from engine.clock import PACIFIC
from engine.mail.acts import Signed
from engine.mail.batches import ClosedBatch
from engine.mail.contract import OrderReason
from engine.mail.overview import Check, Detail, Standing, StandingAlarm
from engine.mail.proofs import Proof
from engine.mail.vendor.orders import Ordered
from engine.mail.vendor.pickup import PickedUp

app = typer.Typer(
    help="Print batches: what the vendor gets, and what it says.", no_args_is_help=True
)
_console: Final = Console()

Name = Annotated[str, typer.Argument(help="The batch, as `connect batch list` names it.")]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


By = Annotated[str, typer.Option("--by", help="Who you are; on record.", default_factory=_user)]
Why = Annotated[str, typer.Option("--why", help="The reason; on record.")]
Pieces = Annotated[
    str, typer.Option(help="Numbers, ranges or piece ids: 3,7-12. `all` for every piece.")
]
Reason = Annotated[OrderReason, typer.Option(help="What the vendor is told.")]


@app.callback()
def batch() -> None:
    """Print batches: what the vendor gets, and what it says."""


@app.command("list")
def list_(most: Annotated[int, typer.Option(help="How many, the latest first.")] = 20) -> None:
    """The latest batches, and what a person must look at."""

    async def act(application: Application) -> tuple[list[Standing], list[StandingAlarm]]:
        await application.alarms.look()
        return await application.overview.batches(most), await application.overview.alarms()

    batches, alarms = with_application(act)
    if not batches:
        _console.print("No batch yet: the first letter opens one.")
        return
    _console.print(batch_table(batches))
    if alarms:
        _console.print(alarm_table(alarms))
    _console.print("One of them: connect batch show NAME")


@app.command()
def show(
    name: Name,
    piece: Annotated[
        str | None, typer.Option(help="The route of one piece, by its number or its id.")
    ] = None,
) -> None:
    """One batch: what was sent, acknowledged and mailed; its files, orders and acts."""
    if piece is not None:

        async def route(application: Application) -> Table:
            return route_table(name, piece, await application.overview.route(name, piece))

        _console.print(with_application(route))
        return

    async def act(application: Application) -> Detail:
        return await application.overview.batch(name)

    print_detail(_console, with_application(act))


@app.command()
def close() -> None:
    """Compose, freeze, encrypt and hand over the open batch; one cut short before is finished."""
    with counting(_console, "letters composed") as step:

        async def act(application: Application) -> list[ClosedBatch]:
            return await application.batches.close(progress=step)

        closed = with_application(act)
    if not closed:
        _console.print("No letter waits, or the open batch is held: there was nothing to close.")
    for item in closed:
        _console.print(
            f"[bold]{item.name}[/]: {item.pieces} pieces, {item.pages} pages, {item.sheets} sheets, "
            f"{item.bytes} bytes\nsha256 {item.sha256}"
        )
        if item.held:
            _console.print(f"Letters held back: {item.held}. See them: connect mail held")
        if item.waits is None:
            _console.print("Handed over. The vendor's ack is due in 2 hours: connect batch list")
        else:
            _console.print(f"It is closed and stored, and has not left: {item.waits}")


@app.command()
def collect() -> None:
    """Hand over what waits, pick up what the vendor left, and look for alarms: what the clock does
    every minute."""

    async def act(application: Application) -> tuple[list[str], list[PickedUp], list[str]]:
        handed_over = await application.handover.run()
        picked_up = await application.pickup.run()
        alarms = await application.alarms.look()
        return (
            [f"{item.name}: {item.waits or 'handed over'}" for item in handed_over],
            picked_up,
            [f"{alarm.kind}  {alarm.subject}: {alarm.detail}" for alarm in alarms],
        )

    left, files, alarms = with_application(act)
    for line in left:
        _console.print(line)
    for file in files:
        said = "was known already" if file.repeated else file.reason or "applied"
        _console.print(f"{file.name}: {said}", highlight=False)
    for line in alarms:
        _console.print(f"[red]alarm[/] {line}", highlight=False)
    if not (left or files or alarms):
        _console.print("Nothing waited, and nothing was there. All is quiet.")


@app.command()
def hold(name: Name, why: Why, by: By) -> None:
    """Keep a batch from being closed (`open`), or a stored one from leaving."""

    async def act(application: Application) -> str:
        return await application.by_hand.hold(name, Signed(by, why))

    with_application(act)
    _console.print(f"{name} is held. To let it go: connect batch release {name} --why …")


@app.command()
def release(name: Name, why: Why, by: By) -> None:
    """Let a batch go: lift its hold, and let it leave though the one before it disagrees."""

    async def act(application: Application) -> str | None:
        state = await application.by_hand.release(name, Signed(by, why))
        if state == "open":
            return "It will be closed with the day: or now, with connect batch close"
        handed_over = {item.name: item.waits for item in await application.handover.run()}
        return handed_over.get(name) or "Handed over."

    _console.print(f"{name} is released. {with_application(act)}")


@app.command()
def verify(name: Name) -> None:
    """Check our copy of a batch against what was recorded of it."""

    async def act(application: Application) -> list[Check]:
        return await application.overview.verify(name)

    checks = with_application(act)
    for check in checks:
        _console.print(f"{'[green]right[/]' if check.right else '[red]WRONG[/]'}  {check.what}")
    if not all(check.right for check in checks):
        _console.print(f"Do not send it: connect batch hold {name} --why …, and look at the copy.")
        raise typer.Exit(1)


@app.command()
def reprint(
    name: Name, pieces: Pieces, reason: Reason, why: Why, by: By
) -> None:
    """Order letters to be made again. One that carries a PIN is issued anew instead."""
    _order("reprint", name, pieces, reason, Signed(by, why))


@app.command()
def cancel(
    name: Name, pieces: Pieces, reason: Reason, why: Why, by: By
) -> None:
    """Order letters to be taken out of a batch that the vendor has."""
    _order("cancel", name, pieces, reason, Signed(by, why))


def _order(action: str, name: str, pieces: str, reason: OrderReason, signed: Signed) -> None:
    async def act(application: Application) -> Ordered:
        order = getattr(application.orders, action)
        ordered: Ordered = await order(name, pieces, reason, signed)
        await application.handover.run()
        return ordered

    ordered = with_application(act)
    if ordered.order_id is not None:
        _console.print(
            f"{ordered.order_id}: {action} of {ordered.pieces} piece(s). The answer comes with the "
            f"vendor's next status file: connect batch show {name}"
        )
    if ordered.reissued:
        _console.print(
            f"{ordered.reissued} letter(s) carry a PIN: they were not ordered again, but issued "
            "anew with new PINs, and go with the next batch."
        )


@app.command()
def supersede(name: Name, why: Why, by: By) -> None:
    """Put the letters of a batch that the vendor rejected into a new one that replaces it."""

    async def act(application: Application) -> int:
        return await application.superseding.replace(name, Signed(by, why))

    _console.print(
        f"{with_application(act)} letter(s) of {name} wait in a batch that replaces it. "
        "Close it: connect batch close"
    )


@app.command()
def proof() -> None:
    """Make the proof set: every letter, in every language and edition, as a test batch."""

    async def act(application: Application) -> Proof:
        return await application.proofs.make()

    made = with_application(act)
    _console.print(
        f"Proof [bold]{made.proof_id}[/]: {made.pieces} letters of {len(made.templates)} templates "
        f"({', '.join(made.templates)})."
    )
    _console.print(made.waits or "Handed over to the vendor's test account.")
    _console.print(
        f"When the vendor has approved it: connect batch approve {made.proof_id} --by … --why …"
    )


@app.command()
def approve(
    proof_id: Annotated[str, typer.Argument(help="The proof, as `connect batch proof` named it.")],
    why: Why,
    by: By,
    template: Annotated[
        list[str] | None, typer.Option(help="Only these templates of it; more than one is allowed.")
    ] = None,
) -> None:
    """Record that the vendor approved a proof: its templates may leave in production batches."""

    async def act(application: Application) -> tuple[list[str], int]:
        return await application.proofs.approve(proof_id, template or [], Signed(by, why))

    approved, sent_on = with_application(act)
    _console.print(f"Approved at {datetime.now(PACIFIC):%Y-%m-%d %H:%M}: {', '.join(approved)}.")
    if sent_on:
        _console.print(f"{sent_on} letter(s) that waited for it go with the next batch.")


@app.command()
def answer(
    file: Annotated[str, typer.Argument(help="The quarantined file.")],
    why: Why,
    by: By,
) -> None:
    """Put on record that the vendor was told of a quarantined file; its alarm ends."""

    async def act(application: Application) -> None:
        await application.by_hand.answer(file, Signed(by, why))

    with_application(act)
    _console.print(f"{file}: noted. A corrected file is taken as it comes.")


