"""The Participant Home Page: everything at a glance, and a page that an office may ask for."""

from collections.abc import Iterator
from typing import Final

from starlette.responses import Response

from engine.caseload.at_a_glance import glance_at
from engine.caseload.came_back import what_came_back
from engine.caseload.cases import cases_of
from engine.clock import pacific_date
from engine.portal.places import Place, Private
from engine.portal.visit import Visit

HOME: Final = "/home"


class ParticipantHomePages:
    """Where sign-in leads."""

    @property
    def places(self) -> Iterator[Place]:
        """Where it is."""
        yield Private(HOME, self.home)

    async def home(self, visit: Visit) -> Response:
        """Cases, balances, what comes next, what came last, what waits to be read; and what of ours
        came back."""
        now = visit.application.clock()
        async with visit.reading() as connection:
            glance = await glance_at(connection, visit.participant_id, now)
            cases = await cases_of(connection, visit.participant_id)
            came_back = await what_came_back(connection, visit.participant_id)
        return visit.page(
            "participant_home.html",
            nav="home",
            glance=glance,
            cases=cases,
            came_back=came_back,
            printed_on=pacific_date(now),
        )
