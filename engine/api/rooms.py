"""Every door of the machine API that asks for a key."""

from engine.api import catalogue, communications, events, webhooks
from engine.api.doors import Door


def doors() -> tuple[Door, ...]:
    """In the order in which the document has them."""
    return (*communications.DOORS, *catalogue.DOORS, *events.DOORS, *webhooks.DOORS)
