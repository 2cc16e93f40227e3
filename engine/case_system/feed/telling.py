"""An event as others are told of it: ids, states and words of ours, in the feed and by webhook."""

from typing import Any

from engine.case_system.feed.reading import Event
from engine.case_system.identifiers import Identifiers


def told(event: Event, identifiers: Identifiers) -> dict[str, Any]:
    """One event, as JSON has it."""
    of_delivery = event.delivery_id is not None
    return {
        "id": identifiers.shown("event", event.position),
        "type": f"{'delivery' if of_delivery else 'communication'}.{event.event}",
        "at": event.at.isoformat(timespec="milliseconds"),
        "step": event.step,
        "communication": {
            "id": identifiers.shown("communication", event.communication_id),
            "notice": event.notice,
            "state": event.communication_state,
        },
        "delivery": None
        if event.delivery_id is None
        else {
            "id": identifiers.shown("delivery", event.delivery_id),
            "channel": event.channel,
            "state": event.delivery_state,
        },
    }
