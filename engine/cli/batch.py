"""`connect batch`: the print batches, by hand. Each command says what it did and what is next."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from engine.alarms.book import StandingAlarm
from engine.alarms.kinds import Alarm, Finder
from engine.bootstrap import Application
from engine.cli.alarms import alarm_table
from engine.cli.batch_tables import batch_table, print_detail, route_table
from engine.cli.opening import with_application
from engine.cli.plain import say, show_table
from engine.cli.progress import counting
from engine.cli.signing import By, Why
from engine.mail.acts import Signed
from engine.mail.batches import ClosedBatch
from engine.mail.contract import Action, OrderReason
from engine.mail.handover import HandOver
from engine.mail.overview import Check, Detail, Standing
from engine.mail.proofs import Proof
from engine.mail.vendor.orders import Ordered
from engine.mail.vendor.pickup import PickedUp

app = typer.Typer(
    help="Print batches: what the vendor gets, and what it says.", no_args_is_help=True
)
_console: Final = Console()

Name = Annotated[str, typer.Argument(help="The batch, as `connect batch list` names it.")]


Pieces = Annotated[
    str, typer.Option(help="Numbers, ranges or piece ids: 3,7-12. `all` for every piece.")
]
Reason = Annotated[OrderReason, typer.Option(help="What the vendor is told.")]


@app.callback()
def batch() -> None:
    """Print batches: what the vendor gets, and what it says."""


@app.command("list")
def list_(
    most: Annotated[int, typer.Option(min=1, help="How many, the latest first.")] = 20,
) -> None:
    """The latest batches, and what a person must look at."""

    async def act(application: Application) -> tuple[list[Standing], list[StandingAlarm]]:
        await application.drop_alarms.look()
        return (
            await application.overview.batches(most),
            await application.alarms.standing(Finder.PRINT_DROP),
        )

    batches, alarms = with_application(act)
    if batches:
        show_table(_console, batch_table(batches))
    else:
        say(_console, "No batch yet: the first letter opens one.")
    if alarms:
        show_table(_console, alarm_table(alarms))
    if batches:
        say(_console, "One of them: connect batch show NAME")


@app.command()
def show(
    name: Name,
    piece: Annotated[
        str | None, typer.Option(help="The route of one piece, by its number or its id.")
    ] = None,
) -> None:
    """One batch: what was sent, acknowledged and mailed; its files, orders and acts."""

    async def act(application: Application) -> Detail:
        return await application.overview.batch(name)

    async def route(application: Application) -> Sequence[Any]:
        return await application.overview.route(name, piece or "")

    if piece is None:
        print_detail(_console, with_application(act))
    else:
        show_table(_console, route_table(name, piece, with_application(route)))


@app.command()
def close() -> None:
    """Compose, freeze, encrypt and hand over the open batch; one cut short before is finished."""
    with counting(_console, "letters composed") as step:

        async def act(application: Application) -> list[ClosedBatch]:
            return await application.batches.close(progress=step)

        closed = with_application(act)
    if not closed:
        say(_console, "Nothing was closed: no letter waits, or what waits is held by a person.")
        say(_console, "See: connect batch list, and connect mail held")
    for item in closed:
        say(
            _console,
            f"{item.name}: {item.pieces} pieces, {item.pages} pages, {item.sheets} sheets, "
            f"{item.bytes} bytes\nsha256 {item.sha256}",
        )
        if item.held:
            say(_console, f"Letters held back: {item.held}. See them: connect mail held")
        if item.waits is None:
            say(_console, "Handed over. The vendor's ack is due in 2 hours: connect batch list")
        else:
            say(_console, f"It is closed and stored, and has not left: {item.waits}")


@app.command()
def collect() -> None:
    """Hand over what waits, pick up what the vendor left, and look for alarms: what the clock does
    every minute."""

    async def act(application: Application) -> tuple[list[HandOver], list[PickedUp], list[Alarm]]:
        return (
            await application.handover.run(),
            await application.pickup.run(),
            await application.drop_alarms.look(),
        )

    left, files, alarms = with_application(act)
    for item in left:
        say(_console, f"{item.name}: {item.waits or 'handed over'}")
    for file in files:
        said = "was known already" if file.repeated else file.reason or "applied"
        say(_console, f"{file.name}: {said}")
    for alarm in alarms:
        say(_console, f"alarm {alarm.kind}  {alarm.subject}: {alarm.detail}", "red")
    if not (left or files or alarms):
        say(_console, "Nothing waited, and nothing was there. All is quiet.")


@app.command()
def hold(name: Name, why: Why, by: By) -> None:
    """Keep a batch from being closed (`open`), or a stored one from leaving."""

    async def act(application: Application) -> str:
        return await application.by_hand.hold(name, Signed(by, why))

    with_application(act)
    say(_console, f"{name} is held. To let it go: connect batch release {name} --why …")


@app.command()
def release(name: Name, why: Why, by: By) -> None:
    """Let a batch go: lift its hold, and let it leave though the one before it disagrees."""

    async def act(application: Application) -> str:
        state = await application.by_hand.release(name, Signed(by, why))
        if state in {"open", "closing"}:
            return "It will be closed with the day: or now, with connect batch close"
        handed_over = {item.name: item for item in await application.handover.run()}
        if name not in handed_over:
            return "Another process hands over at this moment: connect batch list"
        return handed_over[name].waits or "Handed over."

    say(_console, f"{name} is released. {with_application(act)}")


@app.command()
def verify(name: Name) -> None:
    """Check our copy of a batch against what was recorded of it."""

    async def act(application: Application) -> list[Check]:
        return await application.overview.verify(name)

    checks = with_application(act)
    for check in checks:
        if check.right:
            say(_console, f"right  {check.what}", "green")
        else:
            say(_console, f"WRONG  {check.what}", "red")
    if not all(check.right for check in checks):
        say(_console, f"Do not send it: connect batch hold {name} --why …, and look at the copy.")
        raise typer.Exit(1)
    say(_console, "Our copy is what was recorded. The vendor's side: connect batch show " + name)


@app.command()
def reprint(name: Name, pieces: Pieces, reason: Reason, why: Why, by: By) -> None:
    """Order letters to be made again. One that carries a PIN is issued anew instead."""
    _order("reprint", name, pieces, reason, Signed(by, why))


@app.command()
def cancel(name: Name, pieces: Pieces, reason: Reason, why: Why, by: By) -> None:
    """Order letters to be taken out of a batch that the vendor has."""
    _order("cancel", name, pieces, reason, Signed(by, why))


def _order(action: Action, name: str, pieces: str, reason: OrderReason, signed: Signed) -> None:
    async def act(application: Application) -> Ordered:
        orders = application.orders
        order = orders.reprint if action == "reprint" else orders.cancel
        ordered = await order(name, pieces, reason, signed)
        await application.handover.run()
        return ordered

    ordered = with_application(act)
    if ordered.order_id is not None:
        say(
            _console,
            f"{ordered.order_id}: {action} of {ordered.pieces} piece(s). The answer comes with the "
            f"vendor's next status file: connect batch show {name}",
        )
    if ordered.reissued:
        say(
            _console,
            f"{ordered.reissued} letter(s) carry a PIN: they were not ordered again, but issued "
            "anew with new PINs, and go with the next batch.",
        )


@app.command()
def supersede(name: Name, why: Why, by: By) -> None:
    """Put the letters of a batch that the vendor rejected into a new one that replaces it."""

    async def act(application: Application) -> int:
        return await application.superseding.replace(name, Signed(by, why))

    say(
        _console,
        f"{with_application(act)} letter(s) of {name} wait in a batch that replaces it. "
        "Close it: connect batch close",
    )


@app.command()
def proof() -> None:
    """Make the proof set: every letter, in every language and edition, as a test batch."""

    async def act(application: Application) -> Proof:
        return await application.proofs.make()

    made = with_application(act)
    say(
        _console,
        f"Proof {made.proof_id}: {made.pieces} letters of {len(made.templates)} templates "
        f"({', '.join(made.templates)}).",
    )
    say(_console, made.waits or "Handed over to the vendor's test account.")
    say(
        _console,
        f"When the vendor has approved it: connect batch approve {made.proof_id} --by … --why …",
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
    say(_console, f"Approved: {', '.join(approved)}. They may leave in production batches.")
    if sent_on:
        say(_console, f"{sent_on} letter(s) that waited for it go with the next batch.")


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
    say(_console, f"{file}: noted. A corrected file is taken as it comes.")
