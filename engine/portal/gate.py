"""The gate before every page: who comes, whether they may, and that a form is one of ours.

Each place is served in both languages. What is asked for without a session leads to the sign-in
page of its door; with a temporary PIN alone, to the page that changes it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from engine.applications.accounts import applicant_of
from engine.applications.file_types import FileFault
from engine.bootstrap import Application
from engine.caseload.acts import AlreadyDoneError, SessionOverError
from engine.i18n import Language
from engine.portal.doors import door_of
from engine.portal.layout import Layout
from engine.portal.places import Access, Place
from engine.portal.tokens import FORM_FIELD, Tokens
from engine.portal.upload_forms import read_upload_form
from engine.portal.visit import FORM_ID_FIELD, Visit
from engine.request_bodies import read_fields
from engine.security.sessions import Stage

CHOOSE_PIN: Final = "/choose-pin"
PRIVATE_HEADERS: Final = {"Cache-Control": "no-store, private", "Vary": "Cookie"}


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets visits in."""

    application: Application
    layout: Layout
    tokens: Tokens

    def at(self, place: Place, language: Language) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of `place` in one language."""

        async def endpoint(request: Request) -> Response:
            visit = Visit(
                request,
                language,
                _path(place, request, language),
                self.application,
                self.layout,
                self.tokens,
            )
            if place.access is Access.PUBLIC:
                return await place.handler(visit)
            response = await self._admitted(place, visit)
            response.headers.update(PRIVATE_HEADERS)
            return response

        endpoint.__name__ = place.handler.__name__
        return endpoint

    async def _admitted(self, place: Place, visit: Visit) -> Response:
        token = self.tokens.session_of(visit.request, visit.door)
        if visit.posted:
            return await self._posted(place, visit, token)
        async with self.application.engine.begin() as connection:
            visit = await _known(visit, connection, token)
            if (elsewhere := _elsewhere(place, visit, token)) is not None:
                return elsewhere
            response = await place.handler(replace(visit, connection=connection))
            if visit.request.method == "HEAD":
                # Nobody saw the page: nothing on it was read, opened or downloaded.
                await connection.rollback()
            return response

    async def _posted(self, place: Place, visit: Visit, token: str) -> Response:
        if place.with_file:
            # Nobody else sends us megabytes.
            visit = await self._known(visit, token)
            if (elsewhere := _elsewhere(place, visit, token)) is not None:
                return elsewhere
        # A body may take its time; the session is looked at when it is there.
        fields, file = await _read(place, visit.request)
        visit = await self._known(visit, token)
        if (elsewhere := _elsewhere(place, visit, token)) is not None:
            return elsewhere
        if isinstance(file, FileFault):
            # Its fields were not read either: all that can be done is to say so.
            return await place.handler(replace(visit, file=file))
        if not self.tokens.is_of_session(visit.signed_in, fields.get(FORM_FIELD, "")):
            raise HTTPException(403)
        posted = replace(visit, fields=fields, form=_form_id(fields), file=file)
        try:
            return await place.handler(posted)
        except AlreadyDoneError:
            return visit.to(place.after or visit.path)
        except SessionOverError:
            return _to(visit, visit.door.session_ended)

    async def _known(self, visit: Visit, token: str) -> Visit:
        if not token:
            return replace(visit, session=None)
        async with self.application.engine.begin() as connection:
            return await _known(visit, connection, token)


async def _read(place: Place, request: Request) -> tuple[dict[str, str], bytes | FileFault]:
    """The fields of what was posted, and the file where a place takes one."""
    if not place.with_file:
        return await read_fields(request), b""
    form = await read_upload_form(request)
    return ({}, form) if isinstance(form, FileFault) else (form.fields, form.content)


async def _known(visit: Visit, connection: AsyncConnection, token: str) -> Visit:
    """The visit, with the session of `token` where it is a live one."""
    session = await visit.sessions.find(connection, token) if token else None
    if session is None or session.stage is not Stage.APPLICANT:
        return replace(visit, session=session)
    applicant = await applicant_of(connection, session.participant_id)
    return replace(visit, session=session, known_applicant=applicant)


def _elsewhere(place: Place, visit: Visit, token: str) -> Response | None:
    """Where this visit is sent instead of the page it asked for, if anywhere."""
    if visit.session is None:
        return _to(visit, visit.door.session_ended if token else visit.door.sign_in)
    if visit.session.stage is Stage.PIN_CHANGE and place.access is Access.PRIVATE:
        return _to(visit, CHOOSE_PIN)
    return None


def _path(place: Place, request: Request, language: Language) -> str:
    """The path that the page stands at, and its other language with it: a place that only takes a
    form draws its answer at the page the form came from."""
    if "GET" in place.methods:
        return request.url.path.removeprefix(f"/{language}")
    return place.after or door_of(place.path).prefix or "/"


def _to(visit: Visit, path: str) -> Response:
    return RedirectResponse(f"/{visit.language}{path}", 303)


def _form_id(fields: Mapping[str, str]) -> UUID:
    try:
        return UUID(fields.get(FORM_ID_FIELD, ""))
    except ValueError:
        raise HTTPException(400) from None
