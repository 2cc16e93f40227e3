"""Whom a notice to many is for, and by which way each of them is told: what the caseload puts into
a row of `asked_in_bulk` besides the facts."""

from typing import Final

from engine.caseload.notices import HAS_EMAIL, route_of
from engine.communications.routing import route_to_json

ENROLLED: Final = f"(participant.paperless AND {HAS_EMAIL})"
"""Who is without paper, and has an email address that may be used."""

NAME_FACTS: Final = """
CASE WHEN participant.first_name IS NOT NULL THEN
     jsonb_build_object('name', participant.first_name || ' ' || participant.last_name)
     ELSE '{}'::jsonb END
"""
"""The name among the facts, while it stands in the clear; a sealed one is copied as it is."""
ROUTE: Final = f"""
CASE WHEN NOT {ENROLLED} THEN $1::jsonb WHEN participant.confidential THEN $2::jsonb
     ELSE $3::jsonb END
"""
"""The route of a participant, by the three of `routes`."""


def routes() -> tuple[str, str, str]:
    """How those are told who are not enrolled, those who are and are confidential, and the others
    who are."""
    return (
        route_to_json(route_of(enrolled=False, by_email=False, confidential=False)),
        route_to_json(route_of(enrolled=True, by_email=True, confidential=True)),
        route_to_json(route_of(enrolled=True, by_email=True, confidential=False)),
    )
