"""Every alarm there is: what it means, what to do, and who finds it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, get_args

AlarmKind = Literal[
    "at_risk",
    "breached",
    "smarthost",
    "no_workers",
    "unreadable",
    "not_built",
    "no_ack",
    "no_final",
    "sequence_gap",
    "status_gap",
    "totals",
    "not_destroyed",
    "handover",
    "close",
    "order",
    "quarantined",
    "confidential_redirected",
    "key",
    "webhook",
    "api_token",
]


class Finder(StrEnum):
    """Who looks for an alarm, and so says when it is over."""

    DEADLINES = "deadlines"
    SMARTHOSTS = "smarthosts"
    WORKERS = "workers"
    DELIVERIES = "deliveries"
    PRINT_DROP = "print_drop"
    WEBHOOKS = "webhooks"
    API_TOKENS = "api_tokens"


@dataclass(frozen=True, slots=True)
class Kind:
    """`quotes` is whether its subject or detail may hold what somebody else wrote, a vendor's file
    name or a server's own words: those stay here, and no message carries them."""

    finder: Finder
    means: str
    act: str
    quotes: bool = False


KINDS: Final[dict[AlarmKind, Kind]] = {
    "at_risk": Kind(
        Finder.DEADLINES,
        "promises are in danger, and there is still time",
        "connect deadlines says which, why, and whose task it is",
    ),
    "breached": Kind(
        Finder.DEADLINES,
        "promises were broken, and are still owed",
        "connect deadlines says which and why; what is held waits at connect mail held",
    ),
    "smarthost": Kind(
        Finder.SMARTHOSTS,
        "a smarthost takes no mail; what is owed waits, and is held against no message",
        "what its text advises; ask whoever runs it. With several in SMTP_URL the others carry on",
    ),
    "no_workers": Kind(
        Finder.WORKERS,
        "no worker is at work: nothing is sent, and no other alarm is raised",
        "start them: on each machine, systemctl status 'connect-worker@*' and its log say why not",
    ),
    "unreadable": Kind(
        Finder.DELIVERIES,
        "rows whose notice or facts this version cannot read were set aside; the others go on",
        "find the version that recorded them, mend it, then connect mail send-on IDS --why …",
    ),
    "not_built": Kind(
        Finder.DELIVERIES,
        "messages cannot be built: a template fails on them, or a key is gone; the others go on",
        "the workers' log says why at email_not_built; mended, they are tried again by themselves",
    ),
    "no_ack": Kind(
        Finder.PRINT_DROP,
        "2 hours after .done, the vendor has not answered",
        "call the vendor",
    ),
    "no_final": Kind(
        Finder.PRINT_DROP,
        "two business days after it was handed over, a batch is not finished",
        "call the vendor; deadlines of its letters are running",
    ),
    "sequence_gap": Kind(
        Finder.PRINT_DROP,
        "a later batch was acknowledged, this one was not",
        "ask the vendor whether it has it",
    ),
    "status_gap": Kind(
        Finder.PRINT_DROP,
        "a status file is missing between two others",
        "ask the vendor to send it",
    ),
    "totals": Kind(
        Finder.PRINT_DROP,
        "what was sent, acknowledged and mailed disagree, or a batch was rejected",
        "connect batch show NAME; the next batch waits until it is settled",
    ),
    "not_destroyed": Kind(
        Finder.PRINT_DROP,
        "the vendor still holds data after the day it was to be gone",
        "call the vendor",
    ),
    "handover": Kind(
        Finder.PRINT_DROP,
        "a stored batch does not leave",
        "connect batch list has its text: it says why, and what to do",
        quotes=True,
    ),
    "close": Kind(
        Finder.PRINT_DROP,
        "a batch whose letters are fixed could not be finished",
        "connect batch list has its text; mend it, then connect batch close",
        quotes=True,
    ),
    "order": Kind(
        Finder.PRINT_DROP,
        "an order has not left for 15 minutes",
        "the workers' log says why at order_waits",
    ),
    "quarantined": Kind(
        Finder.PRINT_DROP,
        "a vendor's file could not be taken; nothing of it counts",
        "connect batch list has its name and the reason: send that to the vendor",
        quotes=True,
    ),
    "confidential_redirected": Kind(
        Finder.PRINT_DROP,
        "a letter to a protected address was looked up in NCOALink",
        "ask the vendor at once where it went; tell the participant's local agency",
    ),
    "key": Kind(
        Finder.PRINT_DROP,
        "a key of the print batch ends within 30 days, or has ended, or cannot be used",
        "exchange keys as section 1 of docs/print-batch-contract.md says",
        quotes=True,
    ),
    "webhook": Kind(
        Finder.WEBHOOKS,
        "a webhook endpoint took nothing for days, or wants no more: nothing is posted to it",
        "ask whoever runs it; then connect webhook enable ID: it goes on where it stopped",
    ),
    "api_token": Kind(
        Finder.API_TOKENS,
        "the last token of a program that calls the machine API ends within 14 days, or has ended",
        "connect api-key rotate NAME, and hand the new token over; or connect api-key revoke NAME",
    ),
}

assert KINDS.keys() == set(get_args(AlarmKind))  # noqa: S101  each kind says what to do


def found_by(finder: Finder) -> list[str]:
    """The kinds that one finder looks for."""
    return [name for name, kind in KINDS.items() if kind.finder is finder]


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a person must look at. `subject` tells it from others of its kind: a batch, a
    server, a day's notices; `detail` says what is wrong, in ids, counts and words of ours."""

    kind: AlarmKind
    subject: str
    detail: str


def counted(things: str, number: int, first: Sequence[int]) -> str:
    """How many they are, and the ids of the first."""
    more = f" and {number - len(first)} more" if number > len(first) else ""
    return f"{things}: {number} ({', '.join(map(str, first))}{more})"
