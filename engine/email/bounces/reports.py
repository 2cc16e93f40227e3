"""Delivery reports (RFC 3464): what became of each recipient, by the report's own fields.

Of the three things that a report says, words of the remote server (Diagnostic-Code) come first,
then its enhanced status (RFC 3463), then what the reporting server wrote for a person: many
servers report 5.0.0 or 5.1.1 for whatever they were told.
"""

import re
from typing import Final

from engine.email.bounces.reading import Fields, Letter, mailbox
from engine.email.bounces.recipients import sections
from engine.email.bounces.verdict import Failure, Kind, Why
from engine.email.bounces.words import reason

_BEFORE_RECIPIENT: Final = re.compile(
    r"(?:in reply to|after|in response to)(?: the)?(?: initial)? (?:mail from|ehlo|helo|connect)",
    re.IGNORECASE,
)
_AFTER_RECIPIENT: Final = re.compile(
    r"(?:in reply to|after|in response to)(?: the)?(?: end of)? (?:rcpt|data)|rcpt to",
    re.IGNORECASE,
)
_UNAVAILABLE: Final = re.compile(
    r"mail ?box (?:is )?(?:unavailable|not available)|access denied", re.IGNORECASE
)

# Class.subject.detail, and no part of an IP address or of a version.
# A reply as notices repeat it, with the lines that it goes on for.
_REPLY_LINES: Final = re.compile(
    r"^.{0,120}?(?<![\w.])(?:[45]\d\d[ \-]|#?\(?#?[45]\.\d{1,3}\.\d{1,3}\b).*"
    r"(?:\n(?!\s*\n).+){0,3}",
    re.MULTILINE,
)
_STATED: Final = re.compile(r"(?<![\w.])([245]\.\d{1,3}\.\d{1,3})(?![\w]|\.\d)")
_STATUS: Final = re.compile(r"(?<![\w.])([45]\.[0-7]\.\d{1,3})(?![\w]|\.\d)")
_REPLY: Final = re.compile(r"(?<![\w.])([245]\d\d)(?=[ \-:#]|$)")
_REPLY_AND_STATUS: Final = re.compile(
    r"(?<![\w.])[45]\d\d[ \-:]*(?:\[[^\]]*\] ?)?\(?#?([45]\.[0-7]\.\d{1,3})(?![\w]|\.\d)"
)

# RFC 3463, 3; RFC 7505, 4 (10); RFC 7293, 6.2 (17, 18); RFC 7372. 5.4.310 is Exchange Online's.
_MEANING: Final = {
    "1.0": Why.UNKNOWN_USER,
    "1.1": Why.UNKNOWN_USER,
    "1.2": Why.UNKNOWN_HOST,
    "1.3": Why.UNKNOWN_USER,
    "1.4": Why.UNKNOWN_USER,
    "1.6": Why.MOVED,
    "1.7": Why.SENDER,
    "1.8": Why.SENDER,
    "1.9": Why.SENDER,
    "1.10": Why.UNKNOWN_HOST,
    "2.1": Why.SUSPENDED,
    "2.2": Why.FULL,
    "2.3": Why.SIZE,
    "2.4": Why.SYSTEM,
    "3.1": Why.SYSTEM,
    "3.2": Why.SYSTEM,
    "3.3": Why.SYSTEM,
    "3.4": Why.SIZE,
    "3.5": Why.SYSTEM,
    "4.1": Why.NETWORK,
    "4.2": Why.NETWORK,
    "4.3": Why.SYSTEM,
    "4.4": Why.UNKNOWN_HOST,
    "4.5": Why.NETWORK,
    "4.6": Why.LOOP,
    "4.7": Why.EXPIRED,
    "4.14": Why.LOOP,
    "4.310": Why.UNKNOWN_HOST,
    "7.17": Why.MOVED,
    "7.18": Why.MOVED,
}
_SUBJECT: Final = {
    "3": Why.SYSTEM,
    "4": Why.NETWORK,
    "5": Why.SYSTEM,
    "6": Why.SPAM,
    "7": Why.POLICY,
}
_OUTCOME: Final = frozenset({"action", "status", "diagnostic-code"})
_VAGUE: Final = frozenset({"1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0", "0.0"})

# Said by words of many meanings, or by a server that gave up: a clearer word elsewhere overrules.
_WEAK: Final = frozenset({Why.POLICY, Why.SYSTEM, Why.NETWORK, Why.EXPIRED, Why.UNDETERMINED})

# What an address that is dead on paper may be alive by.
_OVERRULES_DEAD: Final = frozenset({Why.FULL, Why.SUSPENDED, Why.SIZE})


def failures(letter: Letter) -> tuple[Failure, ...]:
    """One for each recipient that the report tells of; none where it is no such report."""
    reported = _recipients(letter)
    about = sections(letter.prose) if len(reported) > 1 else {}
    return tuple(_failure(fields, about, letter.prose or letter.subject) for fields in reported)


def envelope_id(letter: Letter) -> str | None:
    """The ENVID that the message was sent with (RFC 3464, 2.2.1), if it came back."""
    found = (block.get("original-envelope-id") for block in letter.statuses)
    return next((value for value in found if value), None)


def address(field: str | None) -> str | None:
    """The mail address of a recipient field (RFC 3464, 2.3.1 and 2.3.2), whatever its type."""
    if not field:
        return None
    found = mailbox(field.split(";", 1)[-1]).removeprefix("SMTP:")
    return found if found.find("@") > 0 and len(found) < 320 and " " not in found else None


