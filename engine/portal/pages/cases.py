"""*My Case*: one case with its balances, or the list for those who have several."""

from collections.abc import Iterator
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.caseload.cases import case_of, cases_of
from engine.portal.pages.messages import number
from engine.portal.places import Place, Private
from engine.portal.visit import Visit

CASES: Final = "/cases"
_ID_MOST: Final = 2**63 - 1


class CasesPages:
    """What a party may know of their case; of the other party, the role."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Private(CASES, self.cases)
        yield Private(f"{CASES}/{{case_id}}", self.case)

    async def cases(self, visit: Visit) -> Response:
        """The list; where there is one case, that case."""
        async with visit.reading() as connection:
            cases = await cases_of(connection, visit.participant_id)
        if len(cases) == 1:
            return visit.page("case.html", nav="cases", case=cases[0], alone=True)
        return visit.page("cases.html", nav="cases", cases=cases)

    async def case(self, visit: Visit) -> Response:
        """One case of the reader's; 404 for every other, there or not."""
        case_id = number(visit.request.path_params["case_id"], _ID_MOST)
        if case_id is None:
            raise HTTPException(404)
        async with visit.reading() as connection:
            case = await case_of(connection, visit.participant_id, case_id)
        if case is None:
            raise HTTPException(404)
        return visit.page("case.html", nav="cases", case=case, alone=False)
