"""Looking everything over, submitting it, and the page and the PDF that say that it was."""

from collections.abc import Iterator
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.applications.flow import first_open, steps
from engine.applications.numbers import written
from engine.applications.submitting import Submitted
from engine.applications.ways import way_to
from engine.clock import pacific_date
from engine.portal.apply.applications import (
    APPLICATION,
    asked_id,
    draft_in,
    draft_of,
    page_path,
    path_to,
)
from engine.portal.apply.confirmation_file import confirmation_pdf
from engine.portal.apply.documents import FILE_HEADERS
from engine.portal.places import ForApplicants, Place
from engine.portal.visit import Visit

_FORM: Final = ("GET", "POST")
_RATE: Final = "20/hour"


class ReviewingPages:
    """The review, and the confirmation."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield ForApplicants(f"{APPLICATION}/review", self.review, _FORM)
        yield ForApplicants(f"{APPLICATION}/confirmation", self.confirmation)
        yield ForApplicants(f"{APPLICATION}/confirmation.pdf", self.pdf)

    async def review(self, visit: Visit) -> Response:
        """Every answer with a link that changes it; or all of it, submitted."""
        if await _done(visit) is not None:
            # Sent twice, or gone back to: it is submitted.
            return visit.to(path_to(asked_id(visit), "confirmation"))
        draft = await draft_of(visit)
        if (slot := first_open(draft.told)) is not None:
            return visit.to(page_path(draft.id, slot))
        if visit.posted:
            await visit.count("application.submitted", str(visit.participant_id), rate=_RATE)
            if visit.fields.get("true") == "yes":
                return await self._submitted(visit)
        async with visit.reading() as connection:
            uploads = await visit.application.uploads.of(connection, draft.id)
        return visit.page(
            "apply/review.html",
            422 if visit.posted else 200,
            nav="applications",
            draft=draft,
            steps=steps(draft.told),
            uploads=uploads,
            faults={"true": "true_missing"} if visit.posted else {},
        )

    async def _submitted(self, visit: Visit) -> Response:
        async with visit.act("application.submitted", draft=asked_id(visit)) as doing:
            draft = await draft_in(visit, doing.connection)
            if (slot := first_open(draft.told)) is not None:
                # Another device has made a page necessary since this one was drawn.
                doing.unchanged = True
                return visit.to(page_path(draft.id, slot))
            await visit.application.submitting.submit(
                doing.transaction, visit.participant_id, draft, visit.language
            )
        return visit.to(path_to(draft.id, "confirmation"))

    async def confirmation(self, visit: Visit) -> Response:
        """That it was received, under which number, and what happens next. It prints well: an
        office asks for this page."""
        done = await _done(visit)
        if done is None:
            raise HTTPException(404)
        async with visit.reading() as connection:
            way = await way_to(connection, visit.participant_id, done.record)
        return visit.page(
            "apply/confirmation.html",
            nav="applications",
            done=done,
            number=written(done.number),
            received_on=pacific_date(done.submitted_at),
            way=str(way),
        )

    async def pdf(self, visit: Visit) -> Response:
        """The same, as a file to keep."""
        visit.refuse_at_kiosk()
        done = await _done(visit)
        if done is None:
            raise HTTPException(404)
        template = visit.layout.environments[visit.language].get_template(
            "apply/confirmation_words.txt"
        )
        content = await confirmation_pdf(template, done, visit.language)
        disposition = 'attachment; filename="application.pdf"'
        return Response(
            content,
            media_type="application/pdf",
            headers=FILE_HEADERS | {"Content-Disposition": disposition},
        )


async def _done(visit: Visit) -> Submitted | None:
    async with visit.reading() as connection:
        return await visit.application.submitting.find(
            connection, visit.participant_id, asked_id(visit)
        )
