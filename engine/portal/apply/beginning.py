"""Beginning an application, going on with one, and throwing one away."""

from collections.abc import Iterator
from typing import Final

from starlette.responses import Response

from engine.applications.flow import first_open
from engine.applications.questions import KINDS
from engine.portal.apply.applications import (
    APPLICATION,
    SAVES_RATE,
    asked_id,
    draft_in,
    draft_of,
    page_path,
    path_to,
)
from engine.portal.places import ForApplicants, Place
from engine.portal.visit import Visit

HOME: Final = "/apply/home"
START: Final = "/apply/start"
_FORM: Final = ("GET", "POST")


class BeginningPages:
    """Which kind it is; where it was left; and its end."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield ForApplicants(START, self.start, _FORM, after=HOME)
        yield ForApplicants(APPLICATION, self.resume)
        yield ForApplicants(f"{APPLICATION}/discard", self.discard, _FORM, after=HOME)

    async def start(self, visit: Visit) -> Response:
        """Open a case, or add a child to one."""
        if not visit.posted:
            return visit.page("apply/which.html", nav="applications", chosen="", faults={})
        await visit.count("application.saves", str(visit.participant_id), rate=SAVES_RATE)
        for kind in KINDS:
            if visit.fields.get("kind") == kind:
                async with visit.act("application.started", kind=kind) as doing:
                    draft_id = await visit.application.drafts.start(
                        doing.connection, visit.participant_id, kind
                    )
                    doing.unchanged = draft_id is None
                if draft_id is None:
                    return visit.page(
                        "apply/which.html",
                        422,
                        nav="applications",
                        chosen=kind,
                        faults={"kind": "many"},
                    )
                return visit.to(page_path(draft_id, "safety"))
        return visit.page(
            "apply/which.html", 422, nav="applications", chosen="", faults={"kind": "choose"}
        )

    async def resume(self, visit: Visit) -> Response:
        """On to the first page without an answer; to the confirmation of what was submitted."""
        async with visit.reading() as connection:
            done = await visit.application.submitting.find(
                connection, visit.participant_id, asked_id(visit)
            )
        if done is not None:
            return visit.to(path_to(done.draft_id, "confirmation"))
        draft = await draft_of(visit)
        slot = first_open(draft.told)
        return visit.to(page_path(draft.id, slot) if slot else path_to(draft.id, "review"))

    async def discard(self, visit: Visit) -> Response:
        """A draft that its applicant does not want any more."""
        draft = await draft_of(visit)
        if not visit.posted:
            return visit.page("apply/discard.html", nav="applications", draft=draft)
        async with visit.act("application.discarded", draft=draft.id) as doing:
            live = await draft_in(visit, doing.connection)
            await visit.application.drafts.discard(doing.connection, live)
        return visit.to(HOME, said="application_discarded")
