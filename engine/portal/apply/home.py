"""Where somebody who applies begins once they are signed in."""

from collections.abc import Iterator

from starlette.responses import Response

from engine.applications.numbers import written
from engine.portal.doors import APPLICATION_SITE
from engine.portal.places import ForApplicants, Place
from engine.portal.visit import Visit


class ApplyHomePages:
    """What they have begun, and what they have handed in."""

    @property
    def places(self) -> Iterator[Place]:
        """Where it is."""
        yield ForApplicants(APPLICATION_SITE.home, self.home)

    async def home(self, visit: Visit) -> Response:
        """Their applications."""
        application = visit.application
        async with visit.reading() as connection:
            drafts = await application.drafts.mine(connection, visit.participant_id)
            submitted = await application.submitting.mine(connection, visit.participant_id)
        return visit.page(
            "apply/home.html",
            nav="applications",
            drafts=drafts,
            submitted=[(done, written(done.number)) for done in submitted],
        )
