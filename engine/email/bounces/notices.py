"""Bounces that are no delivery report: prose of a mail server, recognised by who sends it and how.

No single sign is enough. People quote bounces, forward them and ask about them, and mail from a
postmaster may be about anything; a notice is told by its sender, its subject and its words.
"""

import email
import logging
import re
from typing import Final

from flufl.bounce import all_failures

from engine.email.bounces.phrases import folded, phrases
from engine.email.bounces.reading import Letter
from engine.email.bounces.recipients import first_named, sections
from engine.email.bounces.reports import address, replies_in, status_in, why
from engine.email.bounces.verdict import Failure, Why
from engine.email.bounces.words import reason

_DAEMON: Final = re.compile(
    r"^(?:mailer[-_.]?daemon|postmaster|mdaemon|mail-?daemon|majordomo-daemon|ndr|mmdf|imss|"
    r"mail[-._]?(?:delivery|system|admin|gateway|router|error)\S*|daemon|mailadm\S*|inetgw\S*|"
    r"e500_smtp\S*|symantec\S*|mailmaster|mail_administrator|nondelivery\S*|double-bounce|"
    r"system[ .]administrator|microsoftexchange\w+|mailscanner)(?:@|$)"
)
# Names that mail servers write under, and others too.
_PROGRAM: Final = re.compile(
    r"^(?:no|do-?not)[-_.]?reply|^(?:notification|bounce|delivery|smtp|mta|dsn|exchange|quarantine|"
    r"auto-?mail|mail-?server|e-?mail)\S*@|^(?:mail|admin|administrator|root|alerts?)@"
)

_ANSWER: Final = re.compile(
    r"^(?:re|aw|fwd?|fw|wg|sv|vs|tr|rv|res|enc|antw|odp|rif|r|i)\s?(?:\[\d+\])?:"
)

_LOOKED_AT: Final = 1 << 15


def is_notice(letter: Letter) -> bool:
    """Whether a mail server wrote it to say that something was not delivered."""
    subject = folded(letter.subject)
    failing = bool(phrases("notices", "subject").search(subject))
    worded = bool(phrases("notices", "notice").search(folded(letter.prose[:4000])))
    answers = _ANSWER.match(subject) and (letter.quotes or "in-reply-to" in letter.headers)
    if answers and not letter.sender.startswith("mailer-daemon"):
        return False
    if is_daemon(letter):
        return failing or worded
    return failing and worded and not letter.quotes and _by_program(letter) and _of_mail(letter)


def is_report(letter: Letter) -> bool:
    """Whether its delivery report is its own, and none that somebody passes on."""
    return letter.content_type == "multipart/report" or is_daemon(letter) or has_null_path(letter)


def begins_as_notice(letter: Letter) -> bool:
    """Whether the subject begins as a notice's does, whatever subject it repeats after that."""
    found = phrases("notices", "subject").search(folded(letter.subject)[:60])
    return bool(found) and is_daemon(letter)


def is_daemon(letter: Letter) -> bool:
    """Whether a mail server says that it wrote this: by its address, its name or its form."""
    return (
        is_daemon_address(letter)
        or letter.report_type == "delivery-status"
        or letter.headers.get("from", "").strip() == "<>"
    )


def is_daemon_address(letter: Letter) -> bool:
    """Whether its From is that of a mail server, by the address or the name beside it."""
    name = folded(letter.headers.get("from", ""))
    name = name.split("<")[0] if "@" in letter.sender else name
    return bool(_DAEMON.search(letter.sender) or phrases("notices", "daemon name").search(name))


def has_null_path(letter: Letter) -> bool:
    """Whether its envelope had no sender (RFC 5321, 4.5.5), as those of answers have not either."""
    return letter.headers.get("return-path", "").strip() == "<>"


def failures(letter: Letter, message: bytes) -> tuple[Failure, ...]:
    """One for each recipient that the notice names; one without a name where it names none."""
    prose = letter.prose
    if _is_delay(letter):
        return tuple(
            Failure(Why.DELAYED, status_in(prose), name)
            for name in _named(letter, message) or (None,)
        )
    ours = _ours(letter)
    about = {name: text for name, text in sections(prose).items() if name.lower() not in ours}
    if len(about) > 1:
        return tuple(_section(name, text, prose) for name, text in about.items())
    status = status_in(prose)
    cause = why(replies_in(prose) or prose, status, prose)
    if cause is Why.UNDETERMINED:
        cause = reason(letter.subject) or cause
    return tuple(Failure(cause, status, name) for name in _named(letter, message) or (None,))


def _section(name: str, text: str, prose: str) -> Failure:
    status = status_in(text)
    found = why(text, status, "")
    if found is Why.UNDETERMINED:
        found = why("", status, prose)
    return Failure(found, status or status_in(prose), name)


def _is_delay(letter: Letter) -> bool:
    text = folded(letter.prose[:4000])
    if not phrases("notices", "delay").search(text):
        return False
    return bool(phrases("notices", "delay subject").search(folded(letter.subject))) or not phrases(
        "notices", "over"
    ).search(text)


def _named(letter: Letter, message: bytes) -> tuple[str, ...]:
    """The recipients: as Exim and others put them into a header, as flufl.bounce finds them, or
    else the first address of the prose."""
    ours = _ours(letter)
    listed = map(address, letter.headers.get("x-failed-recipients", "").split(","))
    found = tuple(name for name in listed if name)
    found = found or tuple(name for name in by_flufl(message) if name.lower() not in ours)
    named = None if found else first_named(letter.prose, ours)
    return found if named is None else (named,)


def _ours(letter: Letter) -> str:
    """Where it came to and from: these addresses are not the ones that failed."""
    return f"{letter.headers.get('to', '')} {letter.sender}".lower()


# It logs the whole trace of a detector that stumbles, over a message that is somebody's.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)


def by_flufl(message: bytes) -> tuple[str, ...]:
    """The recipients that flufl.bounce finds, in order; it knows many old servers."""
    lines = message[:_LOOKED_AT].splitlines(keepends=True)
    short = b"".join(line if len(line) < 1000 else line[:996] + b"\n" for line in lines)
    try:
        temporary, permanent = all_failures(email.message_from_bytes(short))
    except Exception:  # noqa: BLE001 - its detectors are written for the mail that they know
        return ()
    names = {name.decode("ascii", "replace") for name in temporary | permanent}
    return tuple(sorted(name for name in names if 0 < name.find("@") < len(name) - 1))


def _by_program(letter: Letter) -> bool:
    """Whether a program seems to have written it, though its address is no mail server's."""
    submitted = letter.headers.get("auto-submitted", "no").lower()
    return submitted != "no" or has_null_path(letter) or bool(_PROGRAM.search(letter.sender))


def _of_mail(letter: Letter) -> bool:
    """Whether it is mail that was not delivered: parcels are returned too."""
    return letter.returned is not None or first_named(letter.prose, _ours(letter)) is not None
