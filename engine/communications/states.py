"""The state table of a delivery: what every event means in every state.

It is total. An event that comes twice, late or out of order has a cell too: it says that nothing
changes. Events are appended whatever the cell says, unless they are plain repeats.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where one delivery stands."""

    OWED = "owed"
    """Waiting for its next attempt."""
    SENDING = "sending"
    """A worker holds it under a lease."""
    SENT = "sent"
    """The recipient's mail server, or our smarthost, answered 250."""
    BATCHED = "batched"
    """A piece of the print batch that is open or closing."""
    HANDED_OVER = "handed_over"
    """In a closed batch that was handed to the print vendor and verified by its hash."""
    MAILED = "mailed"
    """The vendor gave it to the Postal Service."""
    RETURNED = "returned"
    """The Postal Service brought it back; the obligation goes to the next channel."""
    HELD = "held"
    """Owed still, but a person has to act first: there is no address that may be used."""
    FAILED = "failed"
    """This channel will not do it; the obligation goes to the next."""
    CANCELLED = "cancelled"
    """No longer owed: something newer took its place."""


class Event(StrEnum):
    """What can happen to a delivery."""

    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"
    """The connection was lost after DATA began: the server may have taken the message."""
    REFUSED = "refused"
    EXHAUSTED = "exhausted"
    """The last permitted attempt was deferred."""
    PUT_BACK = "put_back"
    """A stopping worker gives back what it had not begun."""
    GATHERED = "gathered"
    HANDED_OVER = "handed_over"
    MAILED = "mailed"
    RETURNED = "returned"
    REJECTED = "rejected"
    """The vendor will not mail it."""
    WITHDRAWN = "withdrawn"
    """The vendor took it out of its batch, as we ordered."""
    RECALLED = "recalled"
    """The vendor refused the whole batch: the letter goes into the one that takes its place."""
    HELD = "held"
    RELEASED = "released"
    CANCELLED = "cancelled"
    BOUNCED = "bounced"
    """A report came back that the address is dead."""
    BOUNCED_SOFT = "bounced_soft"
    """A report came back that it did not arrive, though the address may live: it is sent again."""
    GIVEN_UP = "given_up"
    """Soft bounces have gone on too long, or until the promise would slip."""
    COMPLAINED = "complained"
    """Its reader reported it as unwanted: it arrived, but nothing more is to be emailed there."""
    UNOPENED = "unopened"
    """It has waited in the inbox, and nobody opened it."""


LEFT: Final = frozenset({State.SENT, State.HANDED_OVER})
"""Coming into one of these, a message has left us: what it carries begins to count."""

MET: Final = frozenset({State.SENT, State.MAILED})
"""The obligation is met by a delivery in one of these."""

LOST: Final = frozenset({State.FAILED, State.RETURNED})
"""This channel did not do it: the obligation goes to the next."""

FINAL: Final = LEFT | MET | LOST | {State.CANCELLED}
"""Nothing more is sent for a delivery in one of these; its secret is shredded."""

LEASED_EVENTS: Final = frozenset(
    {Event.DEFERRED, Event.UNKNOWN, Event.REFUSED, Event.EXHAUSTED, Event.PUT_BACK, Event.GATHERED}
)
"""Only the worker that holds the lease may report these.

A 250 is the exception: it is a fact about the world, whoever reports it and however late.
"""

_MOVES: Final[dict[Event, dict[State, State]]] = {
    Event.CLAIMED: {State.OWED: State.SENDING, State.SENDING: State.SENDING},
    Event.ACCEPTED: {State.SENDING: State.SENT, State.OWED: State.SENT, State.HELD: State.SENT},
    Event.DEFERRED: {State.SENDING: State.OWED},
    Event.UNKNOWN: {State.SENDING: State.OWED},
    Event.REFUSED: {State.SENDING: State.FAILED},
    Event.EXHAUSTED: {State.SENDING: State.FAILED},
    Event.PUT_BACK: {State.SENDING: State.OWED},
    Event.GATHERED: {State.SENDING: State.BATCHED},
    Event.HANDED_OVER: {State.BATCHED: State.HANDED_OVER},
    Event.MAILED: {State.HANDED_OVER: State.MAILED},
    Event.RETURNED: {State.HANDED_OVER: State.RETURNED, State.MAILED: State.RETURNED},
    Event.REJECTED: {State.HANDED_OVER: State.FAILED},
    Event.WITHDRAWN: {State.HANDED_OVER: State.CANCELLED},
    Event.RECALLED: {State.HANDED_OVER: State.BATCHED},
    Event.HELD: {State.OWED: State.HELD, State.SENDING: State.HELD, State.BATCHED: State.HELD},
    Event.RELEASED: {State.HELD: State.OWED},
    Event.CANCELLED: {
        State.OWED: State.CANCELLED,
        State.SENDING: State.CANCELLED,
        State.BATCHED: State.CANCELLED,
        State.HELD: State.CANCELLED,
    },
    # A report may overtake the outcome of a hand-off of which we never heard the end.
    Event.BOUNCED: {
        State.SENT: State.FAILED,
        State.OWED: State.FAILED,
        State.SENDING: State.FAILED,
    },
    Event.BOUNCED_SOFT: {State.SENT: State.OWED},
    Event.GIVEN_UP: {State.SENT: State.FAILED},
    Event.COMPLAINED: {},
    Event.UNOPENED: {State.SENT: State.FAILED},
}

TABLE: Final = MappingProxyType(
    {(state, event): _MOVES[event].get(state) for state in State for event in Event}
)
"""(state, event) → the next state, or None where the event changes nothing."""
