"""`connect consent`: what a participant agreed to and when, and consent by telephone or in person.

`show` prints what is on record and no contact; whoever records something is in the audit trail.
"""

from datetime import datetime, time
from enum import StrEnum
from typing import Annotated, Final

import typer
from rich.console import Console

from engine.bootstrap import Application
from engine.caseload.consent_words import ConsentWords
from engine.caseload.consents import ConsentEntry
from engine.caseload.staff_consents import StaffConsents, Standing
from engine.cli.opening import with_application
from engine.cli.plain import add_row, moment, new_table, say, show_table
from engine.cli.staff import shown
from engine.clock import PACIFIC
from engine.errors import InputError
from engine.i18n import Language
from engine.portal.disclosure import disclosure
from engine.portal.layout import Layout
from engine.portal.statics import StaticFiles
from engine.settings import Settings, load_settings

app = typer.Typer(
    help="Consent to eCommunications: what is on record, and putting it there.",
    no_args_is_help=True,
)
_console: Final = Console()
_VERSION_SHOWN: Final = 12


class Told(StrEnum):
    """How a participant told the staff."""

    PHONE = "phone"
    CASEWORKER = "caseworker"


class Spoken(StrEnum):
    """A language in which the words are read out."""

    EN = "en"
    ES = "es"


Number = Annotated[str, typer.Argument(metavar="PARTICIPANT", help="The Participant ID Number.")]
How = Annotated[Told, typer.Option("--how", help="By telephone, or in person.")]
By = Annotated[str, typer.Option("--by", metavar="ACCOUNT", help="Your account; on record.")]
Why = Annotated[
    str,
    typer.Option(
        "--why", help="What the participant said, and how they know that PDFs open; on record."
    ),
]


@app.command()
def show(
    participant: Number,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="DATE", help="As it stood then: 2026-11-23, or an ISO 8601 moment."
        ),
    ] = None,
) -> None:
    """What is in force, now or at a past moment, and what was recorded until then."""
    until = _moment(at) if at else None

    async def act(application: Application) -> Standing:
        return await _desk(application).show(_plain(participant), until)

    standing = with_application(act)
    when = f"at {moment(until)}" if until else "now"
    if standing.in_force is None:
        say(_console, f"No consent to eCommunications is in force {when}.")
    else:
        say(_console, f"Consent to eCommunications is in force {when}:")
        say(_console, f"  given {moment(standing.in_force.at)}, {_how(standing.in_force)}")
    if standing.entries:
        _print_entries(standing.entries)


@app.command()
def text(
    language: Annotated[Spoken, typer.Option("--language", help="In which language.")] = Spoken.EN,
) -> None:
    """The words to read out before a participant consents."""
    words = _words(load_settings(), language.value)
    say(_console, words.text)
    say(_console, f"\nversion {words.version[:_VERSION_SHOWN]}")


@app.command()
def give(participant: Number, how: How, by: By, why: Why) -> None:
    """Record that a participant consented, after you read them the words of `consent text` in the
    language of their notices. They are told so."""

    async def act(application: Application) -> tuple[bool, ConsentWords]:
        desk, number = _desk(application), _plain(participant)
        words = _words(application.settings, await desk.language_of(number))
        return await desk.give(number, words, how.value, by, why), words

    done, words = with_application(act)
    version = words.version[:_VERSION_SHOWN]
    if done:
        say(
            _console,
            f"Recorded: consent given, after version {version} ({words.language}) was read out. A "
            "confirmation is on its way.",
        )
    else:
        say(_console, "Nothing is recorded: the participant is enrolled already.")


@app.command()
def withdraw(participant: Number, how: How, by: By, why: Why) -> None:
    """Record that a participant wants paper again, from now on. They are told so."""

    async def act(application: Application) -> bool:
        return await _desk(application).withdraw(_plain(participant), how.value, by, why)

    if with_application(act):
        say(_console, "Recorded: consent withdrawn. A confirmation is on its way.")
    else:
        say(_console, "Nothing is recorded: the participant is not enrolled.")


def _desk(application: Application) -> StaffConsents:
    return StaffConsents(application.outbox, application.audit, application.clock)


def _words(settings: Settings, language: Language) -> ConsentWords:
    return disclosure(Layout.of(settings, StaticFiles()), language)


def _plain(number: str) -> str:
    return "".join(mark for mark in number if mark.isalnum())


def _moment(given: str) -> datetime:
    """A day's last moment, or a moment; Pacific time where it names no other. Raises InputError."""
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise InputError("--at must read like 2026-11-23 or 2026-11-23T14:05") from None
    if "T" not in given and " " not in given:
        found = datetime.combine(found.date(), time.max)
    return found if found.tzinfo else found.replace(tzinfo=PACIFIC)


def _how(entry: ConsentEntry) -> str:
    return f"by {entry.how}" + (f" ({shown(entry.staff)})" if entry.staff else "")


def _print_entries(entries: list[ConsentEntry]) -> None:
    table = new_table("On record, the last first")
    for name in ("at", "", "how", "words", "contact", "proof"):
        table.add_column(name, overflow="fold")
    for entry in entries:
        version = entry.text_version
        add_row(
            table,
            moment(entry.at),
            entry.action,
            _how(entry),
            f"{version[:_VERSION_SHOWN]} ({entry.language})" if version else "–",
            str(entry.contact_point_id or "–"),
            "; ".join(f"{name} {shown(str(value))}" for name, value in entry.proof.items()) or "–",
        )
    show_table(_console, table)