def status_in(text: str) -> str | None:
    """The enhanced status in a reply of a server: the one after its code, or the first."""
    found = _REPLY_AND_STATUS.search(text) or _STATUS.search(text)
    return found[1] if found else None


def replies_in(prose: str) -> str:
    """The replies of servers that a notice repeats; empty where it repeats none."""
    return "\n".join(match[0] for match in _REPLY_LINES.finditer(prose))


def meaning(status: str | None) -> Why | None:
    """What an enhanced status means (RFC 3463); None where it does not say."""
    if status is None or status[0] == "2":
        return None
    detail = status[2:]
    if status[0] == "4" and _MEANING.get(detail, Why.SYSTEM).kind is Kind.HARD:
        return Why.NETWORK
    return _MEANING.get(detail) or _SUBJECT.get(detail.split(".")[0])


def why(told: str, status: str | None, prose: str) -> Why:
    """Why delivery failed, by the words told to the reporting server, a status, and prose."""
    by_status = None if status is None or status[2:] in _VAGUE else meaning(status)
    by_words = _in_context(told, status, reason(told))
    if by_words is not None and by_words not in _WEAK:
        return _unless_before_recipient(by_words, f"{told}\n{prose}")
    if by_words is Why.NETWORK and by_status is Why.UNKNOWN_HOST:
        return by_words
    if by_status is not None and by_status not in _WEAK:
        return _alive(by_status, prose)
    by_prose = _by_prose(prose, status)
    if by_prose is not None and by_prose not in _WEAK:
        return by_prose
    vague = meaning(status)
    if by_words is None and by_prose is None and vague is not None:
        return vague
    return by_words or by_status or by_prose or Why.UNDETERMINED


def _by_prose(prose: str, status: str | None) -> Why | None:
    """What a person would read, the replies of servers that it repeats before all else."""
    replies = replies_in(prose)
    found = _in_context(replies, status, reason(replies))
    if found is None or found in _WEAK:
        found = _in_context(prose, status, reason(prose)) or found
    return None if found is None else _unless_before_recipient(found, prose)


def _alive(by_status: Why, prose: str) -> Why:
    by_prose = _by_prose(prose, None) if by_status.kind is Kind.HARD else None
    return by_prose if by_prose in _OVERRULES_DEAD else by_status


def _unless_before_recipient(found: Why, said: str) -> Why:
    """Until RCPT the server has heard of us alone: nobody's address is dead by what it says."""
    early = _BEFORE_RECIPIENT.search(said) and not _AFTER_RECIPIENT.search(said)
    return Why.SENDER if early and found.kind is Kind.HARD else found


def _in_context(text: str, status: str | None, found: Why | None) -> Why | None:
    """Words of death that mean something else where they were said, or by their reply code."""
    if found is None or found.kind is not Kind.HARD:
        return found
    if meaning(status) is Why.SENDER:
        return Why.SENDER
    reply = _REPLY.search(text)
    temporary = (reply[1] if reply else status or "5").startswith("4")
    if temporary and found is Why.MOVED:
        return Why.SYSTEM
    if found is Why.UNKNOWN_USER and _UNAVAILABLE.search(text):
        # RFC 5321, 4.2.3: 450 for a mailbox that is busy, 550 for one that is not there.
        if temporary:
            return Why.SYSTEM
        return Why.SUSPENDED if status == "5.2.1" else found
    return found


def _recipients(letter: Letter) -> list[Fields]:
    """The groups of fields about a recipient; those that a stray empty line cut apart as one."""
    groups = letter.statuses[:200]
    about = [group for group in groups if group.keys() & {"final-recipient", "original-recipient"}]
    if any(group.keys() & _OUTCOME for group in about):
        return about
    whole = {name: value for group in reversed(groups) for name, value in group.items()}
    return [whole] if whole.keys() & _OUTCOME else []


def _failure(fields: Fields, about: dict[str, str], prose: str) -> Failure:
    told = " ".join(
        filter(
            None,
            (
                _comment(fields.get("diagnostic-code")),
                _comment(fields.get("status")),
                fields.get("x-postfix-reason"),
                fields.get("x-notes"),
                fields.get("x-supplementary-info"),
            ),
        )
    )
    status = _status(fields.get("status"), told)
    original = address(fields.get("original-recipient"))
    final = address(fields.get("final-recipient")) or address(fields.get("x-actual-recipient"))
    named = final or original
    prose = about.get(named or "", prose)
    return Failure(_outcome(fields, told, status, prose), status, named, original)


def _comment(field: str | None) -> str:
    """A field without its type and without its bare status: what it says in words."""
    if not field:
        return ""
    return re.sub(r"^\s*(?:[xX]-[\w-]+|smtp|SMTP|dns|X400|x400)\s*;", "", field).strip()


def _status(field: str | None, told: str) -> str | None:
    found = _STATED.search(field or "")
    stated = found[1] if found else None
    if stated is None or stated[2:] in _VAGUE:
        said = status_in(told)
        if said:
            return said if said[2:] not in _VAGUE else stated or said
    return stated


def _outcome(fields: Fields, told: str, status: str | None, prose: str) -> Why:
    action = fields.get("action", "").strip().lower()
    if action.startswith(("deliver", "relay", "expand")):
        return Why.DELIVERED
    if action.startswith("delay"):
        return Why.DELAYED
    if not action and status and status[0] == "2":
        return Why.DELIVERED
    return why(told, status, prose)
