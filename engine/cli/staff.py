"""`connect staff`: messages to caseworkers, reports, what is held, and locks.

Every command that shows or changes something of a participant's names the account of whoever does
it, and is in the audit trail. Names and messages are printed by `show` and `report` alone.
"""

import sys
import unicodedata
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from engine.bootstrap import Application
from engine.caseload.caseworker_messages import BODY_MOST, tidy
from engine.caseload.caseworker_replies import Replied, StaffThread, Waiting
from engine.caseload.staff_desk import (
    UNTRUSTED,
    HeldContact,
    Released,
    Report,
    ReportLine,
    StaffDesk,
)
from engine.caseload.welcome import Welcomed
from engine.cli.mail import held
from engine.cli.opening import with_application
from engine.cli.plain import add_row, moment, new_table, say, show_table
from engine.clock import pacific_date
from engine.errors import InputError

app = typer.Typer(
    help="What caseworkers do: answer messages, read reports, release letters, end locks.",
    no_args_is_help=True,
)
_console: Final = Console()

As = Annotated[str, typer.Option("--as", metavar="ACCOUNT", help="Your account; on record.")]
_ID_MOST: Final = 2**63 - 1
Most = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many.")]

app.command("held")(held)


@app.callback()
def staff() -> None:
    """What caseworkers do: answer messages, read reports, release letters, end locks."""


def desk(application: Application) -> StaffDesk:
    """The staff's desk of an application."""
    return StaffDesk(
        application.outbox,
        application.audit,
        application.sign_in,
        application.held,
        application.clock,
    )


@app.command()
def messages(limit: Most = 50) -> None:
    """Messages that wait for a reply, soonest due first."""

    async def act(application: Application) -> tuple[list[Waiting], date]:
        return await desk(application).waiting(limit), pacific_date(application.clock())

    waiting, today = with_application(act)
    if not waiting:
        say(_console, "No message waits for a reply.")
        return
    show_table(_console, _waiting_table(waiting, today))
    say(_console, "Read one: connect staff show MESSAGE --as ACCOUNT")


@app.command()
def show(
    message: Annotated[
        int, typer.Argument(max=_ID_MOST, help="As `connect staff messages` numbers it.")
    ],
    account: As,
) -> None:
    """One message: who wrote it, about which case, and what was replied."""

    async def act(application: Application) -> StaffThread:
        return await desk(application).thread(message, account)

    _print_thread(with_application(act))
    say(_console, f"Reply: connect staff reply {message} --as ACCOUNT --file FILE")


@app.command()
def reply(
    message: Annotated[
        int, typer.Argument(max=_ID_MOST, help="As `connect staff messages` numbers it.")
    ],
    account: As,
    file: Annotated[
        Path | None,
        typer.Option(help="Where the words are; read from standard input where none is named."),
    ] = None,
    *,
    again: Annotated[
        bool, typer.Option("--again", help="Though the message was answered already.")
    ] = False,
) -> None:
    """Answer a message. Its writer is told: in the inbox, by email or by mail."""
    body = _words(file)

    async def act(application: Application) -> Replied:
        return await desk(application).reply(message, body, account, again=again)

    replied = with_application(act)
    say(
        _console,
        f"Message {message} is answered by reply {replied.id}. It is on the participant's page "
        f"now; communication {replied.communication_id} tells of it.",
    )
    say(_console, "What else waits: connect staff messages")


@app.command()
def reports(limit: Most = 50) -> None:
    """Reports about other parties that nobody read yet, oldest first."""

    async def act(application: Application) -> list[ReportLine]:
        return await desk(application).reports(limit)

    unread = with_application(act)
    if not unread:
        say(_console, "No report waits to be read.")
        return
    table = new_table("Reports about other parties, oldest first")
    for name in ("id", "county", "participant", "reported"):
        table.add_column(name, overflow="fold")
    for line in unread:
        add_row(
            table, str(line.id), line.county, str(line.participant_id), moment(line.reported_at)
        )
    show_table(_console, table)
    say(_console, "Read one: connect staff report ID --as ACCOUNT")


@app.command()
def report(
    number: Annotated[
        int,
        typer.Argument(metavar="ID", max=_ID_MOST, help="As `connect staff reports` numbers it."),
    ],
    account: As,
) -> None:
    """One report, which counts as read from now on."""

    async def act(application: Application) -> Report:
        return await desk(application).report(number, account)

    found = with_application(act)
    say(_console, f"Report {found.id} of {moment(found.reported_at)}")
    say(_console, f"  by participant {found.participant_number}, case {found.case_number}")
    say(_console, f"  county {shown(found.county)}")
    for name, value in found.facts.items():
        say(_console, f"  {shown(name)}: {shown(_as_text(value))}")
    if found.read_at is None:
        say(_console, "It is marked as read by you. Enter what holds in the case system.")
    else:
        by = shown(found.read_by or "")
        say(_console, f"It was read before: by {by} at {moment(found.read_at)}.")


