"""Routes: the channels of an obligation, in order, and how they are kept in the database."""

import json
from dataclasses import dataclass

from engine.communications.catalogue import Channel


@dataclass(frozen=True, slots=True)
class Leg:
    """One channel of a step. An alert that rides along does not meet the obligation."""

    channel: Channel
    meets: bool = True


Step = tuple[Leg, ...]
Route = tuple[Step, ...]


def in_order(*channels: Channel) -> Route:
    """The route that tries `channels` one after the other."""
    return tuple((Leg(channel),) for channel in channels)


def route_to_json(route: Route) -> str:
    """`route` as the database keeps it."""
    return json.dumps([[[leg.channel.value, leg.meets] for leg in step] for step in route])


def route_from_json(stored: str) -> Route:
    """The route that `route_to_json` wrote."""
    return tuple(
        tuple(Leg(Channel(channel), meets) for channel, meets in step)
        for step in json.loads(stored)
    )
