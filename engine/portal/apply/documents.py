"""The documents that come with an application: sent one at a time, looked at, taken away again."""

from collections.abc import Iterator, Mapping
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.applications.cleaning_process import Clean
from engine.applications.drafts import Draft
from engine.applications.file_types import FileFault
from engine.applications.uploads import FILES_MOST, KINDS
from engine.portal.apply.applications import (
    APPLICATION,
    asked_id,
    draft_in,
    draft_of,
    path_to,
)
from engine.portal.places import ForApplicants, Place, WithFile
from engine.portal.visit import Visit

_FILE_RATE: Final = "60/hour"
_FORM: Final = ("GET", "POST")
FILE_HEADERS: Final = {
    # What a stranger sent is never a page of ours, whatever a browser makes of it.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


class DocumentsPages:
    """The page that takes them, and each as it is kept."""

    @property
    def places(self) -> Iterator[Place]:
        """Where they are."""
        yield WithFile(f"{APPLICATION}/documents", self.documents)
        yield ForApplicants(f"{APPLICATION}/documents/{{upload_id}}", self.document)
        yield ForApplicants(f"{APPLICATION}/documents/{{upload_id}}/remove", self.remove, _FORM)

    async def documents(self, visit: Visit) -> Response:
        """What was sent so far; or one more, which is made anew before it is kept."""
        draft = await draft_of(visit)
        if not visit.posted:
            return await _page(visit, draft, {})
        await visit.count("application.files", str(visit.participant_id), rate=_FILE_RATE)
        faults: dict[str, str] = {}
        kind = visit.fields.get("kind", "")
        if kind not in KINDS and not isinstance(visit.file, FileFault):
            faults["kind"] = "kind_missing"
        made = await _made(visit)
        if isinstance(made, FileFault):
            faults["file"] = made
        if faults or isinstance(made, FileFault):
            return await _page(visit, draft, faults, kind)
        async with visit.act("application.document_added", draft=draft.id, kind=kind) as doing:
            live = await draft_in(visit, doing.connection)
            fault = await visit.application.uploads.add(doing.connection, live.id, kind, made)
            doing.unchanged = fault is not None
        if fault is not None:
            return await _page(visit, draft, {"file": fault}, kind)
        return visit.to(path_to(draft.id, "documents"), said="document_added")

    async def document(self, visit: Visit) -> Response:
        """One document, to be kept by its owner, who sees it on no page of ours."""
        visit.refuse_at_kiosk()
        async with visit.reading() as connection:
            found = await visit.application.uploads.content(
                connection, visit.participant_id, asked_id(visit), asked_id(visit, "upload_id")
            )
        if found is None:
            raise HTTPException(404)
        upload, content = found
        disposition = f'attachment; filename="{upload.name}"'
        return Response(
            content,
            media_type=upload.media_type,
            headers=FILE_HEADERS | {"Content-Disposition": disposition},
        )

    async def remove(self, visit: Visit) -> Response:
        """Take a document away again."""
        draft = await draft_of(visit)
        upload_id = asked_id(visit, "upload_id")
        async with visit.reading() as connection:
            present = await visit.application.uploads.of(connection, draft.id)
        chosen = next((each for each in present if each.id == upload_id), None)
        if chosen is None:
            raise HTTPException(404)
        if not visit.posted:
            return visit.page(
                "apply/remove_document.html", nav="applications", draft=draft, upload=chosen
            )
        async with visit.act("application.document_removed", draft=draft.id) as doing:
            live = await draft_in(visit, doing.connection)
            await visit.application.uploads.remove(doing.connection, live.id, upload_id)
        return visit.to(path_to(draft.id, "documents"), said="document_removed")


async def _made(visit: Visit) -> Clean | FileFault:
    if isinstance(visit.file, FileFault):
        return visit.file
    if not visit.file:
        return FileFault.MISSING
    return await visit.application.uploads.check(visit.file)


async def _page(visit: Visit, draft: Draft, faults: Mapping[str, str], kind: str = "") -> Response:
    async with visit.reading() as connection:
        present = await visit.application.uploads.of(connection, draft.id)
    return visit.page(
        "apply/documents.html",
        422 if faults else 200,
        nav="applications",
        draft=draft,
        uploads=present,
        most=FILES_MOST,
        kinds=KINDS,
        kind=kind,
        faults=faults,
    )
