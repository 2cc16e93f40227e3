"""*My Documents*: the notices that were posted to the reader's inbox, and each as it was sent."""

from collections.abc import Iterator
from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.caseload.paperless import is_enrolled
from engine.inbox.store import DocumentDamagedError
from engine.portal.pages.messages import number
from engine.portal.places import Place, Private
from engine.portal.visit import Visit
from engine.security.audit import Entry

log: Final = structlog.get_logger()

DOCUMENTS: Final = "/documents"
SHOWN: Final = 20
_ID_MOST: Final = 2**63 - 1
_PAGES_MOST: Final = 100_000


class DocumentsPages:
    """The list, and the documents."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield Private(DOCUMENTS, self.documents)
        yield Private(f"{DOCUMENTS}/{{document_id}}.pdf", self.document)

    async def documents(self, visit: Visit) -> Response:
        """What was posted, newest first, a page at a time."""
        page = number(visit.query("page") or "1", _PAGES_MOST)
        if page is None:
            raise HTTPException(404)
        async with visit.reading() as connection:
            documents, total = await visit.application.documents.of(
                connection, visit.participant_id, limit=SHOWN, offset=(page - 1) * SHOWN
            )
            enrolled = await is_enrolled(connection, visit.participant_id)
        if page > 1 and not documents:
            raise HTTPException(404)
        return visit.page(
            "documents.html",
            nav="documents",
            documents=documents,
            enrolled=enrolled,
            page=page,
            pages=-(-total // SHOWN),
        )

    async def document(self, visit: Visit) -> Response:
        """One document, which is read from now on; that it was opened is in the audit trail."""
        document_id = number(visit.request.path_params["document_id"], _ID_MOST)
        if document_id is None:
            raise HTTPException(404)
        async with visit.reading() as connection:
            try:
                content = await visit.application.documents.open(
                    connection, visit.participant_id, document_id
                )
            except DocumentDamagedError:
                log.critical("document_damaged", document_id=document_id)
                raise HTTPException(500) from None
            if content is None:
                raise HTTPException(404)
            await visit.application.audit.append(
                connection,
                Entry(
                    f"participant:{visit.participant_id}",
                    "document.opened",
                    visit.participant_id,
                    {"document": document_id},
                    visit.network,
                ),
            )
        # The name says nothing: it stays on a computer that others may use.
        return Response(
            content,
            media_type="application/pdf",
            headers={"Content-Disposition": 'inline; filename="document.pdf"'},
        )
