"""The state table, over every state and every event."""

import pytest

from engine.communications.states import FINAL, MET, TABLE, Event, State

EVERY_CELL = [(state, event) for state in State for event in Event]

MOVES = {
    (State.OWED, Event.CLAIMED): State.SENDING,
    (State.OWED, Event.ACCEPTED): State.SENT,
    (State.OWED, Event.HELD): State.HELD,
    (State.OWED, Event.CANCELLED): State.CANCELLED,
    (State.SENDING, Event.CLAIMED): State.SENDING,
    (State.SENDING, Event.ACCEPTED): State.SENT,
    (State.SENDING, Event.DEFERRED): State.OWED,
    (State.SENDING, Event.UNKNOWN): State.OWED,
    (State.SENDING, Event.REFUSED): State.FAILED,
    (State.SENDING, Event.EXHAUSTED): State.FAILED,
    (State.SENDING, Event.PUT_BACK): State.OWED,
    (State.SENDING, Event.GATHERED): State.BATCHED,
    (State.SENDING, Event.HELD): State.HELD,
    (State.SENDING, Event.CANCELLED): State.CANCELLED,
    (State.BATCHED, Event.HANDED_OVER): State.HANDED_OVER,
    (State.HANDED_OVER, Event.MAILED): State.MAILED,
    (State.HANDED_OVER, Event.RETURNED): State.RETURNED,
    (State.MAILED, Event.RETURNED): State.RETURNED,
    (State.HANDED_OVER, Event.REJECTED): State.FAILED,
    (State.HANDED_OVER, Event.WITHDRAWN): State.CANCELLED,
    (State.HANDED_OVER, Event.RECALLED): State.BATCHED,
    (State.BATCHED, Event.HELD): State.HELD,
    (State.BATCHED, Event.CANCELLED): State.CANCELLED,
    (State.HELD, Event.ACCEPTED): State.SENT,
    (State.HELD, Event.RELEASED): State.OWED,
    (State.HELD, Event.CANCELLED): State.CANCELLED,
    (State.OWED, Event.BOUNCED): State.FAILED,
    (State.SENDING, Event.BOUNCED): State.FAILED,
    (State.SENT, Event.BOUNCED): State.FAILED,
    (State.SENT, Event.BOUNCED_SOFT): State.OWED,
    (State.SENT, Event.GIVEN_UP): State.FAILED,
    (State.SENT, Event.UNOPENED): State.FAILED,
}


@pytest.mark.parametrize(("state", "event"), EVERY_CELL)
def test_every_event_has_an_answer_in_every_state(state: State, event: Event) -> None:
    """The table is total: a cell moves as written here, and every other changes nothing."""
    assert TABLE[state, event] is MOVES.get((state, event))


@pytest.mark.parametrize("event", Event)
@pytest.mark.parametrize("state", sorted(FINAL))
def test_what_has_left_is_not_sent_again(state: State, event: Event) -> None:
    """A late, repeated or contradicting event never revives a delivery; only the letters of a
    batch that the vendor refused whole are put into the one that takes its place, and an email
    that came back from a full mailbox is sent again."""
    after = TABLE[state, event]
    again = {(State.HANDED_OVER, Event.RECALLED), (State.SENT, Event.BOUNCED_SOFT)}
    assert after is None or after in FINAL or (state, event) in again


@pytest.mark.parametrize("event", [event for event in Event if event is not Event.CLAIMED])
@pytest.mark.parametrize("state", State)
def test_the_same_event_twice_is_the_same_as_once(state: State, event: Event) -> None:
    """A duplicate changes nothing: where an event leads, the same event does not lead on."""
    first = TABLE[state, event] or state
    assert TABLE[first, event] is None


def test_only_a_claim_leads_to_sending() -> None:
    """Nobody sends without having claimed: no other event leads to that state."""
    leading = {event for (_, event), state in TABLE.items() if state is State.SENDING}
    assert leading == {Event.CLAIMED}


def test_an_obligation_is_met_only_by_what_has_left() -> None:
    """What meets an obligation is over; only what comes back undoes it, or was never opened."""
    assert MET < FINAL
    undone = {(state, event) for state in MET for event in Event if TABLE[state, event]}
    assert undone == {
        (State.MAILED, Event.RETURNED),
        (State.SENT, Event.BOUNCED),
        (State.SENT, Event.BOUNCED_SOFT),
        (State.SENT, Event.GIVEN_UP),
        (State.SENT, Event.UNOPENED),
    }
