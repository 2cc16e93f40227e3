"""*Provide Other Party's Information*: a report for the caseworker; nothing known is ever shown."""

import unicodedata
from collections.abc import Iterator
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.caseload.cases import cases_of
from engine.caseload.other_party import FIELD_MOST, FIELDS
from engine.portal.pages.messages import number
from engine.portal.places import Place, Private
from engine.portal.visit import Visit

OTHER_PARTY: Final = "/profile/other-party"
_RATE: Final = "20/hour"
_ID_MOST: Final = 2**63 - 1


class OtherPartyPages:
    """The form, and its confirmation."""

    @property
    def places(self) -> Iterator[Place]:
        """Where it is."""
        yield Private(OTHER_PARTY, self.other_party, ("GET", "POST"), after=OTHER_PARTY)

    async def other_party(self, visit: Visit) -> Response:
        """The form, empty however often it was sent; or what was posted with it."""
        if not visit.posted:
            return await self._form(visit, {}, {}, 200)
        await visit.count("other_party", str(visit.participant_id), rate=_RATE)
        typed = {name: visit.fields.get(name, "").strip() for name in (*FIELDS, "case")}
        facts = {name: typed[name] for name in FIELDS if typed[name]}
        case_id = number(typed["case"], _ID_MOST)
        faults = {name: "field_unreadable" for name, value in facts.items() if not _readable(value)}
        if case_id is None:
            faults["case"] = "case_missing"
        if not facts:
            faults["address"] = "all_missing"
        if faults or case_id is None:
            return await self._form(visit, typed, faults, 422)
        async with visit.act("other_party.reported", case=case_id) as doing:
            kept = await visit.application.other_party.report(
                doing.connection, visit.participant_id, case_id, facts
            )
            if not kept:
                raise HTTPException(404)
        return visit.to(OTHER_PARTY, said="reported")

    async def _form(
        self, visit: Visit, typed: dict[str, str], faults: dict[str, str], status: int
    ) -> Response:
        async with visit.reading() as connection:
            cases = await cases_of(connection, visit.participant_id)
        return visit.page(
            "other_party.html",
            status,
            nav="profile",
            cases=cases,
            typed={name: typed.get(name, "") for name in (*FIELDS, "case")},
            faults=faults,
            most=FIELD_MOST,
        )


def _readable(value: str) -> bool:
    return len(value) <= FIELD_MOST and not any(
        unicodedata.category(mark) in {"Cc", "Cs"} and mark not in "\r\n\t" for mark in value
    )
