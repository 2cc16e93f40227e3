"""What a message that came in says of an address: RFC 3464 first, then flufl.bounce, then words."""

import re
from typing import Final

from engine.email.bounces import automatic, notices, reports
from engine.email.bounces.complaints import complaint
from engine.email.bounces.phrases import folded
from engine.email.bounces.reading import Letter, read
from engine.email.bounces.verdict import Failure, Verdict, Why, worst

_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{1,900}>")
_REFUSED: Final = re.compile(r"automatically rejected|was rejected|failed|error")


def classify(message: bytes) -> Verdict:
    """The verdict on any bytes at all, in bounded time; it never raises.

    Several recipients may be reported on at once: the message's verdict is the worst of theirs.
    """
    letter = read(message)
    found = _failures(letter, message)
    decisive = worst(found)
    none = decisive.kind == "none"
    originals = (one.original_recipient for one in found)
    return Verdict(
        why=decisive.why,
        status=decisive.status,
        recipient=decisive.recipient,
        recipients=() if none and decisive.recipient is None else found,
        original_recipients=tuple(dict.fromkeys(one for one in originals if one)),
        envelope_id=reports.envelope_id(letter),
        original_message_id=_original_message_id(letter),
    )


def _failures(letter: Letter, message: bytes) -> tuple[Failure, ...]:
    complained = complaint(letter)
    if complained is not None:
        return (complained,)
    if letter.disposition is not None and not _refused(letter):
        return (Failure(Why.RECEIPT),)
    reported = reports.failures(letter)
    if reported and notices.is_report(letter):
        return (Failure(Why.CHALLENGE),) if _challenged(letter) else reported
    no_bounce = _no_bounce(letter)
    if no_bounce is not None:
        return (Failure(no_bounce),)
    return notices.failures(letter, message)


def _no_bounce(letter: Letter) -> Why | None:
    """What it is instead of a bounce; None where it is a mail server's notice."""
    by_subject = automatic.by_subject(letter)
    if by_subject is not None and not notices.begins_as_notice(letter):
        return by_subject
    if notices.is_notice(letter):
        challenged = automatic.by_words(letter) is Why.CHALLENGE
        return Why.CHALLENGE if challenged and not notices.is_daemon(letter) else None
    if automatic.is_reply(letter):
        return automatic.by_words(letter) or Why.AUTO_REPLY
    return Why.CHALLENGE if automatic.by_words(letter) is Why.CHALLENGE else Why.NO_BOUNCE


def _challenged(letter: Letter) -> bool:
    """A challenge in the clothes of a delivery report, as Boxbe sends."""
    return not notices.is_daemon_address(letter) and automatic.by_words(letter) is Why.CHALLENGE


def _refused(letter: Letter) -> bool:
    """A disposition that tells of a refusal (RFC 5429): deleted unread, for a reason in words."""
    done = (letter.disposition or {}).get("disposition", "").lower()
    said = folded(letter.prose[:1000])
    return bool(re.search(r"deleted|failed|error|denied", done)) and bool(_REFUSED.search(said))


def _original_message_id(letter: Letter) -> str | None:
    """By what is returned, by a field for it (RFC 8098, 3.2.5, and Gmail's), or as answered to."""
    groups = (*letter.statuses, letter.disposition or {})
    told = (
        (letter.returned or {}).get("message-id"),
        *(group.get("x-original-message-id") for group in groups),
        *(group.get("original-message-id") for group in groups),
        letter.headers.get("in-reply-to"),
    )
    found = (_MESSAGE_ID.search(one) for one in told if one)
    return next((match[0] for match in found if match), None)
