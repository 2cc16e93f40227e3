"""Complaints: a reader pressed "this is spam", and the provider reports it (ARF, RFC 5965)."""

import re
from typing import Final

from engine.email.bounces.phrases import folded
from engine.email.bounces.reading import Fields, Letter
from engine.email.bounces.reports import address
from engine.email.bounces.verdict import Failure, Why

# RFC 5965, 7.3, and what is in use beside it. A failed authentication (RFC 6591) is no complaint.
_COMPLAINTS: Final = frozenset(
    {"abuse", "fraud", "virus", "other", "miscategorized", "opt-out", "opt-out-list", "complaint"}
)

_TYPE: Final = re.compile(r"^Feedback-Type:[ \t]*([\w-]+)", re.IGNORECASE | re.MULTILINE)

# Feedback loops older than the format: AOL's and Microsoft's (JMRP) wrote in plain words.
_SENDER: Final = re.compile(
    r"^(?:staff@hotmail\.com|scomp@aol\.net|feedbackloop@|fbl@|abuse-?fbl@)"
)
_WORDS: Final = re.compile(
    r"this is an? (?:e-?mail )?abuse report|e-?mail (?:abuse|feedback) report for|"
    r"complaint about message from|client tos notification"
)


def complaint(letter: Letter) -> Failure | None:
    """What a feedback report says; None where the message is none."""
    fields = letter.feedback
    if fields is None and letter.report_type == "feedback-report":
        fields = {"feedback-type": found[1] if (found := _TYPE.search(letter.prose)) else "abuse"}
    if fields is None:
        return _in_plain_words(letter)
    kind = fields.get("feedback-type", "").strip().lower()
    if kind == "not-spam":
        return Failure(Why.NOT_SPAM)
    if kind and kind not in _COMPLAINTS:
        return Failure(Why.NO_BOUNCE)
    return Failure(Why.COMPLAINT, recipient=_recipient(fields, letter))


def _recipient(fields: Fields, letter: Letter) -> str | None:
    told = fields.get("original-rcpt-to") or fields.get("removal-recipient")
    returned = letter.returned or {}
    return address(told) or address(returned.get("to"))


def _in_plain_words(letter: Letter) -> Failure | None:
    if letter.returned is None:
        return None
    known = _SENDER.match(letter.sender)
    words = _WORDS.search(folded(f"{letter.subject}\n{letter.prose[:2000]}"))
    if not words and not (known and letter.content_type.startswith("multipart/")):
        return None
    return Failure(Why.COMPLAINT, recipient=address(letter.returned.get("to")))
