"""Mail that programs send by themselves and that is no bounce: absences, challenges, receipts."""

from typing import Final

from engine.email.bounces.phrases import folded, phrases
from engine.email.bounces.reading import Letter
from engine.email.bounces.verdict import Why

# RFC 3834, and what responders wrote before it.
_RESPONDER_FIELDS: Final = frozenset(
    {
        "x-autoreply",
        "x-autoreply-from",
        "x-autorespond",
        "x-autoresponder",
        "x-autoresponder-from",
        "x-auto-reply",
        "x-auto-reply-from",
        "x-auto-response",
        "x-mail-autoreply",
        "x-mailautoreply",
        "x-vacation",
        "x-amavis-autoreply",
        "x-ooo",
        "x-xfc-autoreply",
        "x-cron-env",
    }
)
_RESPONDER_PRECEDENCE: Final = frozenset({"auto_reply", "auto-reply", "autoreply"})


def is_reply(letter: Letter) -> bool:
    """Whether it says by its header that a program answered on behalf of a reader."""
    submitted = letter.headers.get("auto-submitted", "").lower()
    return (
        submitted.startswith("auto-replied")
        or bool(letter.headers.keys() & _RESPONDER_FIELDS)
        or letter.headers.get("precedence", "").lower() in _RESPONDER_PRECEDENCE
        or "oof" in letter.headers.get("x-ms-exchange-inbox-rules-loop", "").lower()
    )


def by_subject(letter: Letter) -> Why | None:
    """An absence or a challenge, by a subject that says so in one of many languages."""
    subject = folded(letter.subject)
    if phrases("automatic", "challenge subject").search(subject):
        return Why.CHALLENGE
    if phrases("automatic", "absent subject").search(subject):
        return Why.AUTO_REPLY
    return None


def by_words(letter: Letter) -> Why | None:
    """An absence or a challenge, by what a person would read."""
    text = folded(letter.prose[:3000])
    if phrases("automatic", "challenge").search(text):
        return Why.CHALLENGE
    return Why.AUTO_REPLY if phrases("automatic", "absent").search(text) else None
