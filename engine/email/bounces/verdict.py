"""What is said of a message that came back: its kind, and why, in words of a closed set."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What a message means for the address, whatever the first digit of its status says."""

    HARD = "hard"
    """The address is dead."""
    SOFT = "soft"
    """The message was not delivered, or not yet; the address may live."""
    COMPLAINT = "complaint"
    """It was delivered, and its reader reported it as unwanted."""
    NONE = "none"
    """No bounce at all."""


class Why(StrEnum):
    """Why: never a text of the message itself."""

    UNKNOWN_USER = "unknown_user"
    UNKNOWN_HOST = "unknown_host"
    MOVED = "moved"

    FULL = "full"
    SUSPENDED = "suspended"
    GREYLISTED = "greylisted"
    RATE_LIMITED = "rate_limited"
    SIZE = "size"
    SPAM = "spam"
    BLOCKED = "blocked"
    AUTHENTICATION = "authentication"
    SENDER = "sender"
    RELAY = "relay"
    POLICY = "policy"
    EXPIRED = "expired"
    NETWORK = "network"
    LOOP = "loop"
    SYSTEM = "system"
    UNDETERMINED = "undetermined"
    DELAYED = "delayed"

    COMPLAINT = "complaint"

    AUTO_REPLY = "auto_reply"
    CHALLENGE = "challenge"
    RECEIPT = "receipt"
    DELIVERED = "delivered"
    NOT_SPAM = "not_spam"
    NO_BOUNCE = "no_bounce"

    @property
    def kind(self) -> Kind:
        """The kind that follows from it."""
        return _KINDS.get(self, Kind.SOFT)


_KINDS: Final = {
    Why.UNKNOWN_USER: Kind.HARD,
    Why.UNKNOWN_HOST: Kind.HARD,
    Why.MOVED: Kind.HARD,
    Why.COMPLAINT: Kind.COMPLAINT,
    Why.AUTO_REPLY: Kind.NONE,
    Why.CHALLENGE: Kind.NONE,
    Why.RECEIPT: Kind.NONE,
    Why.DELIVERED: Kind.NONE,
    Why.NOT_SPAM: Kind.NONE,
    Why.NO_BOUNCE: Kind.NONE,
}

_WORST_FIRST: Final = (Kind.HARD, Kind.COMPLAINT, Kind.SOFT, Kind.NONE)


@dataclass(frozen=True, slots=True)
class Failure:
    """What a message says of one recipient.

    `status` is an enhanced status code (RFC 3463) as reported, which `why` may overrule.
    `original_recipient` is the address as it was sent to (ORCPT, RFC 3461), if it came back.
    """

    why: Why
    status: str | None = None
    recipient: str | None = None
    original_recipient: str | None = None

    @property
    def kind(self) -> Kind:
        """The kind that follows from `why`."""
        return self.why.kind


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a message says as a whole: that of the recipient who fared worst.

    `recipients` has one entry for each recipient that the message reports on; none for a message
    that is no report. `envelope_id` is the ENVID it was sent with (RFC 3464, 2.2.1), and
    `original_message_id` the Message-ID of what was returned, with its angle brackets. All of them
    are claims of whoever sent the message, not to be trusted without a proof.
    """

    why: Why
    status: str | None = None
    recipient: str | None = None
    recipients: tuple[Failure, ...] = ()
    original_recipients: tuple[str, ...] = ()
    envelope_id: str | None = None
    original_message_id: str | None = None

    @property
    def kind(self) -> Kind:
        """The kind that follows from `why`."""
        return self.why.kind

    @property
    def delayed(self) -> bool:
        """A notice that delivery is still being tried (Action: delayed): no failure yet."""
        return self.why is Why.DELAYED


def worst(failures: tuple[Failure, ...]) -> Failure:
    """The first of the worst kind; a failure is worse than a delay. Takes at least one."""
    return min(failures, key=lambda one: (_WORST_FIRST.index(one.kind), one.why is Why.DELAYED))
