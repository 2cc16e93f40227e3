"""Where somebody who applies begins once they are signed in."""

from collections.abc import Iterator

from starlette.responses import Response

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
        return visit.page("apply/home.html")