@app.command()
def contact(
    communication: Annotated[
        int, typer.Argument(max=_ID_MOST, help="As `connect staff held` numbers it.")
    ],
    account: As,
) -> None:
    """Where a communication that is held would go: make sure that it is the parent's."""

    async def act(application: Application) -> HeldContact:
        return await desk(application).contact(communication, account)

    found = with_application(act)
    by = "the parent" if found.changed_by == "participant" else "the case system"
    say(_console, f"Contact {found.id}, {found.kind}, entered by {by} {moment(found.created_at)}")
    say(_console, shown(found.said))
    say(
        _console,
        "Speak with the parent at another contact. If it is theirs: "
        f"connect staff release {communication} --vouch {found.id} --as ACCOUNT",
    )


@app.command()
def release(
    communication: Annotated[
        int, typer.Argument(max=_ID_MOST, help="As `connect staff held` numbers it.")
    ],
    account: As,
    *,
    vouch: Annotated[
        int | None,
        typer.Option(
            "--vouch",
            metavar="CONTACT",
            max=_ID_MOST,
            help="You have made sure that this contact is the parent's; see `staff contact`.",
        ),
    ] = None,
) -> None:
    """Send on a communication that is held, on the channel on which it stopped."""

    async def act(application: Application) -> Released:
        return await desk(application).release(communication, account, vouch=vouch)

    released = with_application(act)
    say(_console, f"Communication {communication} ({released.notice}) goes on.")
    if released.vouched:
        say(_console, "The contact is vouched for: PINs may be sent there from now on.")
    elif released.reason in UNTRUSTED:
        say(
            _console,
            f"It was held as {released.reason}: unless that is past, it is held again. Once you "
            "have made sure whose contact it is, release it with --vouch.",
        )
    say(_console, "What was not mended is held again: connect staff held")


@app.command()
def welcome(
    participant: Annotated[str, typer.Argument(help="The Participant ID Number.")],
    account: As,
) -> None:
    """Send a new participant two letters: the number, and on another day the first PIN."""

    async def act(application: Application) -> Welcomed:
        return await desk(application).welcome(participant, account)

    welcomed = with_application(act)
    say(
        _console,
        "The letter with the number goes with the next batch, the one with the PIN on "
        f"{welcomed.pin_on}: connect batch list",
    )


@app.command()
def unlock(
    participant: Annotated[
        str, typer.Argument(metavar="PARTICIPANT_ID", help="The Participant ID Number.")
    ],
    account: As,
) -> None:
    """End the lock that wrong PINs brought about."""
    external_id = "".join(mark for mark in participant if mark.isalnum())

    async def act(application: Application) -> bool:
        return await desk(application).unlock(external_id, account)

    if with_application(act):
        say(_console, "The lock is ended: the participant may sign in now.")
    else:
        say(_console, "Nothing stood against this number: it was not locked.")
    say(_console, "Without a PIN that works: ask for one at Forgot PIN?, which ends a lock too.")


def shown(text: str) -> str:
    """`text` for a terminal: what would steer it is replaced (C0 and C1 controls, ESC too)."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(mark) == "Cc" and mark not in "\n\t"
        else mark
        for mark in text
    )


def _as_text(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_as_text(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(_as_text, value))
    return str(value)


def _words(file: Path | None) -> str:
    """The words of a reply. Raises InputError for what is not UTF-8, or far too long."""
    most = BODY_MOST * 4 + 1
    try:
        if file is None:
            content = sys.stdin.buffer.read(most)
        else:
            with file.open("rb") as handle:
                content = handle.read(most)
        return tidy(content.decode("utf-8-sig"))
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError("the words of the reply are not UTF-8, or are too long") from None


def _waiting_table(waiting: Sequence[Waiting], today: date) -> Table:
    table = new_table("Messages that wait for a reply, soonest due first")
    for name in ("id", "county", "participant", "written", "due by", ""):
        table.add_column(name, overflow="fold")
    for message in waiting:
        late = message.reply_due < today
        add_row(
            table,
            str(message.id),
            message.county,
            str(message.participant_id),
            moment(message.written_at),
            str(message.reply_due),
            "overdue" if late else "today" if message.reply_due == today else "",
            style="red" if late else "",
        )
    return table


def _print_thread(thread: StaffThread) -> None:
    say(_console, f"Participant {thread.participant_number}, {shown(thread.name)}")
    language = "Spanish" if thread.language == "es" else "English"
    say(_console, f"  reads {language}; case {thread.case_number}, {shown(thread.county)}")
    for message in thread.messages:
        who = f"reply by {shown(message.staff)}" if message.staff else "message"
        due = f", to be answered by {message.reply_due}" if message.reply_due else ""
        say(_console, f"\n{who} {message.id}, {moment(message.written_at)}{due}", "bold")
        say(_console, shown(message.body))
    say(_console, "")
